"""A pattern that the names of a data set bear out, and nothing in the data speaks against."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from overread.cases.case import Case
from overread.cases.patients.names import MOST_PATIENTS, candidates
from overread.cases.patients.numbering import compare_numbering
from overread.cases.patients.pattern import PatientPattern, match_patients

# Fewer groups, or one with more of the images, or of those of a class, are kinds, batches or places, not patients.
_FEWEST_OF_KIND = 4
_LARGEST_SHARE, _LARGEST_OF_CLASS = 0.25, 0.5
# Of the groups of copies so many may lie under two patients, as a file that was copied under a wrong name does.
_FEW = 0.05
_MOST_KINDS = 20
_MOST = 0.8
_NUMBER, _WORD, _SEPARATOR = re.compile(r"\d+"), re.compile(r"[^\W\d_]+"), re.compile(r"[\W_]+")


def suggest_patients(cases: Sequence[Case], *, one_label: bool = True) -> PatientPattern | None:
    """Find a pattern that takes the patients from the file names; None where none is sure.

    Its groups look like patients: there are many, each is small, and every class and side has several. It breaks apart
    neither copies (see `Case.group`) nor names with a common stem, such as IM-0011-0001 and IM-0011-0001-0002. Where
    names of several kinds (other words, classes or sides) share numbers, it takes them as one patient only where the
    numbers show one numbering, and as several only where they show several; where they show neither, no pattern is
    sure. A name that adds nothing but words to another, as that of a mask does, makes no patient.

    Args:
        cases: with their names, sides and groups of copies.
        one_label: each case is of one class, and few classes are. What a case shows of several says nothing of names.
    """
    whole = cases
    cases = [dataclasses.replace(case.parts[0], label=case.label if one_label else "") for case in cases]
    names = _names_alone(cases)
    pictures = [cases[i] for i in names]
    for pattern in candidates(pictures):
        keys = [key for key in match_patients(pattern, cases) if key]
        fits = len(keys) == len(cases) and all(match_patients(pattern, whole))
        if fits and _holds(pictures, [keys[i] for i in names]):
            return PatientPattern.of(pattern, cases, keys)
    return None


def suggest_sources(cases: Sequence[Case]) -> PatientPattern | None:
    """Find a pattern whose matches are the groups of copies, as the names of augmented files often tell their source.

    None where no part of the names does. Of several the finest is taken.

    Args:
        cases: with their groups (see `Case.group`), of which some may be missing or incomplete.
    """
    found = []
    for pattern in candidates(cases):
        keys = [key for key in match_patients(pattern, cases) if key]
        if len(keys) == len(cases) and not _breaks_copies(cases, keys) and _are_copies(cases, keys):
            found.append(PatientPattern.of(pattern, cases, keys))
    return max(found, key=lambda pattern: pattern.patients, default=None)


def _are_copies(cases: Sequence[Case], keys: Sequence[str]) -> bool:
    """Whether most of the keys that several images have join some that are copies of one another."""
    groups = defaultdict(list)
    for case, key in zip(cases, keys, strict=True):
        groups[key].append(case.group)
    several = [Counter(filter(None, found)) for found in groups.values() if len(found) > 1]
    alike = sum(any(number > 1 for number in found.values()) for found in several)
    return alike > len(several) / 2


def _names_alone(cases: Sequence[Case]) -> list[int]:
    """Positions of the names that do not go on after another of their folder by words alone."""
    places = [(case.name.rpartition("/")[0], case.path.stem) for case in cases]
    known = set(places)
    return [
        i
        for i, (folder, stem) in enumerate(places)
        if not any(
            (folder, stem[: separator.start()]) in known and not _NUMBER.search(stem, separator.start())
            for separator in _SEPARATOR.finditer(stem)
        )
    ]


def _holds(cases: Sequence[Case], keys: Sequence[str]) -> bool:
    return (
        _look_like_patients(cases, keys)
        and not _breaks_copies(cases, keys)
        and not _breaks_stems(cases, keys)
        and _fits_the_numbers(cases, keys)
    )


def _look_like_patients(cases: Sequence[Case], keys: Sequence[str]) -> bool:
    """Whether the groups are many, small and spread over classes and sides; classes and batches are not."""
    sizes = Counter(keys)
    classes, sides = ([getattr(case, name) for case in cases] for name in ("label", "split"))
    return (
        _FEWEST_OF_KIND * len(set(classes)) <= len(sizes) <= MOST_PATIENTS * len(cases)
        and max(sizes.values()) <= _LARGEST_SHARE * len(cases)
        and all(max(found.values()) <= max(1, _LARGEST_OF_CLASS * found.total()) for found in _within(classes, keys))
        and all(
            len(found) >= min(_FEWEST_OF_KIND, found.total())
            for found in (*_within(classes, keys), *_within(sides, keys))
        )
    )


def _within(kinds: Sequence[str | None], keys: Sequence[str]) -> list[Counter[str]]:
    """How many images each group has in each class, or on each side."""
    found: dict[str | None, Counter[str]] = defaultdict(Counter)
    for kind, key in zip(kinds, keys, strict=True):
        found[kind][key] += 1
    return list(found.values())


def _breaks_copies(cases: Sequence[Case], keys: Sequence[str]) -> bool:
    patients = defaultdict(set)
    for case, key in zip(cases, keys, strict=True):
        if case.group:
            patients[case.group].add(key)
    return sum(len(found) > 1 for found in patients.values()) > _FEW * len(patients)


def _breaks_stems(cases: Sequence[Case], keys: Sequence[str]) -> bool:
    """Whether a name, and one that goes on after it, are of two patients."""
    places = ((case.name.rpartition("/")[0], case.path.stem) for case in cases)
    key_of = dict(zip(places, keys, strict=True))
    return any(
        key_of.get((folder, stem[: separator.start()]), key) != key
        for (folder, stem), key in key_of.items()
        for separator in _SEPARATOR.finditer(stem)
    )


class _Kind:
    """Images of one kind: the key of each patient's number, and the numbers of his images."""

    def __init__(self) -> None:
        self.keys: dict[int, str] = {}
        self.images: dict[int, set[int]] = defaultdict(set)

    def add(self, case: Case, key: str) -> None:
        """Take one more image."""
        if numbers := _NUMBER.findall(key):
            number = int(numbers[-1])
            self.keys[number] = key
            self.images[number].add(int((_NUMBER.findall(case.path.stem) or "0")[-1]))


def _fits_the_numbers(cases: Sequence[Case], keys: Sequence[str]) -> bool:
    """Whether kinds of images that share numbers are one numbering where the keys are one, and several where not."""
    words = [" ".join(sorted(set(_WORD.findall(case.path.stem)))) for case in cases]
    labels, members = defaultdict(set), defaultdict(list)
    for i, (word, case) in enumerate(zip(words, cases, strict=True)):
        labels[word].add(case.label)
        members[word].append(i)
    for (one, first), (other, second) in itertools.combinations(_kinds(words, cases, keys).items(), 2):
        tied = not labels[one] & labels[other]
        found = compare_numbering(first.keys, second.keys)
        if not _agree(first, second, tied=tied) and not (tied and _are_apart(first, second) and not found.paired):
            return False
    return all(_fits_within(cases, keys, rows) for rows in members.values())


def _fits_within(cases: Sequence[Case], keys: Sequence[str], rows: Sequence[int]) -> bool:
    """Whether that holds among names with the same words: for their classes, and for their sides."""
    some, their = [cases[i] for i in rows], [keys[i] for i in rows]
    for values in ([case.label for case in some], [case.split or "" for case in some]):
        kinds = _kinds(values, some, their).values()
        counted_on = _count_on(kinds)
        for first, second in itertools.combinations(kinds, 2):
            if not _agree(first, second, tied=True, counted_on=counted_on):
                return False
    return True


def _kinds(values: Sequence[str], cases: Sequence[Case], keys: Sequence[str]) -> dict[str, _Kind]:
    """The most frequent kinds, of those whose keys have numbers."""
    found = {value: _Kind() for value, _ in Counter(values).most_common(_MOST_KINDS)}
    for value, case, key in zip(values, cases, keys, strict=True):
        if value in found:
            found[value].add(case, key)
    return {value: kind for value, kind in found.items() if kind.keys}


def _agree(first: _Kind, second: _Kind, *, tied: bool, counted_on: bool = False) -> bool:
    """Whether two kinds of images, whose patients share numbers, are rightly one numbering, or two.

    Args:
        first: one kind.
        second: the other.
        tied: whether the kind tells the class or the side, so that each may have been numbered by itself.
        counted_on: whether the images of a patient are numbered on from one kind to the next.
    """
    if not first.keys.keys() & second.keys.keys():
        return True
    apart = _are_apart(first, second)
    found = compare_numbering(first.keys, second.keys)
    if counted_on:
        return not apart
    if found.paired:
        return not apart and not (tied and found.from_one)
    if found.gapless and found.ends_early:
        return apart
    return not apart and tied and not found.from_one


def _are_apart(first: _Kind, second: _Kind) -> bool:
    """Whether the same number is another patient in either kind."""
    return all(first.keys[number] != second.keys[number] for number in first.keys.keys() & second.keys.keys())


def _count_on(kinds: Collection[_Kind]) -> bool:
    """Whether the images of most patients of two kinds or more are numbered on from one kind to the next.

    Those of a patient then have the numbers from 0 or 1, each once, as they would not if he were another in each kind.
    """
    shared = Counter(number for kind in kinds for number in kind.keys)
    several = [number for number, count in shared.items() if count > 1]
    on = 0
    for number in several:
        images = sorted(itertools.chain.from_iterable(kind.images[number] for kind in kinds))
        on += images[0] <= 1 and images == list(range(images[0], images[0] + len(images)))
    return on >= _MOST * len(several)
