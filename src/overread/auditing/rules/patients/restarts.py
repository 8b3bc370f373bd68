"""Ids that restart: patient 12 of one class or sub-type is another person than patient 12 of the other."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from overread.auditing.finding import Finding
from overread.auditing.material import Material
from overread.auditing.rules.patients.identities import on_two_sides
from overread.cases import Manifest
from overread.cases.patients import compare_numbering
from overread.errors import InvalidData

_MOST_KINDS, _FEWEST_SHARED = 20, 10
_MOST_PAIRS, _BATCH, _CELLS, _MOST_SHAPES = 1000, 250, 32, 5
# Images of one person resemble each other across kinds by at least this part of what they do within a kind.
_CLEARLY = 0.1
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_BY_NAME, _BY_CLASS, _NO_WORD = "file name", "class", "no such word"
_EACH = "one of each kind"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Likeness:
    """Mean correlation of two thumbnails of one id and of two ids, and the 95 % interval of the difference."""

    pairs: int
    same: float
    strangers: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Restart:
    """Ids that seem to be given twice.

    Args:
        column: what makes the kinds: the file name, the class, a column or the side.
        kinds: within which patients seem to be numbered.
        between: the two kinds that share most ids, in words.
        shared: how many ids these two share.
        end_ratio: the last number of one by the last of the other; 1 where they end alike.
        likeness: of two images of one id, within a kind and across the two.
        keys: of each case, what sets the persons apart; None without an id.
    """

    column: str
    kinds: tuple[str, ...]
    between: str
    shared: int
    end_ratio: float
    likeness: Mapping[str, _Likeness | None]
    keys: tuple[str | None, ...]


def find_restart(material: Material) -> Restart | None:
    """Find the kinds of images between which the numbering of patients restarts; None where it does not."""
    cases = material.manifest.cases
    for column, kinds in _kinds(material.manifest):
        if not 2 <= len(set(kinds) - {""}) <= _MOST_KINDS:
            continue
        images: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for i, (case, kind) in enumerate(zip(cases, kinds, strict=True)):
            if case.patient_id and kind:
                images[kind][case.patient_id].append(i)
        pairs = itertools.combinations(sorted(images), 2)
        first, second = max(
            pairs, key=lambda pair: len(images[pair[0]].keys() & images[pair[1]].keys()), default=("", "")
        )
        shared = sorted(images[first].keys() & images[second].keys())
        if len(shared) < max(_FEWEST_SHARED, min(len(images[first]), len(images[second])) / 2):
            continue
        numbers = _numbers_in(images[first]), _numbers_in(images[second])
        if not all(numbers):
            continue
        found = compare_numbering(*numbers)
        if not found.gapless or not (found.ends_early or column == _BY_CLASS):
            continue
        across = _likeness(material, [(images[first][i][0], images[second][i][0]) for i in shared])
        of_one = [group for kind in (first, second) for group in images[kind].values() if len(group) > 1]
        within = _likeness(material, [(group[0], group[1]) for group in of_one])
        if not _one_person(across, within):
            return Restart(
                column=column,
                kinds=tuple(images),
                between=_name_kinds(first, second, column),
                shared=len(shared),
                end_ratio=found.end_ratio if found.ends_early else 1.0,
                likeness={"of one kind": within, _EACH: across},
                keys=tuple(case.patient_id and f"{k} {case.patient_id}" for k, case in zip(kinds, cases, strict=True)),
            )
    return None


def _kinds(manifest: Manifest) -> Iterator[tuple[str, list[str]]]:
    """What patients may be numbered within: file names with other words, classes, columns, sides."""
    words = [set(_LETTERS.findall(c.path.stem)) - set(_LETTERS.findall(c.patient_id or "")) for c in manifest.cases]
    yield _BY_NAME, [" ".join(sorted(found)) or _NO_WORD for found in words]
    if manifest.task.exclusive:
        yield _BY_CLASS, [case.label for case in manifest.cases]
    for column in manifest.columns:
        yield column, [case.extra.get(column, "") for case in manifest.cases]
    yield "split", [case.split or "" for case in manifest.cases]


def _numbers_in(ids: Iterable[str]) -> set[int]:
    """The last number of each id that has one."""
    return {int(found[-1]) for i in ids if (found := _DIGITS.findall(i))}


def _one_person(across: _Likeness | None, within: _Likeness | None) -> bool:
    if across is None or across.low <= 0:
        return False
    return within is None or across.same - across.strangers > _CLEARLY * (within.same - within.strangers)


def _likeness(material: Material, pairs: Sequence[tuple[int, int]]) -> _Likeness | None:
    """Compare images of one id with those of the next id; None for less than ten readable pairs."""
    place = {int(position): i for i, position in enumerate(material.readable)}
    found = [(place[a], place[b]) for a, b in pairs if a in place and b in place]
    found = [found[i] for i in np.linspace(0, len(found) - 1, min(len(found), _MOST_PAIRS)).astype(int)]
    if len(found) < _FEWEST_SHARED:
        return None
    first, second = (_thumbnails(material, [pair[side] for pair in found]) for side in (0, 1))
    same, strangers = (first * second).sum(1), (first * np.roll(second, 1, axis=0)).sum(1)
    gain, error = (same - strangers).mean(), (same - strangers).std(ddof=1) / math.sqrt(len(found))
    return _Likeness(
        pairs=len(found),
        same=float(same.mean()),
        strangers=float(strangers.mean()),
        low=float(gain - 1.96 * error),
        high=float(gain + 1.96 * error),
    )


def _thumbnails(material: Material, positions: Sequence[int]) -> np.ndarray:
    """`(k, cells)` of mean 0 and length 1."""
    small = []
    for start in range(0, len(positions), _BATCH):
        pixels = material.data_set.pixels(positions[start : start + _BATCH])
        count, height, width, channels = pixels.shape
        y, x = max(1, height // _CELLS), max(1, width // _CELLS)
        lines = pixels[:, : height // y * y].reshape(count, height // y, y, -1).sum(2, dtype=np.float32)
        lines = lines[:, :, : width // x * x * channels].reshape(count, height // y, width // x, x, channels)
        small.append(lines.sum(3).reshape(count, -1))
    rows = np.concatenate(small)
    rows -= rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


def _name_kinds(first: str, second: str, column: str) -> str:
    """Name two kinds by what they do not share."""
    if column == _BY_NAME:
        own = [set(first.split()) - set(second.split()), set(second.split()) - set(first.split())]
        first, second = (" ".join(sorted(words)) or _NO_WORD for words in own)
    return f"{first} and {second} (by {column})"


def restart_finding(manifest: Manifest, restart: Restart) -> Finding:
    """Put what was found into words."""
    reasons = "both are numbered without gaps"
    if restart.end_ratio < 1:
        reasons = f"the numbers of one end at {100 * restart.end_ratio:.0f} % of those of the other"
    across = restart.likeness[_EACH]
    if across is not None:
        reasons += (
            f", and two images of one id, one of each, are hardly more alike than two of strangers (mean correlation "
            f"{across.same:.2f} and {across.strangers:.2f}, {across.pairs:,} pairs)"
        )
    rows = [
        {
            "two images of one id": what,
            "pairs": str(found.pairs),
            "mean correlation": f"{found.same:.3f}",
            "of strangers": f"{found.strangers:.3f}",
            "difference (95 % interval)": f"{found.low:+.3f} to {found.high:+.3f}",
        }
        for what, found in restart.likeness.items()
        if found is not None
    ]
    return Finding(
        code="patient-ids-restart",
        severity="warn",
        sentence=f"{restart.shared:,} patient ids occur in both {restart.between}, but the numbering seems to start "
        f"anew in each, so that one id stands for two persons: {reasons}.",
        fix=_separating(manifest, restart),
        count=restart.shared,
        evidence=tuple(rows),
    )


def _separating(manifest: Manifest, restart: Restart) -> str:
    """Say how to give each person one id: by a pattern over file names if one does exactly that."""
    known = {case.patient_id for case in manifest.cases if case.patient_id}
    shapes = Counter(re.escape(_DIGITS.sub("0", i)).replace(r"\-", "-").replace("0", r"\d+") for i in known)
    words = "|".join(sorted({word for kind in restart.kinds if kind != _NO_WORD for word in kind.split()}))
    # A shape that one id alone has may be the name of a person.
    if restart.column == _BY_NAME and len(shapes) <= _MOST_SHAPES and min(shapes.values()) > 1:
        ids = "|".join(sorted(shapes, key=len, reverse=True))
        for pattern in (f"({ids})(?:.*?({words}))?", f"(?:({words}).*?)?({ids})"):
            with contextlib.suppress(InvalidData):
                found = [case.patient_id for case in manifest.with_patient_pattern(pattern).cases]
                if len(set(found)) == len(set(restart.keys)) == len(set(zip(found, restart.keys, strict=True))):
                    crossing = len(on_two_sides(manifest, found))
                    return (
                        f"Try --patient-pattern '{pattern}': it tells them apart and finds {len(set(found)):,} "
                        f"patients, {crossing:,} of them on two sides. If the ids are right, nothing need be done."
                    )
    return (
        "If they are different persons, let the ids say so: write the kind before the number in the column patient_id, "
        "such as a-12 and b-12. If the ids are right, nothing need be done."
    )
