"""What the path of an image seems to hold: the name of a person, a date, a number by which a patient can be traced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from overread.cases import Case
from overread.cases.persons.names import names_person

NAME, BIRTH, NATIONAL = "the name of a person", "a date of birth", "a number in the form of a national one"
DATE, NUMBER = "a date", "a number of 7 digits or more"
NAMING_KINDS = frozenset({NAME, BIRTH, NATIONAL})
# Images in files are younger, so that an earlier date is one of birth.
_FIRST_IMAGES = 1990
_YEAR, _MONTH, _DAY = r"(?:19\d\d|20[0-2]\d)", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
_SPACED_DATE = re.compile(
    rf"{_START}(?:(?P<first>{_YEAR})([-. _]){_MONTH}\2{_DAY}|{_DAY}([-. _]){_MONTH}\3(?P<last>{_YEAR})){_END}"
)
_EIGHT_DIGITS = re.compile(rf"{_START}\d{{8}}{_END}")
_COMPACT_DATE = re.compile(rf"(?P<first>{_YEAR}){_MONTH}{_DAY}|{_DAY}{_MONTH}(?P<last>{_YEAR})")
_BIRTH = re.compile(r"(?<![a-z])(dob|birth|born|geboren|geb|naissance|nacimiento|nascita)[^a-z\d]*\d", re.IGNORECASE)
# The forms of the United States, and of Denmark and Sweden, which have a date in front.
_NATIONAL = re.compile(rf"{_START}(?:\d{{3}}-\d\d-\d{{4}}|{_DAY}{_MONTH}\d\d-\d{{4}}|\d\d{_MONTH}{_DAY}-\d{{4}}){_END}")
# A leading zero is a counter's, and a dot after a digit joins the components of a DICOM UID.
_LONG_NUMBER = re.compile(r"(?<![^\W_])(?<!\d\.)(?:mrn|pid|id|patient|pat|case)?([1-9]\d{6,})(?![^\W_])", re.IGNORECASE)


def kinds_in_paths(cases: Sequence[Case]) -> list[frozenset[str]]:
    """What each case's path seems to hold; the folders named as classes are left out."""
    labels = {case.label for case in cases}
    parts = []
    for case in cases:
        path = PurePosixPath(case.name)
        parts.append([*(part for part in path.parts[:-1] if part not in labels), path.stem])
    distinct = {part for own in parts for part in own}
    # One in 27 of the numbers from 19000000 to 20299999 is a date by chance: only a habit makes them dates.
    numbers = [number for part in distinct for number in _EIGHT_DIGITS.findall(part)]
    has_dates = 2 * sum(bool(_COMPACT_DATE.fullmatch(number)) for number in numbers) >= len(numbers)
    kinds = {part: _kinds(part, has_dates) for part in distinct}
    return [frozenset().union(*(kinds[part] for part in own)) for own in parts]


def _kinds(text: str, has_dates: bool) -> frozenset[str]:
    numbers = _EIGHT_DIGITS.findall(text) if has_dates else []
    compact = [match for number in numbers if (match := _COMPACT_DATE.fullmatch(number))]
    dates = [*_SPACED_DATE.finditer(text), *compact]
    dated = {match.group() for match in compact}
    found = set()
    if any(int(match["first"] or match["last"]) < _FIRST_IMAGES for match in dates) or _BIRTH.search(text):
        found.add(BIRTH)
    elif dates:
        found.add(DATE)
    if _NATIONAL.search(text):
        found.add(NATIONAL)
    if any(number not in dated for number in _LONG_NUMBER.findall(text)):
        found.add(NUMBER)
    if names_person(text):
        found.add(NAME)
    return frozenset(found)
