"""Can the class be told from the file alone: the cross-validated AUC of each property, by patient, before any training.

A network takes the easiest way to the class. Where the classes came from different scanners, hospitals or programs,
that is easier to see than the disease, and the result then holds for these files only.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from overread.audit.finding import Finding
from overread.audit.material import Material
from overread.audit.properties import Kind, Property, folder_properties, header_properties, pixel_properties
from overread.cases import Manifest, fold_cases
from overread.evaluation import Interval, evaluate, intervals, midranks, roc_auc
from overread.evaluation.bootstrap import number_patients
from overread.evaluation.curves import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]
# From the rows to learn from and the rows to try to the scores of the latter.
Fit = Callable[[IntArray, IntArray], FloatArray]

_WARN, _LEAST = 0.75, 0.65
_LOUD, _LEAST_LOUD = 0.9, 0.8
# With fewer patients chance alone reaches such figures too often.
_FEWEST_PATIENTS = 10
_FOLDS = 5
_RUNS = 20
# A relation that is not straight is believed only when its AUC is higher by this; so are all properties together.
_BETTER = 0.05
_MOST_LEVELS, _CASES_FOR_LEVEL = 16, 20
_RIDGE = 0.03
# The spread of 200 resamples is within 5 % of that of many, which moves an end of an interval by 1 % of its length.
_RESAMPLES = 200
_LISTED = 4

_LOUD_WORDS = "This all but gives the class away. "
_MEANING: Mapping[Kind, str] = {
    "look": "It may be the disease itself (consolidated lung is brighter) or the way in which the images were taken.",
    "corners": "Corners seldom show the disease, though a large finding may reach them: it is more likely the way in "
    "which the images were taken or cropped.",
}
_OTHER_MEANING = (
    "It does not show the disease, and a network can learn what lies behind it instead: another device, hospital, "
    "program or crop."
)
_ADVICE: Mapping[Kind, str] = {
    "export": "Find out why the classes differ in it, export all images again from their originals by one route (one "
    "program, size, format and compression) and audit again. Where that is impossible, give this AUC beside that of "
    "the network, which has shown nothing unless it is clearly higher.",
    "shape": "Bring all images to one field of view and size, from their originals and by a rule that does not know "
    "the class, and audit again: resizing leaves traces, and the padding shows a network the shape of an image.",
    "source": "Take both classes from each source, and report the result within each source, where the network must "
    "still tell the classes apart. If the folders or devices are kinds of the disease itself, accept this finding.",
    "frame": "Crop the border, or cover the marks, in all images of every class alike and audit again. After training "
    "look at the heat maps: a network that looks there has learnt the mark.",
    "look": "To tell the two apart, bring all images to the same brightness, contrast and colour, train again and "
    "compare: what is lost was not seen in the lesion. Look also whether the images of one class come from other "
    "devices, settings or dates.",
    "corners": "To tell the two apart, crop or cover the corners in all images alike, train again and compare: corners "
    "outside the organ must not tell the class, and without them the result must not fall.",
}


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


def find_shortcuts(material: Material) -> list[Finding]:
    """Warn of each property of the files, or of the images at large, that tells the class.

    A class with fewer than 10 patients, or all but 10, is not judged, which one finding says for all.
    """
    study = _Study(material.data_set.manifest)
    found = [_finding(judged, study) for judged in _judge_all(material, study) if judged.is_shortcut]
    return found + _untested(study)


def judge_properties(material: Material) -> list[Predictability]:
    """Judge every property that varies, shortcut or not, and all of the header together where that tells more."""
    return _judge_all(material, _Study(material.data_set.manifest))


def _judge_all(material: Material, study: _Study) -> list[Predictability]:
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


class _Study:
    """The readable cases, the fold of each and what each property makes of them."""

    def __init__(self, manifest: Manifest) -> None:
        sides = np.array([case.split == "test" for case in manifest.cases])
        self.manifest = manifest
        self.is_test: BoolArray = sides if not sides.all() else np.zeros_like(sides)
        self.labels = np.array(manifest.label_indices)
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
                self.patients[i] = f"run {rank * min(_RUNS, members.size) // members.size} of {name}"
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
            >= _FEWEST_PATIENTS
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
        for fit in _fits(subject, is_label, len(rows)):
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
        evaluation = evaluate(truth, probability, classes=("rest", "class"))
        patients = [self.patients[i] for i in rows]
        return intervals(truth, probability, evaluation=evaluation, patients=patients, resamples=_RESAMPLES)["auc"]


def _in_natural_order(name: str) -> list[str | int]:
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"([0-9]+)", name))]


def _fits(subject: Property, is_label: BoolArray, cases: int) -> list[Fit]:
    if subject.values.ndim == 2:
        return [_by_ridge(subject.values, is_label)]
    if subject.categories:
        return [_by_level(subject.values.astype(np.int64), is_label)]
    return [_by_direction(subject.values, is_label), _by_level(_levels(subject.values, cases), is_label)]


def _by_direction(values: FloatArray, is_label: BoolArray) -> Fit:
    """Higher, or lower, values for the class: what it learns is which."""

    def scores(learnt: IntArray, tried: IntArray) -> FloatArray:
        rises = roc_auc(is_label[learnt], values[learnt]) >= 0.5
        return values[tried] if rises else -values[tried]

    return scores


def _by_level(levels: IntArray, is_label: BoolArray) -> Fit:
    """The rate of the class at each level, both classes weighing alike and one more case of each added.

    A level that was not met gives 1/2 whatever the class mix, so a value that only one patient has tells nothing.
    """
    count = int(levels.max()) + 1

    def scores(learnt: IntArray, tried: IntArray) -> FloatArray:
        inside, outside = (levels[learnt[is_label[learnt] == wanted]] for wanted in (True, False))
        added = 1 / min(inside.size, outside.size)
        with_class = np.bincount(inside, minlength=count) / inside.size + added
        without = np.bincount(outside, minlength=count) / outside.size + added
        return np.asarray((with_class / (with_class + without))[levels[tried]])

    return scores


def _by_ridge(columns: FloatArray, is_label: BoolArray) -> Fit:
    """A linear model of standardised columns, shrunk the more the fewer cases there are for each column."""

    def scores(learnt: IntArray, tried: IntArray) -> FloatArray:
        known, truth = columns[learnt], is_label[learnt]
        weight = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
        centre = weight @ known
        spread = np.sqrt(weight @ np.square(known - centre))
        spread[spread < 1e-9] = 1
        known = (known - centre) / spread
        penalty = _RIDGE + known.shape[1] / len(known)
        curvature = (known * weight[:, None]).T @ known + penalty * np.eye(known.shape[1])
        slopes = np.linalg.solve(curvature, known.T @ (weight * np.where(truth, 1, -1)))
        return np.asarray(((columns[tried] - centre) / spread) @ slopes)

    return scores


def _levels(values: FloatArray, cases: int) -> IntArray:
    """The values themselves where they are few, else groups of equal size; the fewer the cases, the fewer groups."""
    known = values[~np.isnan(values)]
    most = min(_MOST_LEVELS, max(2, cases // _CASES_FOR_LEVEL))
    edges = np.unique(known)
    if edges.size > most:
        edges = np.unique(np.quantile(known, np.arange(1, most) / most))
    return np.searchsorted(edges, values)


def _in_step(properties: Sequence[Property]) -> list[tuple[Property, list[Property]]]:
    """Each property that is not a repetition, with those that repeat it, such as format and ending of the name."""
    groups: dict[bytes, tuple[Property, list[Property]]] = {}
    for prop in properties:
        _, first, index = np.unique(prop.values, return_index=True, return_inverse=True)
        count = first.size
        if prop.values.ndim == 2:
            key = prop.name.encode()
        elif count <= _MOST_LEVELS or prop.categories:
            # As named by their first case, so that only the grouping counts.
            key = np.argsort(np.argsort(first))[index].tobytes()
        else:
            key = min(index.tobytes(), (count - 1 - index).tobytes())
        if key in groups:
            groups[key][1].append(prop)
        else:
            groups[key] = prop, []
    return list(groups.values())


def _together(properties: Sequence[Property]) -> Property:
    """All properties as columns of one linear model: levels, or the rank among all cases and its square."""
    columns = []
    for prop in properties:
        distinct, index = np.unique(prop.values, return_inverse=True)
        if prop.categories or distinct.size <= _MOST_LEVELS:
            common = np.argsort(-np.bincount(index), kind="stable")[:_MOST_LEVELS]
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


def _finding(judged: Predictability, study: _Study) -> Finding:
    subject, interval, classes = judged.subject, judged.interval, study.manifest.classes
    rest = next(name for name in classes if name != judged.label) if len(classes) == 2 else "the other classes"
    patients = f", {np.unique(study.patient[judged.rows]).size:,} patients" if study.manifest.has_patients else ""
    test = "" if judged.test_auc is None else f", and {judged.test_auc:.2f} on the test side"
    sentence = (
        f"From {subject.words} alone, {judged.label} can be told from {rest} with an AUC of {judged.auc:.2f} (95 % "
        f"interval {interval.low:.2f} to {interval.high:.2f}; cross-validated over {len(judged.rows):,} images"
        f"{patients}){test}. {_LOUD_WORDS if judged.is_loud else ''}{_MEANING.get(subject.kind, _OTHER_MEANING)}"
    )
    if judged.in_step:
        sentence += f" In step with it: {', '.join(judged.in_step)}."
    if not patients:
        sentence += f" Patients are not named, so {_RUNS} runs of neighbouring files of each class stand for them."
    return Finding(
        code=f"shortcut-{subject.name}",
        severity="warn",
        sentence=sentence,
        fix=_ADVICE[subject.kind],
        count=len(judged.rows),
        evidence=tuple(_evidence(judged, study)),
    )


def _evidence(judged: Predictability, study: _Study) -> list[dict[str, str]]:
    """A row for each class: how many, the AUC against the rest and which values it has."""
    rows = []
    for number, name in enumerate(study.manifest.classes):
        members = judged.rows[study.labels[judged.rows] == number]
        auc = judged.auc if len(study.manifest.classes) == 2 else judged.aucs.get(name)
        rows.append(
            {
                "class": name,
                "images": f"{members.size:,}",
                "AUC against the rest": "too few patients" if auc is None else f"{auc:.2f}",
                "strength": "all but gives the class away" if judged.is_loud else "marked",
                "values": _typical(judged.subject, members),
                "such as": study.manifest.cases[_middle(judged.subject, members)].name if members.size else "",
            }
        )
    return rows


def _typical(subject: Property, members: IntArray) -> str:
    if subject.categories:
        counts = np.bincount(subject.values[members].astype(np.int64), minlength=len(subject.categories))
        common = [i for i in np.argsort(-counts, kind="stable")[:_LISTED].tolist() if counts[i]]
        return ", ".join(f"{subject.categories[i]} {counts[i] / members.size:.0%}" for i in common)
    if subject.name == "header" or not members.size:
        return ""
    quartiles = np.quantile(_single(subject, members), [0.25, 0.5, 0.75])
    low, middle, high = (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" for value in quartiles)
    return f"median {middle}, half of them {low} to {high} {subject.unit}".rstrip()


def _middle(subject: Property, members: IntArray) -> int:
    """The image of a class whose value is in the middle."""
    values = _single(subject, members)
    if subject.categories:
        commonest = np.bincount(values.astype(np.int64)).argmax()
        return int(members[values == commonest][0])
    return int(members[np.argsort(values, kind="stable")[members.size // 2]])


def _single(subject: Property, members: IntArray) -> FloatArray:
    values = subject.values[members]
    return values if values.ndim == 1 else values.mean(axis=1)


def _untested(study: _Study) -> list[Finding]:
    """Say for which classes nothing can be said."""
    classes, rows = study.manifest.classes, np.flatnonzero(~study.is_test)
    judged = classes if len(classes) == 2 and study.judged_classes() else study.judged_classes()
    left_out = [name for name in classes if name not in judged]
    if not left_out:
        return []
    unit = "patients" if study.manifest.has_patients else "images"
    counts = {name: study.count_patients(rows, number) for number, name in enumerate(classes)}
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    return [
        Finding(
            code="shortcut-untested",
            severity="info",
            sentence=f"Whether the files give the class away was not examined for {', '.join(left_out)}: that takes "
            f"{_FEWEST_PATIENTS} {unit} with a class and as many without, outside the test side; there are {listed}.",
            fix=f"Collect images of more {unit}; until then look by eye whether the classes differ in size, format, "
            "brightness, borders or marks.",
            count=int(np.isin(study.labels, [classes.index(name) for name in left_out]).sum()),
        )
    ]
