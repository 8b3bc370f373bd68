"""What each frame gave to the reading of its exam."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from overread.decision.task import Task
from overread.formats import Origin
from overread.machine.remote import public_name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """A frame of an exam that was read.

    Args:
        index: its place in the exam, from 0.
        origin: where it comes from.
        share: of the exam's answer that is told from it, from 0 to 1; those of all frames sum to 1. Of an ensemble, the
            mean of its networks'.
        evidence: what it gave to the logit of the class that the reading is mainly about, before calibration; those of
            all frames sum to it.
        rank: 1 for the frame with most evidence.
    """

    index: int
    origin: Origin
    share: float
    evidence: float
    rank: int

    def to_dict(self) -> dict[str, Any]:
        """What is told of it, as JSON values; its number counts from 1, and so does the frame within its file."""
        told = {
            "path": public_name(self.origin.path),
            "frame": self.origin.frame,
            "position_mm": self.origin.position_mm,
        }
        box = None if self.origin.box is None else list(self.origin.box)
        own = {"number": self.index + 1, "share": self.share, "evidence": self.evidence}
        return {**own, **{name: value for name, value in {**told, "box": box}.items() if value is not None}}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ReadFrames(Sequence[Frame]):
    """All n frames of an exam that was read, in order: arrays, of which each frame is made when it is asked for.

    Args:
        task: what the bundle tells apart.
        name: of the class, finding or cut that `evidence` is for.
        origins: `(n,)` where each comes from.
        shares: `(n,)` of the answer, which sum to 1.
        given: `(n, outputs)` what each gave to the logits of the exam, whose sum they are.
        shown: the place of the one whose pixels and activation map the reading holds.
    """

    task: Task
    name: str
    origins: tuple[Origin, ...]
    shares: npt.NDArray[np.float64]
    given: npt.NDArray[np.float64]
    shown: int

    def of(self, name: str) -> npt.NDArray[np.float64]:
        """`(n,)` what each frame gave to the logit of a class, finding or cut; they sum to it."""
        return np.asarray(self.task.evidence(self.given[None], name)[0])  # as if frames were positions in a map

    @functools.cached_property
    def evidence(self) -> npt.NDArray[np.float64]:
        """`(n,)` what each gave to the logit of what the reading is mainly about."""
        return self.of(self.name)

    @functools.cached_property
    def ranks(self) -> npt.NDArray[np.int64]:
        """`(n,)` 1 for the frame with most evidence, the first of equal ones."""
        ranks = np.empty(len(self), dtype=np.int64)
        ranks[self._order] = np.arange(1, len(self) + 1)
        return ranks

    @functools.cached_property
    def _order(self) -> npt.NDArray[np.int64]:
        return np.argsort(-self.evidence, kind="stable")

    def top(self, most: int) -> tuple[Frame, ...]:
        """So many frames with most evidence, the first first; all where there are fewer."""
        return tuple(self._frame(int(place)) for place in self._order[:most])

    def about(self, task: Task, name: str, outputs: slice) -> ReadFrames:
        """What the frames gave to one of several tasks, by the outputs that are its own."""
        return dataclasses.replace(self, task=task, name=name, given=self.given[:, outputs])

    def __len__(self) -> int:
        return len(self.origins)

    @overload
    def __getitem__(self, index: int) -> Frame: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Frame, ...]: ...

    def __getitem__(self, index: int | slice) -> Frame | tuple[Frame, ...]:
        if isinstance(index, slice):
            return tuple(map(self._frame, range(len(self))[index]))
        return self._frame(range(len(self))[index])

    def __iter__(self) -> Iterator[Frame]:
        return map(self._frame, range(len(self)))

    def __repr__(self) -> str:
        return f"ReadFrames({len(self)}, most evidence for {self.name} in number {self.shown + 1})"

    def _frame(self, index: int) -> Frame:
        return Frame(
            index=index,
            origin=self.origins[index],
            share=float(self.shares[index]),
            evidence=float(self.evidence[index]),
            rank=int(self.ranks[index]),
        )
