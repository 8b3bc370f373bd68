"""Where in a picture something stands: in words, and in percent of its sides."""

from __future__ import annotations

import dataclasses

from overread.auditing.rules.annotations.find import Mark
from overread.formats import Header


@dataclasses.dataclass(frozen=True)
class Place:
    """A box in a picture, in parts of its width and height, without the padding around it."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, mark: Mark, header: Header, side: int) -> Place:
        """That of a mark, whose box is in pixels of a picture padded to a square of this side."""
        longest = max(header.width, header.height)
        width, height = (side * known / longest if known else side for known in (header.width, header.height))
        top, left, bottom, right = mark.box
        return cls(
            left=_part(left, width, side),
            top=_part(top, height, side),
            right=_part(right, width, side),
            bottom=_part(bottom, height, side),
        )

    @property
    def words(self) -> str:
        """The ninth of the picture in which its middle lies, such as "top left"."""
        row = _third((self.top + self.bottom) / 2, ("top", "", "bottom"))
        column = _third((self.left + self.right) / 2, ("left", "", "right"))
        return " ".join(filter(None, (row, column))) or "centre"

    @property
    def percent(self) -> str:
        """From where to where it reaches, from the left and from the top."""
        across, down = f"{self.left:.0%} to {self.right:.0%}", f"{self.top:.0%} to {self.bottom:.0%}"
        return f"{across} across, {down} down".replace("%", " %")


def _part(edge: float, length: float, side: int) -> float:
    """Where along a picture of this length, in the middle of a padded side, an edge lies."""
    return min(max((edge - (side - length) / 2) / length, 0.0), 1.0)


def _third(part: float, words: tuple[str, str, str]) -> str:
    return words[min(int(3 * part), 2)]
