"""How the frames of exams are pooled, and what cross-validation said of each way."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.machine.content.values import from_values
from overread.machine.files import from_json, read_regular, write_json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Candidate:
    """A way to pool, with its log loss on training exams that were left out, weighted as in training."""

    name: str
    log_loss: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class PoolingChoice:
    """How the frames of exams are pooled.

    Args:
        chosen: mean or attention.
        candidates: what was compared by cross-validation; none where nothing was.
        exams: that were fitted to.
        frames: of these together.
        why: the reason in words.
    """

    chosen: str
    candidates: tuple[Candidate, ...] = ()
    exams: int
    frames: int
    why: str

    def __str__(self) -> str:
        compared = ", ".join(f"{one.name} {one.log_loss:.4f}" for one in self.candidates)
        said = f" (log loss on exams left out: {compared})" if compared else ""
        return f"{self.frames:,} frames of {self.exams:,} exams are pooled by {self.chosen}, {self.why}{said}"

    def write(self, path: Path) -> None:
        """Record it."""
        write_json(path, dataclasses.asdict(self))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PoolingChoice:
        """Rebuild what was recorded."""
        candidates = tuple(from_values(Candidate, one) for one in values["candidates"])
        return from_values(cls, {**values, "candidates": candidates})

    @classmethod
    def read(cls, path: Path) -> PoolingChoice | None:
        """What was recorded; None where nothing was, or not what `write` writes."""
        try:
            return cls.from_dict(from_json(read_regular(path)))
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
