"""What images go by where others may read: numbers, for the name of a file or folder often names its patient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from overread.cases.manifest import Manifest
from overread.cases.note import public

_TABLES = (".csv", ".tsv", ".txt", ".xlsx")
_WORD = re.compile(r"\w")
# What no sentence holds but as a name: it has a letter and a dot or slash, or dots as the UID of a DICOM object has.
_TELLING = re.compile(r"(?=.*[^\W\d_]).*[./\\]|.*\..*\.", re.DOTALL)
# Likewise of a file's name without its suffix.
_STEM = re.compile(r"(?=.*[^\W\d_])(?=.*\d).{4}", re.DOTALL)
# What may be a number of images, too.
_COUNT = re.compile(r"\d{1,3}")


class PublicNames:
    """Numbers from 1 in place of the names of the images of a manifest, in its order."""

    def __init__(self, manifest: Manifest, places: Iterable[Path] = ()) -> None:
        """Number the images.

        Args:
            manifest: every case, readable or not.
            places: folders and tables that the cases were read from, whose names are not told either.
        """
        self._cases = manifest.cases
        one = manifest.noun
        self._numbers = {case.full_name: f"{one} {number}" for number, case in enumerate(self._cases, start=1)}
        self._words: dict[str, str] = {}
        for case in self._cases:
            for part in (case, *case.parts) if case.instances else (case,):
                for name in (part.full_name, part.name, str(part.path), part.path.name, part.path.stem):
                    if _TELLING.match(name) or _STEM.match(name):
                        self._words.setdefault(name, self.of(case.full_name))
        for place in places:
            paths = {str(path): "the data" for path in (place, place.absolute()) if _TELLING.match(str(path))}
            self._words |= {**paths, **{path.name: "a table" for path in _tables_near(place)}}
        self._lengths = sorted({len(name) for name in self._words}, reverse=True)

    def of(self, name: str) -> str:
        """What an image goes by, given its `Case.full_name`."""
        return self._numbers[name]

    def of_all(self, found: Mapping[str, str]) -> dict[str, str]:
        """What is known of images by name, by number."""
        return {self.of(name): value for name, value in found.items()}

    def hide(self, text: str) -> str:
        """Give a text without the names of images and tables in it."""
        if text in self._numbers and not _COUNT.fullmatch(text):
            return self._numbers[text]
        return "".join(self._parts(text))

    def hide_in(self, notes: Iterable[str]) -> tuple[str, ...]:
        """Give notes on the data likewise."""
        return tuple(self.hide(public(note)) for note in notes)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Number, name, frame and place of each image, for the user alone; of an exam those of all its files."""
        for number, case in enumerate(self._cases, start=1):
            for part in case.parts:
                yield number, part.name, part.frame or "", part.path.absolute()

    def _parts(self, text: str) -> Iterator[str]:
        place = 0
        while place < len(text):
            name = self._name_at(text, place)
            yield self._words[name] if name else text[place]
            place += len(name) if name else 1

    def _name_at(self, text: str, place: int) -> str:
        """The longest name that begins here and is no part of a word."""
        if place and _WORD.match(text[place - 1]) and _WORD.match(text[place]):
            return ""
        for length in self._lengths:
            end = place + length
            if text[place:end] in self._words and not (_WORD.match(text[end : end + 1]) and _WORD.match(text[end - 1])):
                return text[place:end]
        return ""


def _tables_near(place: Path) -> list[Path]:
    """A table itself, or those in a folder and beside it."""
    if place.is_file():
        return [place]
    try:
        files = [path for folder in (place, place.parent) for path in folder.iterdir()]
    except OSError:
        return []
    return [path for path in files if path.suffix.lower() in _TABLES]
