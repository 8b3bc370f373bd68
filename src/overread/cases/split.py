"""Train, validation and test sides: by patient, copies together, stratified by class, seeded."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from overread.cases.case import SPLITS, Case, counts_as
from overread.cases.leaks import said_of_leaks
from overread.cases.manifest import Manifest
from overread.decision import IntArray
from overread.errors import InvalidData, InvalidOption
from overread.words import count

# With fewer images of a class, a validation loss says little and one image moves sensitivity by 5 points.
MIN_VALIDATION_PER_CLASS = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Split:
    """A manifest in which every case has its side, and what the reader of the result should know about it.

    `parts` holds the same cases as each network is to see them, with a validation side of its own: one manifest, or one
    a fold, where `manifest` itself has a train and a test side only.
    """

    manifest: Manifest
    parts: tuple[Manifest, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that have images."""
        present = {case.split for case in self.manifest.cases}
        return tuple(side for side in SPLITS if side in present)

    def counts(self) -> dict[str, dict[str, int]]:
        """Images of each class on each side: `{split: {class: images}}`."""
        pairs = zip(self.manifest.cases, self.manifest.shown, strict=True)
        found = Counter((case.split, name) for case, shown in pairs for name in shown)
        return {split: {name: found[split, name] for name in self.manifest.classes} for split in self.sides}

    def sizes(self) -> dict[str, int]:
        """Images on each side."""
        return {split: len(self.manifest.select(split)) for split in self.sides}

    def patients(self) -> dict[str, int]:
        """Patients on each side; where none is named, an image counts as one, together with its copies."""
        cases = self.manifest.cases
        return {split: len({cases[i].counts_as for i in self.manifest.select(split)}) for split in self.sides}


def split_cases(
    manifest: Manifest, *, validation: float = 0.15, test: float = 0.15, seed: int = 0, folds: int = 1
) -> Split:
    """Give every case a side, so that no patient and no picture is on two of them.

    Sides that the data name are kept, even where copies lie on two of them. Of those that are missing, test and then
    validation are carved from the rest; a given validation side with fewer than 20 images of a class is returned to
    train and carved anew when that makes it at least twice as large. Carving keeps a patient's images together, and
    patients who share a picture (see `Case.group`) as if they were one; each class comes near its share.

    With several folds there is no validation side for all: what is not in test, a given validation side included, is
    dealt to the folds likewise, and each is the validation side of one part.

    Args:
        manifest: the cases; those without a patient count as patients of their own, which is warned of.
        validation: fraction of all images that are not in a given test side.
        test: fraction of all images.
        seed: of the order in which patients of equal size are dealt.
        folds: 1 to 20.

    Raises:
        InvalidOption: a fraction outside 0 to 0.5, or a number of folds outside 1 to 20.
        InvalidData: some cases have a side and others none, or a class is absent from a side or from a fold.
    """
    for name, fraction in (("validation", validation), ("test", test)):
        if not 0 < fraction <= 0.5:
            raise InvalidOption(f"the {name} fraction {fraction!r} is outside 0 to 0.5: choose for example 0.15")
    sides = [case.split for case in manifest.cases]
    if None in sides and any(sides):
        raise InvalidData(f"{sides.count(None)} of {len(sides)} cases have no split: give each a split, or none")
    if folds != 1:
        _check_folds(folds)
    carver = _Carver(manifest, seed)
    notes = []
    if "test" not in sides:
        sides = carver.carve(sides, "test", test)
        notes.append(f"test is carved by patient ({test:.0%} of the images)")
    if folds > 1:
        sides = ["train" if side == "val" else side for side in sides]
        notes.append(f"the images outside test are dealt by patient to {folds} folds; each network leaves one out")
    elif "val" not in sides:
        sides = carver.carve(sides, "val", validation)
        notes.append(f"validation is carved from train by patient ({validation:.0%} of the images outside test)")
    elif (given := carver.smallest_class(sides)) < MIN_VALIDATION_PER_CLASS:
        pooled = ["train" if side == "val" else side for side in sides]
        carved = carver.carve(pooled, "val", validation)
        if carver.smallest_class(carved) >= 2 * given:
            notes.append(f"the given validation side has {sides.count('val')} images, too few: carved anew by patient")
            sides = carved
    if notes and (groups := {case.group for case in manifest.cases if case.group}):
        kept = count(len(groups), "group")
        notes.append(f"{kept} of identical or near-identical images: the images of each are kept on one side")
    parts = carver.deal_validation(sides, folds) if folds > 1 else [sides]
    whole, *sided = (_with_sides(manifest, given) for given in (sides, *parts))
    warnings = tuple(_warnings(manifest, sides))
    result = Split(manifest=whole, parts=tuple(sided), notes=tuple(notes), warnings=warnings)
    _refuse_absent_classes(result, carver.keys)
    return result


def _with_sides(manifest: Manifest, sides: Iterable[str | None]) -> Manifest:
    sided = [dataclasses.replace(case, split=side) for case, side in zip(manifest.cases, sides, strict=True)]
    carved = {new.split for old, new in zip(manifest.cases, sided, strict=True) if old.split != new.split != "train"}
    return dataclasses.replace(manifest.replace(sided), carved=manifest.carved | frozenset(filter(None, carved)))


def _check_folds(folds: int) -> None:
    if not 2 <= folds <= 20:
        raise InvalidOption(f"folds={folds} is outside 2 to 20: 5 and 10 are usual")


def fold_cases(manifest: Manifest, *, folds: int, seed: int = 0) -> tuple[Manifest, ...]:
    """Deal the cases to folds by patient, copies together, stratified by class; each fold is once the test side.

    A test side that the data name is left out and stays unopened; a validation side that they name is pooled with
    train, and `split_cases` carves one from the other folds.

    Args:
        manifest: the cases; those without a patient count as patients of their own.
        folds: 2 to 20.
        seed: of the order in which patients of equal size are dealt.

    Raises:
        InvalidOption: a number of folds outside 2 to 20.
        InvalidData: no case is left without the test side.
    """
    _check_folds(folds)
    pool = without_test(manifest)
    dealt = _Carver(pool, seed).deal_folds(range(len(pool)), folds)
    return tuple(
        _with_sides(pool, ("test" if chosen == fold else "train" for chosen in dealt)) for fold in range(folds)
    )


def without_test(manifest: Manifest) -> Manifest:
    """The cases that are not on a test side which the data name, and a note on the others.

    Raises:
        InvalidData: no case is left.
    """
    kept = [case for case in manifest.cases if case.split != "test"]
    left_out = len(manifest) - len(kept)
    if not left_out:
        return manifest
    return manifest.replace(kept, f"{left_out} images of the given test side are left out and stay unopened")


class _Carver:
    """Deals whole patients to a held-out side, those who share a picture as one."""

    def __init__(self, manifest: Manifest, seed: int) -> None:
        self.keys = _together(manifest.cases)
        self.strata = _strata(manifest)
        self.seed = seed

    def smallest_class(self, sides: Sequence[str | None]) -> int:
        """Images in the smallest class of the validation side."""
        held_out = np.array([side == "val" for side in sides])
        return int(self.strata[held_out].sum(axis=0).min())

    def carve(self, sides: Sequence[str | None], side: str, fraction: float) -> list[str | None]:
        """Move about `fraction` of each class from train (or from no side) to `side`.

        Patients are dealt from the largest down, each to where its classes are furthest below their share; when
        both are equal, to train.
        """
        pool = [i for i, current in enumerate(sides) if current in (None, "train")]
        result = ["train" if current is None else current for current in sides]
        for i, chosen in zip(pool, self.deal(pool, (1 - fraction, fraction), SPLITS.index(side)), strict=True):
            if chosen:
                result[i] = side
        return list(result)

    def deal_folds(self, pool: Sequence[int], folds: int) -> list[int]:
        """For each case of the pool, the fold that its patient is dealt to."""
        return self.deal(pool, [1 / folds] * folds, len(SPLITS))

    def deal_validation(self, sides: Sequence[str | None], folds: int) -> list[list[str | None]]:
        """The sides of the cases while each fold of the train side is the validation side."""
        pool = [i for i, side in enumerate(sides) if side == "train"]
        fold_of = dict(zip(pool, self.deal_folds(pool, folds), strict=True))
        return [["val" if fold_of.get(i) == fold else side for i, side in enumerate(sides)] for fold in range(folds)]

    def deal(self, pool: Sequence[int], shares: Sequence[float], stream: int) -> list[int]:
        """For each case of the pool, the share that its patient is dealt to; of equal ones, the first."""
        images = defaultdict(list)
        for i in pool:
            images[self.keys[i]].append(i)
        order = sorted(images)
        np.random.default_rng([self.seed, stream]).shuffle(order)
        order.sort(key=lambda patient: -len(images[patient]))
        total = self.strata[pool].sum(axis=0)
        target = np.maximum(total * np.array(shares)[:, None], 1e-9)
        room = target.copy()
        dealt = {}
        for patient in order:
            counts = self.strata[images[patient]].sum(axis=0)
            chosen = int((counts * room / target).sum(axis=1).argmax())
            room[chosen] -= counts
            dealt[patient] = chosen
        return [dealt[self.keys[i]] for i in pool]


def _together(cases: Sequence[Case]) -> list[str]:
    """For each case, the first of the patients who must stay on one side with its own, for they share pictures."""
    joined: dict[str, str] = {}

    def first(patient: str) -> str:
        while (before := joined.get(patient, patient)) != patient:
            patient = before
        return patient

    patients = [counts_as(case.patient_id, case.name) for case in cases]
    shown: dict[str, str] = {}
    for case, patient in zip(cases, patients, strict=True):
        if case.group:
            one, other = sorted((first(patient), first(shown.setdefault(case.group, patient))))
            joined[other] = one
    return [first(patient) for patient in patients]


def _strata(manifest: Manifest) -> IntArray:
    """`(n, K)` 1 where a case is of a class, and a further column for those that are of none, if there are any."""
    indicators = manifest.task.indicators(manifest.y_true)
    of_none = ~indicators.any(axis=1)
    return np.column_stack([indicators, of_none]) if of_none.any() else indicators


def _warnings(manifest: Manifest, sides: Iterable[str | None]) -> list[str]:
    warnings = []
    unnamed = sum(not case.patient_id for case in manifest.cases)
    if unnamed:
        warnings.append(
            f"{unnamed} of {len(manifest)} images name no patient: each counts as a patient of its own, so images of "
            "one patient may stand on both sides and flatter the result; give patient ids (CSV column patient_id, or "
            "--patient-pattern)"
        )
    spread = defaultdict(set)
    for case, side in zip(manifest.cases, sides, strict=True):
        if side:
            spread[counts_as(case.patient_id, case.name)].add(side)
    if crossing := [found for found in spread.values() if len(found) > 1]:
        stand = "stands" if len(crossing) == 1 else "stand"
        said = said_of_leaks(crossing)
        warnings.append(f"{count(len(crossing), 'patient')} {stand} on more than one given side ({said})")
    return warnings


def _refuse_absent_classes(split: Split, keys: Sequence[str]) -> None:
    folds = len(split.parts)
    for number, part in enumerate(split.parts, start=1):
        for side, name in _absent(part):
            of_folds = folds > 1 and side != "test"
            of_class = [i for i in part.of_class(name) if not (of_folds and part.cases[i].split == "test")]
            patients, whose = len({keys[i] for i in of_class}), _whose(part, of_class, keys)
            if not of_folds:
                raise InvalidData(
                    f"the {side} side has no image of class {name}: {whose}, and train, val and test each need one "
                    f"with it; collect {name} images of three patients or more, or name the sides in a CSV column split"
                )
            fewer = min(patients, folds - 1)
            raise InvalidData(
                f"with fold {number} of {folds} left out, the {side} side has no image of class {name}: outside test "
                f"{whose}; collect {name} images of {folds} patients or more, or "
                + (f"take --folds {fewer} or fewer" if fewer > 1 else "train without --folds")
            )


def _whose(part: Manifest, of_class: Sequence[int], keys: Sequence[str]) -> str:
    """Say whose images these are, and how few units are left where copies are kept together."""
    patients = len({counts_as(part.cases[i].patient_id, part.cases[i].name) for i in of_class})
    units = len({keys[i] for i in of_class})
    if units < patients and not part.has_patients:
        return f"its {len(of_class)} images show {count(units, 'picture')}, for near copies count as one"
    joined = f", whom shared pictures join to {count(units, 'group')}" if units < patients else ""
    return f"its {len(of_class)} images come from {count(patients, 'patient')}{joined}"


def _absent(part: Manifest) -> list[tuple[str, str]]:
    """The sides that show no image of a class, each with the class."""
    found = {(case.split, name) for case, shown in zip(part.cases, part.shown, strict=True) for name in shown}
    return [pair for pair in itertools.product(SPLITS, part.classes) if pair not in found]
