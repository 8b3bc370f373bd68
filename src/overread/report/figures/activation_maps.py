"""Where the evidence for each class lies on average."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from overread.errors import InvalidData
from overread.report.figures.canvas import drawing
from overread.report.figures.images import ImageWithEvidence, draw_pairs


@drawing
def draw_mean_maps(items: Sequence[ImageWithEvidence], *, border: float, path: str | Path) -> Path:
    """Draw the mean image of each class, beside itself with the mean evidence tinted in, and the border as a line.

    Args:
        items: one a class.
        border: share of each side that counts as border.
        path: without a suffix; there is no CSV.

    Raises:
        InvalidData: there is no class.
    """
    if not items:
        raise InvalidData("there is no mean map to show: leave this figure out where no image was decided on")
    return draw_pairs(items, path, border)
