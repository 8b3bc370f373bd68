"""What one frame gave to the reading of its exam."""

from __future__ import annotations

import dataclasses

from overread.formats import Origin


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
