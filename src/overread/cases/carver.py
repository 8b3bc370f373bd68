"""Whole patients dealt to sides and to folds, those who share a picture as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from overread.cases.case import SPLITS, Case, counts_as
from overread.cases.manifest import Manifest
from overread.cases.stratify import stratify
from overread.decision import IntArray

# With fewer images of a class, a validation loss says little and one image moves sensitivity by 5 points.
MIN_VALIDATION_PER_CLASS = 20


class Carver:
    """Deals whole patients to a held-out side or to folds, each class or finding near its share."""

    def __init__(self, manifest: Manifest, seed: int) -> None:
        self.keys = _together(manifest.cases)
        self.is_exclusive = manifest.task.exclusive
        task, y_true = manifest.task, manifest.y_true
        self.yes = np.stack([task.shows(y_true, name) for name in task.classes], axis=1)
        self.no = np.stack([task.known(y_true, name) for name in task.classes], axis=1) & ~self.yes
        self.seed = seed

    def is_small(self, given: Sequence[str | None], carved: Sequence[str | None]) -> bool:
        """Whether a given validation side has too few images of a class, and one that is carved at least twice as many.

        Where cases show any number of findings, one that is rare everywhere asks for nothing.
        """
        before, after = self._in_validation(given), self._in_validation(carved)
        if self.is_exclusive:
            return bool(before.min() < MIN_VALIDATION_PER_CLASS and after.min() >= 2 * before.min())
        enough = after >= np.maximum(2 * before, MIN_VALIDATION_PER_CLASS)
        return bool(np.any((before < MIN_VALIDATION_PER_CLASS) & enough))

    def carve(
        self, sides: Sequence[str | None], side: str, fraction: float, *, rest_needs: int = 1
    ) -> list[str | None]:
        """Move about `fraction` of each class from train (or from no side) to `side`.

        Args:
            sides: of the cases.
            side: to carve.
            fraction: of the images of train.
            rest_needs: patients with each finding that train keeps, where there are enough.
        """
        pool = [i for i, current in enumerate(sides) if current in (None, "train")]
        result = ["train" if current is None else current for current in sides]
        dealt = self._deal(pool, (1 - fraction, fraction), SPLITS.index(side), needs=(rest_needs, 1))
        for i, chosen in zip(pool, dealt, strict=True):
            if chosen:
                result[i] = side
        return list(result)

    def deal_folds(self, pool: Sequence[int], folds: int) -> list[int]:
        """For each case of the pool, the fold that its patient is dealt to."""
        return self._deal(pool, [1 / folds] * folds, len(SPLITS), needs=[1] * folds)

    def deal_validation(self, sides: Sequence[str | None], folds: int) -> list[list[str | None]]:
        """The sides of the cases while each fold of the train side is the validation side."""
        pool = [i for i, side in enumerate(sides) if side == "train"]
        fold_of = dict(zip(pool, self.deal_folds(pool, folds), strict=True))
        return [["val" if fold_of.get(i) == fold else side for i, side in enumerate(sides)] for fold in range(folds)]

    def _in_validation(self, sides: Sequence[str | None]) -> IntArray:
        """Images of each class on the validation side; where cases show findings, also those without each."""
        counted = self.yes if self.is_exclusive else np.concatenate([self.yes, self.no], axis=1)
        return np.asarray(counted[[side == "val" for side in sides]].sum(axis=0))

    def _deal(self, pool: Sequence[int], shares: Sequence[float], stream: int, *, needs: Sequence[int]) -> list[int]:
        """For each case of the pool, the share that its patient is dealt to."""
        images = defaultdict(list)
        for i in pool:
            images[self.keys[i]].append(i)
        order = sorted(images)
        np.random.default_rng([self.seed, stream]).shuffle(order)
        if self.is_exclusive:
            dealt = self._deal_by_size(images, order, shares)
        else:
            place = {key: number for number, key in enumerate(order)}
            units = np.array([place[self.keys[i]] for i in pool])
            found = stratify(self.yes[pool], self.no[pool], units, shares=shares, needs=needs)
            dealt = dict(zip(order, found.tolist(), strict=True))
        return [dealt[self.keys[i]] for i in pool]

    def _deal_by_size(
        self, images: Mapping[str, Sequence[int]], order: Sequence[str], shares: Sequence[float]
    ) -> dict[str, int]:
        """The largest patients first, each to where its classes are furthest below their share; if equal, the first.

        Args:
            images: of each patient.
            order: of patients of equal size.
            shares: of each class that are asked for.
        """
        strata = self.yes.astype(np.int64)
        total = sum(strata[of].sum(axis=0) for of in images.values())
        target = np.maximum(total * np.array(shares)[:, None], 1e-9)
        room = target.copy()
        dealt = {}
        for patient in sorted(order, key=lambda patient: -len(images[patient])):
            counts = strata[images[patient]].sum(axis=0)
            dealt[patient] = chosen = int((counts * room / target).sum(axis=1).argmax())
            room[chosen] -= counts
        return dealt


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
