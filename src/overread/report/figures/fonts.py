"""Fonts for names in any script: those of this computer that have the letters, else letters that every font has."""

from __future__ import annotations

import contextlib
import functools
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from overread.machine.terminal import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FAMILY = "DejaVu Sans"  # comes with Matplotlib
# It has a box with a number for every letter.
_NO_FONT = "Last Resort"


def set_fonts(figure: Figure) -> None:
    """Give the texts of a figure all fonts that they need, and have none read as a formula."""
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    others = {_family_with(letter) for text in texts for letter in text.get_text()} - {None, _FAMILY}
    for text in texts:
        text.set_parse_math(False)  # a class may be called "$x"
        text.set_fontfamily([_FAMILY, *sorted(filter(None, others))])


def drawable(text: str) -> str:
    """Write a text as figures have it: letters that no font of this computer has are simplified, or escaped."""
    return "".join(map(_drawn, shown(text)))


def said_of(names: Iterable[str]) -> tuple[str, ...]:
    """Say which names figures write in other letters, in a paragraph; none where there is no such name."""
    changed = {name: drawn for name in names if (drawn := drawable(name)) != shown(name)}
    if not changed:
        return ()
    pairs = ", ".join(f"{name} as {drawn}" for name, drawn in changed.items())
    return (
        f"No font of this computer has all letters of these names, which figures therefore write otherwise: {pairs}. "
        "Install a font that has them, such as Noto Sans CJK.",
    )


@functools.cache
def _drawn(letter: str) -> str:
    if letter.isascii() or _family_with(letter):
        return letter
    simple = unicodedata.normalize("NFKD", letter)
    if simple != letter and all(map(_family_with, simple)):
        return simple
    return letter.encode("ascii", "backslashreplace").decode()


@functools.cache
def _family_with(letter: str) -> str | None:
    """The first family, the usual one before all others, whose upright font has a letter."""
    for fonts in (_known, _new):
        for family, path in fonts():
            if ord(letter) in _letters(path):
                return family
    return None


@functools.cache
def _known() -> tuple[tuple[str, str], ...]:
    """Family and file of the fonts that Matplotlib knows: its own, and those of the system when it first looked."""
    from matplotlib.font_manager import fontManager

    entries = [entry for entry in fontManager.ttflist if entry.style == "normal" and _NO_FONT not in entry.name]
    # Of each family the regular weight, which bears the number 400.
    entries.sort(key=lambda entry: (entry.name != _FAMILY, "Sans" not in entry.name, entry.name, entry.weight != 400))
    return tuple({entry.name: entry.fname for entry in reversed(entries)}.items())[::-1]


@functools.cache
def _new() -> tuple[tuple[str, str], ...]:
    """Fonts that were installed since: looked for once, where the known ones lack a letter."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    before = len(fontManager.ttflist)
    for path in sorted(set(findSystemFonts()) - known):
        with contextlib.suppress(Exception):  # no font, or one that Matplotlib cannot take
            fontManager.addfont(path)
    return tuple((entry.name, entry.fname) for entry in fontManager.ttflist[before:])


@functools.cache
def _letters(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    with contextlib.suppress(Exception):  # it was removed, or is damaged
        if (font := FT2Font(path)).scalable:
            return frozenset(font.get_charmap())
    return frozenset()
