"""The mistakes that were made most confidently."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from overread.errors import InvalidData
from overread.report.figures.canvas import drawing
from overread.report.figures.images import ImageWithEvidence, draw_pairs

MOST_MISTAKES = 12


@drawing
def draw_mistakes(items: Sequence[ImageWithEvidence], *, path: str | Path) -> Path:
    """Draw images that were read wrongly, each beside itself with the evidence tinted in, two such pairs a row.

    Args:
        items: the first 12 are drawn, so give the most confident first.
        path: without a suffix; there is no CSV.

    Raises:
        InvalidData: there is no mistake.
    """
    if not items:
        raise InvalidData("there is no mistake to show: leave this figure out where every case was read rightly")
    return draw_pairs(items[:MOST_MISTAKES], path)
