"""Train, validation and test sides: by patient, copies together, stratified by class or finding, seeded."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from overread.cases.carver import Carver
from overread.cases.case import SPLITS, counts_as
from overread.cases.leaks import said_of_leaks
from overread.cases.manifest import Manifest
from overread.errors import InvalidData, InvalidOption
from overread.words import count, first_of

# What follows where a side of findings has none to show.
_WITHOUT = {
    "train": "a network cannot learn what tells the two apart",
    "val": "nothing tells the operating point, which stays at 0.5",
    "test": "the result cannot be judged there",
}


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
    patients who share a picture (see `Case.group`) as if they were one; each class comes near its share. Where cases
    show any number of findings, each finding and each two of them do, the rarest first; one that a side lacks is warned
    of and not refused.

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
        InvalidData: some cases have a side and others none, or a class of which each case has exactly one is absent
            from a side or from a fold.
    """
    for name, fraction in (("validation", validation), ("test", test)):
        if not 0 < fraction <= 0.5:
            raise InvalidOption(f"the {name} fraction {fraction!r} is outside 0 to 0.5: choose for example 0.15")
    sides = [case.split for case in manifest.cases]
    if None in sides and any(sides):
        raise InvalidData(f"{sides.count(None)} of {len(sides)} cases have no split: give each a split, or none")
    if folds != 1:
        _check_folds(folds)
    carver = Carver(manifest, seed)
    notes, many = [], f"{manifest.noun}s"
    if "test" not in sides:
        sides = carver.carve(sides, "test", test, rest_needs=1 if "val" in sides else 2)
        notes.append(f"test is carved by patient ({test:.0%} of the {many})")
    if folds > 1:
        sides = ["train" if side == "val" else side for side in sides]
        notes.append(f"the {many} outside test are dealt by patient to {folds} folds; each network leaves one out")
    elif "val" not in sides:
        sides = carver.carve(sides, "val", validation)
        notes.append(f"validation is carved from train by patient ({validation:.0%} of the {many} outside test)")
    else:
        pooled = ["train" if side == "val" else side for side in sides]
        carved = carver.carve(pooled, "val", validation)
        if carver.is_small(sides, carved):
            notes.append(f"the given validation side has {sides.count('val')} {many}, too few: carved anew by patient")
            sides = carved
    if notes and (groups := {case.group for case in manifest.cases if case.group}):
        kept = count(len(groups), "group")
        notes.append(f"{kept} of identical or near-identical {many}: the {many} of each are kept on one side")
    parts = carver.deal_validation(sides, folds) if folds > 1 else [sides]
    whole, *sided = (_with_sides(manifest, given) for given in (sides, *parts))
    warnings = [*_warnings(manifest, sides), *([] if manifest.task.exclusive else _lacking(sided))]
    result = Split(manifest=whole, parts=tuple(sided), notes=tuple(notes), warnings=tuple(warnings))
    if manifest.task.exclusive:
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
    dealt = Carver(pool, seed).deal_folds(range(len(pool)), folds)
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
    return manifest.replace(kept, f"{left_out} {manifest.noun}s of the given test side are left out and stay unopened")


def _warnings(manifest: Manifest, sides: Iterable[str | None]) -> list[str]:
    warnings, many = [], f"{manifest.noun}s"
    unnamed = sum(not case.patient_id for case in manifest.cases)
    if unnamed:
        warnings.append(
            f"{unnamed} of {len(manifest)} {many} name no patient: each counts as a patient of its own, so {many} of "
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


def _lacking(parts: Sequence[Manifest]) -> list[str]:
    """Say which sides cannot tell a finding, for all of their images show it, or none does, or nobody knows."""
    lacking: dict[str, dict[str, int]] = {side: {} for side in SPLITS}
    for part in parts:
        y_true = part.y_true
        for side, name in itertools.product(SPLITS, part.task.judged):
            own = y_true[part.select(side)]
            shows, known = part.task.shows(own, name), part.task.known(own, name)
            for words, there in (("with", shows), ("without", known & ~shows)):
                if not there.any():
                    lacking[side][f"{words} {name}"] = lacking[side].get(f"{words} {name}", 0) + 1
    folds = len(parts)
    said = []
    for side, found in lacking.items():
        names = [
            name + f" (in {number} of {folds} folds)" * (folds > 1 and side != "test") for name, number in found.items()
        ]
        if names:
            said.append(f"{side} has no {parts[0].noun} {first_of(names)}: {_WITHOUT[side]}")
    return said


def _refuse_absent_classes(split: Split, keys: Sequence[str]) -> None:
    folds, one = len(split.parts), split.manifest.noun
    for number, part in enumerate(split.parts, start=1):
        for side, name in _absent(part):
            of_folds = folds > 1 and side != "test"
            of_class = [i for i in part.of_class(name) if not (of_folds and part.cases[i].split == "test")]
            patients, whose = len({keys[i] for i in of_class}), _whose(part, of_class, keys)
            if not of_folds:
                raise InvalidData(
                    f"the {side} side has no {one} of class {name}: {whose}, and train, val and test each need one "
                    f"with it; collect {name} {one}s of three patients or more, or name the sides in a CSV column split"
                )
            fewer = min(patients, folds - 1)
            raise InvalidData(
                f"with fold {number} of {folds} left out, the {side} side has no {one} of class {name}: outside test "
                f"{whose}; collect {name} {one}s of {folds} patients or more, or "
                + (f"take --folds {fewer} or fewer" if fewer > 1 else "train without --folds")
            )


def _whose(part: Manifest, of_class: Sequence[int], keys: Sequence[str]) -> str:
    """Say whose images these are, and how few units are left where copies are kept together."""
    patients = len({counts_as(part.cases[i].patient_id, part.cases[i].name) for i in of_class})
    units = len({keys[i] for i in of_class})
    if units < patients and not part.has_patients:
        return f"its {len(of_class)} {part.noun}s show {count(units, 'picture')}, for near copies count as one"
    joined = f", whom shared pictures join to {count(units, 'group')}" if units < patients else ""
    return f"its {len(of_class)} {part.noun}s come from {count(patients, 'patient')}{joined}"


def _absent(part: Manifest) -> list[tuple[str, str]]:
    """The sides that show no image of a class, each with the class."""
    found = {(case.split, name) for case, shown in zip(part.cases, part.shown, strict=True) for name in shown}
    return [pair for pair in itertools.product(SPLITS, part.classes) if pair not in found]
