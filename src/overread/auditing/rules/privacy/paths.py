"""What the path of an image seems to hold: the name of a person, a date, a number by which a patient can be traced."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from overread.cases import Case
from overread.cases.persons.looks import NATIONAL_NUMBER
from overread.cases.persons.names import find_names, words_in

NAME, BIRTH, NATIONAL = "the name of a person", "a date of birth", "a number in the form of a national one"
DATE, NUMBER = "a date", "a number of 7 digits or more"
NAMING_KINDS = frozenset({NAME, BIRTH, NATIONAL})
# The place of a file's name in its path; folders count from 0.
_STEM = -1
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
_NATIONAL = re.compile(f"{_START}{NATIONAL_NUMBER}{_END}")
# A leading zero is a counter's, and a dot after a digit joins the components of a DICOM UID.
_LONG_NUMBER = re.compile(r"(?<![^\W_])(?<!\d\.)(?:mrn|pid|id|patient|pat|case)?([1-9]\d{6,})(?![^\W_])", re.IGNORECASE)


# Words in more than half of so many images are of the set, not of a person.
_ENOUGH_IMAGES = 20
# Names that a single path leaves open are believed where so many differ and they stand in half of such paths.
_DIFFERENT_NAMES, _SHARE_OF_PARTS, _FEWEST_LETTERS = 5, 0.5, 3


def kinds_in_paths(cases: Sequence[Case]) -> list[frozenset[str]]:
    """What each case's path seems to hold; the folders named as classes are left out, and their words are no names."""
    labels = {case.label for case in cases}
    parts: list[dict[int, str]] = []
    for case in cases:
        path = PurePosixPath(case.name)
        folders = [part for part in path.parts[:-1] if part not in labels]
        parts.append({_STEM: path.stem, **dict(enumerate(folders))})
    distinct = {part for own in parts for part in own.values()}
    # One in 27 of the numbers from 19000000 to 20299999 is a date by chance: only a habit makes them dates.
    numbers = [number for part in distinct for number in _EIGHT_DIGITS.findall(part)]
    has_dates = 2 * sum(bool(_COMPACT_DATE.fullmatch(number)) for number in numbers) >= len(numbers)
    kinds = {part: _kinds(part, has_dates) for part in distinct}
    named = _named_parts(parts, {word for label in labels for word in words_in(label)})
    return [
        frozenset({NAME} if not named.isdisjoint(own.items()) else ()).union(*(kinds[part] for part in own.values()))
        for own in parts
    ]


def _named_parts(parts: Sequence[dict[int, str]], classes: set[str]) -> set[tuple[int, str]]:
    """The parts of paths, each with its place, that name a person."""
    words = {part: frozenset(words_in(part)) for part in {part for own in parts for part in own.values()}}
    images = Counter(word for own in parts for word in frozenset().union(*(words[part] for part in own.values())))
    common = {word for word, number in images.items() if len(parts) >= _ENOUGH_IMAGES and 2 * number > len(parts)}
    ignored = classes | common
    at_place = defaultdict(set)
    for own in parts:
        for place, part in own.items():
            at_place[place].add(part)
    named = set()
    for place, there in at_place.items():
        found = {part: find_names(part, ignored=ignored) for part in there}
        sure = {part for part, names in found.items() if names.is_sure}
        perhaps = {part for part, names in found.items() if names.perhaps} - sure
        worded = sum(any(len(word) >= _FEWEST_LETTERS for word in words[part] - ignored) for part in there)
        different = set().union(*(found[part].perhaps for part in (*sure, *perhaps)))
        if len(different) >= _DIFFERENT_NAMES and len(sure | perhaps) >= _SHARE_OF_PARTS * worded:
            sure |= perhaps
        named |= {(place, part) for part in sure}
    return named


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
    return frozenset(found)
