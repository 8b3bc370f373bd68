"""Patterns that file names may be read by: a word such as "patient" with its number, or what names begin with."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from overread.cases.case import SPLIT_ALIASES, Case
from overread.cases.patients.pattern import path_of

_PATIENT = ("case", "participant", "pat", "patient", "person", "pid", "pt", "pts", "sub", "subj", "subject")
# A number after one of these counts images, places in one or storage, not patients.
_COUNTER = {
    *("frame", "image", "images", "img", "imgs", "page", "photo", "pic", "picture", "slice", "view"),
    *("aug", "copy", "crop", "col", "column", "h", "patch", "row", "tile", "w", "x", "y", "z"),
    *("batch", "chunk", "fold", "part", "set", "shard", "split", "step"),
}
_MOST_FAMILIES, _MOST_WORDS = 6, 6
# Of the images; more patients number the images.
MOST_PATIENTS = 0.95
_DATE = re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_PART = re.compile(r"([\W_]*)([^\W\d_]*)(\d*)")
_PATIENT_NUMBER = re.compile(
    rf"(?<![^\W\d_])({'|'.join(sorted(_PATIENT, reverse=True))})([\W_]{{0,2}})(?=\d)", re.IGNORECASE
)


class Part(NamedTuple):
    """A piece of a name: what separates it from the one before, a word and a number; each may be empty."""

    separator: str
    word: str
    number: str


def parts_of(text: str) -> list[Part]:
    """Cut a name into its pieces: "IM-0011-0001" into IM, -0011 and -0001."""
    return [Part(*found) for match in _PART.finditer(text) if any(found := match.groups())]


def candidates(cases: Sequence[Case]) -> Iterator[str]:
    """Patterns to be checked: those over file names first, then those over the folders below the one of the class.

    Each is followed by the same for patients who are numbered anew in every class.
    """
    stems = [case.path.stem for case in cases]
    for found in _named(stems):
        yield from (found, f"([^/]+)/[^/]*({found})[^/]*$")
    for prefix in _prefixes(stems):
        yield from (f"^{prefix}", f"([^/]+)/({prefix})[^/]*$")
    folders = [_below_class(case) for case in cases]
    if not all(folders):
        return
    for found in _named(folders):
        yield from (f"({found})[^/]*/", f"([^/]+)/({found})[^/]*/")
    depth = folders[0].count("/")
    if all(folder.count("/") == depth for folder in folders):
        for prefix in _prefixes([f"{folder}/" for folder in folders]):
            rest = rf"[^/]*(?:/[^/]*){{{depth + 1 - prefix.count('/')}}}$"
            yield from (f"(?:^|/)({prefix}){rest}", f"([^/]+)/({prefix}){rest}")


def _below_class(case: Case) -> str:
    """The folders below that of the class, without those of a side."""
    folders = path_of(case).split("/")[:-1]
    if case.label in folders:
        folders = folders[folders.index(case.label) + 1 :]
    return "/".join(folder for folder in folders if folder.lower() not in SPLIT_ALIASES)


def _named(texts: Sequence[str]) -> Iterator[str]:
    """A number after a word for a patient, where every name has one."""
    found = [_PATIENT_NUMBER.search(text) for text in texts]
    if all(found):
        yield _expression([Part("", match[1], "") for match in found if match]) + (
            _literal({match[2] for match in found if match}) + r"\d+"
        )


def _prefixes(texts: Sequence[str]) -> Iterator[str]:
    """What names begin with: the shortest that tells many groups, and the longer ones."""
    families: dict[str, list[list[Part]]] = defaultdict(list)
    for parts in map(parts_of, texts):
        families[parts[0].word].append(parts)
    if len(families) > _MOST_FAMILIES:
        return
    choices = [list(_expressions(members)) for _, members in sorted(families.items())]
    if not all(choices):
        return
    for level in range(max(map(len, choices))):
        chosen = dict.fromkeys(found[min(level, len(found) - 1)] for found in choices)
        yield next(iter(chosen)) if len(chosen) == 1 else f"(?:{'|'.join(chosen)})"


def _expressions(members: Sequence[Sequence[Part]]) -> Iterator[str]:
    """For names that begin with one word, expressions of their first pieces that end in many groups."""
    n = len(members)
    # Bare numbers in few large groups may be ages, days or batches.
    fewest = max(3, math.sqrt(n) / 2, 0 if members[0][0].word else n / 50)
    for depth in range(1, max(map(len, members))):
        longer = [parts for parts in members if len(parts) > depth]
        heads = Counter("".join(map("".join, parts[:depth])) for parts in members)
        if 2 * len(longer) < n or len(heads) < fewest or not _ends_a_word(longer, depth):
            continue
        if _has_finer_ids(members, depth, len(heads)):
            return
        if all(_counts_patients(parts[:depth]) for parts in members) and not _is_grid(members, depth):
            yield "".join(_expression([parts[at] for parts in members if len(parts) > at]) for at in range(depth))


def _has_finer_ids(members: Sequence[Sequence[Part]], depth: int, groups: int) -> bool:
    """Whether a later number tells finer groups by itself: a patient's after that of a scanner, or an exam's."""
    for at in range(depth, max(map(len, members))):
        finer = {("".join(map("".join, parts[:depth])), parts[at].number) for parts in members if len(parts) > at}
        if 1.05 * groups < len(finer) == len({number for _, number in finer}) <= MOST_PATIENTS * len(members):
            return True
    return False


def _ends_a_word(longer: Sequence[Sequence[Part]], depth: int) -> bool:
    """Whether the names can be cut before this piece: at a separator, or before a word that all have."""
    following = {parts[depth][:2] for parts in longer}
    return all(separator for separator, _ in following) or len(following) == 1


def _counts_patients(head: Sequence[Part]) -> bool:
    """Whether the last number in a name's beginning may be a patient's: not an image's, nor a date."""
    last = max((at for at, part in enumerate(head) if part.number), default=None)
    if last is None or _DATE.fullmatch(head[last].number):
        return False
    words = [part.word.lower() for part in head[: last + 1] if part.word]
    return not words or words[-1] not in _COUNTER


def _is_grid(members: Sequence[Sequence[Part]], depth: int) -> bool:
    """Whether the last numbers are all multiples of one, as the places of tiles are."""
    numbers = {int(found[-1]) for parts in members if (found := [p.number for p in parts[:depth] if p.number])}
    return len(numbers) >= 3 and math.gcd(*numbers) >= 8


def _expression(pieces: Sequence[Part]) -> str:
    """An expression that matches one piece of every name."""
    separators, words, numbers = (sorted(set(column)) for column in zip(*pieces, strict=True))
    said = _literal(set(separators))
    if len(words) == 1:
        said += words[0]
    elif len(words) <= _MOST_WORDS and all(words):
        said += f"(?:{'|'.join(words)})"
    else:
        said += r"[^\W\d_]*"
    if len(numbers) == 1:
        return said + numbers[0]
    return said + (r"\d+" if all(numbers) else r"\d*")


def _literal(separators: set[str]) -> str:
    """An expression for what separates two pieces."""
    return re.escape(*separators).replace(r"\-", "-") if len(separators) == 1 else r"[\W_]*"
