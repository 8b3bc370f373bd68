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
ATTENTION = "attention.npz"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Member:
    """One network of a bundle: the names of its files, and how its logits become probabilities.

    Of a bundle that reads exams, attention is the file that says which frames matter; without one all count alike.

    Raises:
        InvalidBundle: a name is none of a file in the bundle.
    """

    graph: str = GRAPH
    weights: str = WEIGHTS
    reference: str = REFERENCE
    calibration: Calibration
    attention: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Its files."""
        return tuple(filter(None, (self.graph, self.weights, self.reference, self.attention)))

    def __post_init__(self) -> None:
        for name in self.names:
            check_name(name)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON values."""
        fields = {name: value for name, value in vars(self).items() if value is not None}
        return {**fields, "calibration": self.calibration.to_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Member:
        """Rebuild what `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: it is nothing that `to_dict` gives.
        """
        return cls(**{**fields, "calibration": Calibration.from_dict(fields["calibration"])})
