"""Common names of many countries, written down without looking at the list that the program has."""

from __future__ import annotations

from pathlib import Path


def persons() -> dict[str, list[tuple[str, str]]]:
    """The given names and surnames of each country."""
    lines = Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines()
    parted = (line.split(": ") for line in lines)
    return {country: [_parted(name) for name in names.split(", ")] for country, names in parted}


def _parted(name: str) -> tuple[str, str]:
    given, _, surname = name.partition(" ")
    return given, surname
