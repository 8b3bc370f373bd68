"""How well each property of the files alone tells the class, tried on patients that were not learnt from."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence

import numpy as np

from overread.auditing.material import Material
from overread.auditing.shortcuts.guesses import MOST_LEVELS, BoolArray, Fit, fits_of
from overread.auditing.shortcuts.properties import Property, folder_properties, header_properties, pixel_properties
from overread.cases import Manifest, fold_cases
from overread.decision import FloatArray, IntArray, Task
from overread.evaluation import Interval, compute_metrics, intervals, midranks, roc_auc
from overread.evaluation.uncertainty.bootstrap import number_patients

_WARN, _LEAST = 0.75, 0.65
_LOUD, _LEAST_LOUD = 0.9, 0.8
# With fewer patients chance alone reaches such figures too often.
FEWEST_PATIENTS = 10
_FOLDS = 5
# Runs of neighbouring files that stand for patients where none are named.
RUNS = 20
# A relation that is not straight is believed only when its AUC is higher by this; so are all properties together.
_BETTER = 0.05
# The spread of 200 resamples is within 5 % of that of many, which moves an end of an interval by 1 % of its length.
_RESAMPLES = 200


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Predictability:
    """How well a property alone ranks the images of a class above the rest, tried on patients not learnt from.

    Args:
        subject: the property.
        in_step: the words for others that group or order the images alike and need no judgement of their own.
        label: the class that it tells best.
        aucs: of each class that could be judged, against the rest.
        interval: of the AUC of `label`, 95 %, by patient; not computed below 0.75.
        test_auc: of `label` on the test side, learnt from all other cases; None where that side lacks a class.
        rows: the readable cases it was judged on; the test side is not among them.
    """

    subject: Property
    in_step: tuple[str, ...]
    label: str
    aucs: Mapping[str, float]
    interval: Interval
    test_auc: float | None
    rows: IntArray

    @property
    def auc(self) -> float:
        """That of `label`."""
        return self.aucs[self.label]

    @property
    def is_shortcut(self) -> bool:
        """True from an AUC of 0.75, as it is printed, whose interval lies above 0.65."""
        return round(self.auc, 2) >= _WARN and self.interval.low > _LEAST

    @property
    def is_loud(self) -> bool:
        """True from an AUC of 0.90, as it is printed, whose interval lies above 0.8."""
        return round(self.auc, 2) >= _LOUD and self.interval.low > _LEAST_LOUD


def judge_properties(material: Material) -> list[Predictability]:
    """Judge every property that varies, shortcut or not, and all of the header together where that tells more."""
    return judge_all(material, Study(material.data_set.manifest))


def judge_all(material: Material, study: Study) -> list[Predictability]:
    """Judge every property of a study whose patients are dealt to folds."""
    if not study.judged_classes():
        return []
    header = [prop for prop in header_properties(material) if not prop.is_constant]
    others = [prop for prop in (*folder_properties(material), *pixel_properties(material)) if not prop.is_constant]
    judged = [found for group in _in_step([*header, *others]) if (found := study.judge(*group)) is not None]
    alone = [found for found in judged if found.subject in header]
    joint = study.judge(_together(header)) if len(alone) > 1 else None
    if joint is not None:
        best = max(found.auc for found in alone)
        if joint.auc > best + _BETTER or not any(found.is_shortcut for found in alone):
            judged.append(joint)
    return judged


class Study:
    """The readable cases, the fold of each and what each property makes of them."""

    def __init__(self, manifest: Manifest) -> None:
        sides = np.array([case.split == "test" for case in manifest.cases])
        self.manifest = manifest
        self.is_test: BoolArray = sides if not sides.all() else np.zeros_like(sides)
        self.labels = manifest.y_true
        self.fold = np.full(len(manifest), -1)
        self.patients = [case.patient_id or "" for case in manifest.cases]
        if manifest.has_patients:
            self._deal_patients()
        else:
            self._deal_runs()
        self.patient = number_patients(self.patients, len(manifest))

    def _deal_patients(self) -> None:
        pool = np.flatnonzero(~self.is_test)
        cases = self.manifest.cases
        one_side = self.manifest.replace(dataclasses.replace(cases[i], split=None) for i in pool)
        for number, dealt in enumerate(fold_cases(one_side, folds=_FOLDS)):
            self.fold[pool[dealt.select("test")]] = number

    def _deal_runs(self) -> None:
        """Where patients are not named, let runs of files with neighbouring names stand for them.

        Images of one patient mostly have neighbouring names. Taken for patients of their own, they let a property that
        only tells patients apart pass for a shortcut: in 97 of 100 simulated studies of 40 patients, 5 images each.
        """
        keys = [(case.patient_id or "", _in_natural_order(case.name)) for case in self.manifest.cases]
        for label, name in enumerate(self.manifest.classes):
            members = np.flatnonzero((self.labels == label) & ~self.is_test)
            for rank, i in enumerate(sorted(members.tolist(), key=keys.__getitem__)):
                self.patients[i] = f"run {rank * min(RUNS, members.size) // members.size} of {name}"
                self.fold[i] = rank * _FOLDS // members.size

    def judged_classes(self, rows: IntArray | None = None) -> tuple[str, ...]:
        """The classes with enough patients with and without them; of two classes the positive one stands for both."""
        rows = np.flatnonzero(~self.is_test) if rows is None else rows
        classes = self.manifest.classes
        return tuple(
            name
            for number, name in enumerate(classes)
            if (len(classes) > 2 or number == 1)
            and min(self.count_patients(rows, number), self.count_patients(rows, number, without=True))
            >= FEWEST_PATIENTS
        )

    def count_patients(self, rows: IntArray, label: int, *, without: bool = False) -> int:
        """Patients with, or without, an image of a class among these cases."""
        return np.unique(self.patient[rows][(self.labels[rows] == label) != without]).size

    def judge(self, subject: Property, in_step: Sequence[Property] = ()) -> Predictability | None:
        """Try a property on each class; None where too few patients have it."""
        is_known = ~np.isnan(subject.values.reshape(len(self.labels), -1)).any(axis=1)
        rows = np.flatnonzero(is_known & ~self.is_test)
        tried = {name: self._try(subject, name, rows) for name in self.judged_classes(rows)}
        if not tried:
            return None
        aucs = {name: auc for name, (auc, _, _) in tried.items()}
        bounds = {name: self._interval(name, rows, auc, score) for name, (auc, _, score) in tried.items()}
        # A small class may reach a high AUC by chance and must not hide a surer one.
        label = max(aucs, key=lambda name: (bounds[name].low > _LEAST, aucs[name]))
        test = np.flatnonzero(is_known & self.is_test)
        is_label = self._is(label)
        has_both = 0 < is_label[test].sum() < len(test)
        return Predictability(
            subject=subject,
            in_step=tuple(prop.words for prop in in_step),
            label=label,
            aucs=aucs,
            interval=bounds[label],
            test_auc=roc_auc(is_label[test], tried[label][1](rows, test)) if has_both else None,
            rows=rows,
        )

    def _is(self, label: str) -> BoolArray:
        return np.asarray(self.labels == self.manifest.classes.index(label))

    def _try(self, subject: Property, label: str, rows: IntArray) -> tuple[float, Fit, FloatArray]:
        """The AUC out of fold, how it was made and the scores of the rows."""
        is_label, tries = self._is(label), []
        for fit in fits_of(subject, is_label, len(rows)):
            score = np.zeros(len(rows))
            for number in range(_FOLDS):
                held_out = self.fold[rows] == number
                learnt = rows[~held_out]
                if 0 < is_label[learnt].sum() < learnt.size:
                    score[held_out] = fit(learnt, rows[held_out])
            tries.append((roc_auc(is_label[rows], score), fit, score))
        simple, *others = tries
        return next((other for other in others if other[0] > simple[0] + _BETTER), simple)

    def _interval(self, label: str, rows: IntArray, auc: float, score: FloatArray) -> Interval:
        if round(auc, 2) < _WARN:
            return Interval.none(0.95, "none", f"An AUC below {_WARN} is no shortcut, whatever its interval.")
        truth, rank = self._is(label)[rows].astype(np.int64), midranks(score) / (len(rows) + 1)
        probability = np.column_stack([1 - rank, rank])
        evaluation = compute_metrics(truth, probability, task=Task.of(("rest", "class")))
        patients = [self.patients[i] for i in rows]
        return intervals(truth, probability, evaluation=evaluation, patients=patients, resamples=_RESAMPLES)["auc"]


def _in_natural_order(name: str) -> list[str | int]:
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"([0-9]+)", name))]


def _in_step(properties: Sequence[Property]) -> list[tuple[Property, list[Property]]]:
    """Each property that is not a repetition, with those that repeat it, such as format and ending of the name."""
    groups: dict[bytes, tuple[Property, list[Property]]] = {}
    for prop in properties:
        groups.setdefault(_order(prop), (prop, []))[1].append(prop)
    return [(first, members[1:]) for first, members in groups.values()]


def _order(prop: Property) -> bytes:
    """Bytes that two properties share when they group the images alike, or rank them alike or in reverse."""
    if prop.values.ndim == 2:
        return prop.name.encode()
    _, first, index = np.unique(prop.values, return_index=True, return_inverse=True)
    if prop.categories or first.size <= MOST_LEVELS:
        # Levels go by the first case that has them, so that only the grouping counts.
        return np.argsort(np.argsort(first))[index].tobytes()
    return min(index.tobytes(), (first.size - 1 - index).tobytes())


def _together(properties: Sequence[Property]) -> Property:
    """All properties as columns of one linear model: levels, or the rank among all cases and its square."""
    columns = []
    for prop in properties:
        distinct, index = np.unique(prop.values, return_inverse=True)
        if prop.categories or distinct.size <= MOST_LEVELS:
            common = np.argsort(-np.bincount(index), kind="stable")[:MOST_LEVELS]
            columns += [index == level for level in common]
        else:
            rank = np.where(np.isnan(prop.values), 0.5, midranks(prop.values) / len(index)) - 0.5
            columns += [rank, np.square(rank)]
    return Property(
        name="header",
        words="all properties of the file together",
        kind="export",
        values=np.column_stack(columns).astype(np.float64),
    )
