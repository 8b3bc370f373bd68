"""Whose images these are: patients on two sides, ids that cannot be right, splits that cannot be made."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from overread.audit.finding import Finding
from overread.audit.material import Material
from overread.cases import SPLITS, Manifest, pseudonym, split_cases
from overread.errors import InvalidData

PATIENTS_OF_EACH_CLASS = 3  # train, validation and test each need one
_ONE_EACH = 0.98
_MOST_KINDS, _FEWEST_SHARED, _GAPLESS, _UNLIKELY = 20, 10, 0.6, math.log(1e-3)
_MOST_PAIRS, _BATCH, _CELLS, _MOST_SHAPES = 1000, 250, 32, 5
# Images of one person resemble each other across kinds by at least this part of what they do within a kind.
_CLEARLY = 0.1
_DIGITS, _LETTERS = re.compile(r"\d+"), re.compile(r"[^\W\d_]+")
_BY_NAME, _BY_CLASS, _NO_WORD = "file name", "class", "no such word"
_EACH = "one of each kind"
_RULE = "all images of a patient must be on one side"


def find_patient_problems(material: Material) -> list[Finding]:
    """Find patients on two sides, ids that are missing or cannot be right, and a split that cannot be made.

    Ids restart where a study numbers its patients from 1 in each class, sub-type or side: patient 12 of one is then
    another person than patient 12 of the other. It shows in the numbers, if those of one kind end well before those
    of the other, or if two classes are both numbered without gaps; but where the images of one id look alike across
    the kinds, they are taken to be of one person.

    Returns:
        Findings of the codes `patient-across-splits`, `one-patient-id`, `impossible-split`, `split-incomplete`
        (block), `patient-ids-missing`, `patient-ids-one-per-image` and `patient-ids-restart` (warn).
    """
    manifest = material.manifest
    if manifest.has_patients and len(_images_of(manifest)) == 1:
        return [_one_patient(manifest)]
    restart = _find_restart(material)
    found = [
        _across_splits(manifest, restart),
        _impossible_split(manifest),
        _missing_ids(manifest),
        _one_per_image(manifest),
        restart and _restart_finding(manifest, restart),
    ]
    return [finding for finding in found if finding]


def _images_of(manifest: Manifest) -> dict[str, list[int]]:
    images = defaultdict(list)
    for i, case in enumerate(manifest.cases):
        if case.patient_id:
            images[case.patient_id].append(i)
    return images


def _on_two_sides(manifest: Manifest, keys: Sequence[str | None]) -> list[tuple[int, ...]]:
    """The images of each key that has them on more than one side."""
    images = defaultdict(list)
    for i, (case, key) in enumerate(zip(manifest.cases, keys, strict=True)):
        if key and case.split:
            images[key].append(i)
    return [tuple(group) for group in images.values() if len({manifest.cases[i].split for i in group}) > 1]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _across_splits(manifest: Manifest, restart: _Restart | None) -> Finding | None:
    groups = _on_two_sides(manifest, [case.patient_id for case in manifest.cases])
    if not groups:
        return None
    sentence = (
        f"{_count(len(groups), 'patient')}, with {_count(sum(map(len, groups)), 'image')} in all, can be seen on more "
        "than one side of the split: the network would be tested on patients that it has learnt by heart, which "
        "flatters the result."
    )
    fix = f"Move each of these patients to one side, for {_RULE}."
    if restart is not None:
        left = len(_on_two_sides(manifest, restart.keys))
        sentence += (
            " It may come from patient numbers that start anew: with "
            f"{restart.told} told apart, {left:,} of these patients are left."
        )
        fix = f"First correct the patient ids, see patient-ids-restart. {fix}"
    rows = []
    for group in groups:
        row = {"patient": pseudonym(manifest.cases[group[0]].patient_id)}
        for side in SPLITS:
            if names := [manifest.cases[i].name for i in group if manifest.cases[i].split == side]:
                row[side] = f"{_count(len(names), 'image')}, such as {names[0]}"
        rows.append(row)
    return Finding(
        code="patient-across-splits",
        severity="block",
        sentence=sentence,
        fix=fix,
        count=len(groups),
        evidence=tuple(rows),
        groups=tuple(groups),
    )


def _one_patient(manifest: Manifest) -> Finding:
    return Finding(
        code="one-patient-id",
        severity="block",
        sentence=f"All {len(manifest):,} images have the same patient id: either one id was filled in everywhere, or "
        "the study has one patient, and a result on one patient says nothing about the next.",
        fix=_naming(manifest, "Give each image the id of its own patient")
        + f" At least {PATIENTS_OF_EACH_CLASS} patients with each class are needed: to train, to validate and to test.",
        count=len(manifest),
    )


def _missing_ids(manifest: Manifest) -> Finding | None:
    missing = [case.name for case in manifest.cases if not case.patient_id]
    if not missing:
        return None
    every = len(missing) == len(manifest)
    sentence = (
        f"{'None' if every else f'{len(missing):,}'} of {len(manifest):,} images {'names its' if every else 'name no'} "
        "patient: each counts as a patient of its own, so images of one patient may stand on two sides of the split "
        "and flatter the result."
    )
    if (pattern := manifest.suggested_patient_pattern()) is not None:
        named = manifest.with_patient_pattern(pattern)
        sentence += f" By their names the files fall into {len(_images_of(named)):,} groups that may be patients"
        crossing = len(_on_two_sides(named, [case.patient_id for case in named.cases]))
        sentence += f", {crossing:,} of which stand on two sides." if crossing else "."
    return Finding(
        code="patient-ids-missing",
        severity="warn",
        sentence=sentence,
        fix=_naming(manifest, "Name the patients"),
        count=len(missing),
        evidence=tuple({"image": name} for name in missing),
    )


def _one_per_image(manifest: Manifest) -> Finding | None:
    patients = len(_images_of(manifest))
    pattern = manifest.suggested_patient_pattern()
    if not manifest.has_patients or patients < _ONE_EACH * len(manifest) or pattern is None:
        return None
    groups = len(_images_of(manifest.with_patient_pattern(pattern)))
    return Finding(
        code="patient-ids-one-per-image",
        severity="warn",
        sentence=f"The {len(manifest):,} images name {patients:,} patients, but by their names the files fall into "
        f"{groups:,} groups: if these are the patients, the ids merely number the images, and images of one patient "
        "may stand on two sides of the split.",
        fix=_naming(manifest, "If each group of names is one patient, name the patients by it"),
        count=patients,
    )


def _naming(manifest: Manifest, aim: str) -> str:
    pattern = manifest.suggested_patient_pattern()
    how = f"by --patient-pattern '{pattern}', which fits the file names" if pattern else "by --patient-pattern"
    return f"{aim}: in the column patient_id of a CSV, or {how}."


def _impossible_split(manifest: Manifest) -> Finding | None:
    try:
        split_cases(manifest)
        return None
    except InvalidData:
        sides = Counter(case.split for case in manifest.cases)
    if sides[None] and len(sides) > 1:
        return Finding(
            code="split-incomplete",
            severity="block",
            sentence=f"{sides[None]:,} of {len(manifest):,} images name no side of the split while the others do, so "
            "that it cannot be told what may be trained on.",
            fix="Give every image one of train, val and test, or none of them.",
            count=sides[None],
        )
    images, patients, placed = Counter[str](), defaultdict(set), set()
    for i, case in enumerate(manifest.cases):
        images[case.label] += 1
        patients[case.label].add(case.patient_id or f"/{i}")
        placed.add((case.split, case.label))
    absent = [f"{s} has no {name}" for s in SPLITS for name in images if sides[s] and (s, name) not in placed]
    noun = "patient" if manifest.has_patients else "image"
    rows = [{"class": name, "images": str(images[name]), f"{noun}s": str(len(patients[name]))} for name in images]
    told = [f"{_count(images[name], 'image')} of {name} from {_count(len(patients[name]), noun)}" for name in images]
    return Finding(
        code="impossible-split",
        severity="block",
        sentence=f"These data cannot be split so that training, validation and test all see every class, for {_RULE}: "
        f"{', '.join(absent + told)}. A network trained on them cannot be tested.",
        fix=f"Collect images of at least {PATIENTS_OF_EACH_CLASS} patients with each class, one for each side, and of "
        "many more for a result to rely on; where the data name the sides, deal the patients to them anew.",
        count=len(absent) or sum(len(found) < PATIENTS_OF_EACH_CLASS for found in patients.values()) or len(images),
        evidence=tuple(rows),
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Likeness:
    """Mean correlation of two thumbnails of one id and of two ids, and the 95 % interval of the difference."""

    pairs: int
    same: float
    strangers: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Restart:
    """Ids that seem to be given twice: in which kinds, with what evidence, and keys that set the persons apart."""

    column: str
    kinds: tuple[str, ...]
    told: str
    shared: int
    reach: float
    likeness: Mapping[str, _Likeness | None]
    keys: tuple[str | None, ...]


def _find_restart(material: Material) -> _Restart | None:
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
        ends_early, reach = _compare_numbers(images[first], images[second])
        if reach is None or not (ends_early or column == _BY_CLASS):
            continue
        across = _likeness(material, [(images[first][i][0], images[second][i][0]) for i in shared])
        of_one = [group for kind in (first, second) for group in images[kind].values() if len(group) > 1]
        within = _likeness(material, [(group[0], group[1]) for group in of_one])
        if not _one_person(across, within):
            return _Restart(
                column=column,
                kinds=tuple(images),
                told=_told(first, second, column),
                shared=len(shared),
                reach=reach if ends_early else 1.0,
                likeness={"of one kind": within, _EACH: across},
                keys=tuple(case.patient_id and f"{k} {case.patient_id}" for k, case in zip(kinds, cases, strict=True)),
            )
    return None


def _kinds(manifest: Manifest) -> Iterator[tuple[str, list[str]]]:
    """What patients may be numbered within: file names with other words, classes, columns, sides."""
    words = [set(_LETTERS.findall(c.path.stem)) - set(_LETTERS.findall(c.patient_id or "")) for c in manifest.cases]
    yield _BY_NAME, [" ".join(sorted(found)) or _NO_WORD for found in words]
    yield _BY_CLASS, [case.label for case in manifest.cases]
    for column in manifest.columns:
        yield column, [case.extra.get(column, "") for case in manifest.cases]
    yield "split", [case.split or "" for case in manifest.cases]


def _compare_numbers(first: Iterable[str], second: Iterable[str]) -> tuple[bool, float | None]:
    """Whether the numbers of one kind end earlier than chance allows, and at which part; None if they have gaps."""
    ends = []
    for ids in (first, second):
        numbers = {int(found[-1]) for i in ids if (found := _DIGITS.findall(i))}
        if not numbers or len(numbers) < _GAPLESS * (max(numbers) - min(numbers) + 1):
            return False, None
        ends.append((max(numbers), len(numbers)))
    (end, count), (last, _) = sorted(ends)
    # Were the numbers shared, all `count` of them would have to lie below `end` by chance.
    return count * math.log(max(end, 1) / max(last, 1)) < _UNLIKELY, end / max(last, 1)


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


def _told(first: str, second: str, column: str) -> str:
    """Name two kinds by what they do not share."""
    if column == _BY_NAME:
        own = [set(first.split()) - set(second.split()), set(second.split()) - set(first.split())]
        first, second = (" ".join(sorted(words)) or _NO_WORD for words in own)
    return f"{first} and {second} (by {column})"


def _restart_finding(manifest: Manifest, restart: _Restart) -> Finding:
    reasons = "both are numbered without gaps"
    if restart.reach < 1:
        reasons = f"the numbers of one end at {100 * restart.reach:.0f} % of those of the other"
    across = restart.likeness[_EACH]
    if across is not None:
        reasons += (
            f", and two images of one id, one of each, are no more alike than two of strangers (mean correlation "
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
        sentence=f"{restart.shared:,} patient ids occur in both {restart.told}, but the numbering seems to start anew "
        f"in each, so that one id stands for two persons: {reasons}.",
        fix=_separating(manifest, restart),
        count=restart.shared,
        evidence=tuple(rows),
    )


def _separating(manifest: Manifest, restart: _Restart) -> str:
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
                    crossing = len(_on_two_sides(manifest, found))
                    return (
                        f"Try --patient-pattern '{pattern}': it tells them apart and finds {len(set(found)):,} "
                        f"patients, {crossing:,} of them on two sides. If the ids are right, nothing need be done."
                    )
    return (
        "If they are different persons, let the ids say so: write the kind before the number in the column patient_id, "
        "such as a-12 and b-12. If the ids are right, nothing need be done."
    )
