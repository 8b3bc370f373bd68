"""One network of a bundle."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from overread.bundle.archive import check_name
from overread.decision import Calibration

GRAPH = "network.onnx"
WEIGHTS = "network.weights.h5"
REFERENCE = "reference.npz"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Member:
    """One network of a bundle: the names of its files, and how its logits become probabilities.

    Raises:
        InvalidBundle: a name is none of a file in the bundle.
    """

    graph: str = GRAPH
    weights: str = WEIGHTS
    reference: str = REFERENCE
    calibration: Calibration

    def __post_init__(self) -> None:
        for name in (self.graph, self.weights, self.reference):
            check_name(name)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return {**vars(self), "calibration": self.calibration.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Member:
        """Rebuild what `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is nothing that `to_dict` gives.
        """
        return cls(**{**fields, "calibration": Calibration.from_dict(fields["calibration"])})
