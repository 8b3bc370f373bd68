"""How well each property of the files alone tells the class, tried on patients that were not learnt from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from overread.auditing.material import Material
from overread.auditing.rules.shortcuts.chance import beats_chance
from overread.auditing.rules.shortcuts.classifiers import Classifier, classifiers_for
from overread.auditing.rules.shortcuts.file_properties import folder_properties, header_properties
from overread.auditing.rules.shortcuts.folds import FOLDS, FoldedCases
from overread.auditing.rules.shortcuts.giveaways import Giveaway, find_giveaway
from overread.auditing.rules.shortcuts.levels import MOST_LEVELS, common_values, levels_of
from overread.auditing.rules.shortcuts.pixel_properties import pixel_properties
from overread.auditing.rules.shortcuts.properties import Property
from overread.decision import FloatArray, IntArray, Task
from overread.evaluation import Interval, compute_metrics, intervals, midranks, roc_auc

_WARN, _LEAST = 0.75, 0.65
_STRONG, _LEAST_STRONG = 0.9, 0.8
# A relation that is not straight is believed only when its AUC is higher by this; so are all properties together.
_BETTER = 0.05
# Classifiers of a property, of which the better one counts.
_WAYS = 2
# What reaches an AUC less than this below another tells as much.
_ALIKE, _MOST_PARTS = 0.02, 3
# The spread of 200 resamples is within 5 % of that of many, which moves an end of an interval by 1 % of its length.
_RESAMPLES = 200


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Predictability:
    """How well a property alone ranks the images of a class above the rest, tried on patients not learnt from.

    Args:
        subject: the property.
        repeated_by: the words for other properties that group or order the images alike and are not tried themselves.
        label: the class that it tells best.
        aucs: of each class that could be tested, against the rest.
        interval: of the AUC of `label`, 95 %, by patient; not computed below 0.75.
        beats_chance: that AUC is higher than the best of all that are tried would be by chance.
        test_auc: of `label` on the test side, learnt from all other cases; None where that side lacks a class.
        rows: the readable cases it was tried on, each class on those whose label tells it; the test side is not among
            them.
        giveaway: a value that one class has and hardly an image of the rest; None without one.
        parts: of all properties together those that reach nearly as much.
        plainer_than: the words for others of its kind that tell the same class.
    """

    subject: Property
    repeated_by: tuple[str, ...]
    label: str
    aucs: Mapping[str, float]
    interval: Interval
    beats_chance: bool
    test_auc: float | None
    rows: IntArray
    giveaway: Giveaway | None
    parts: tuple[str, ...] = ()
    plainer_than: tuple[str, ...] = ()

    @property
    def auc(self) -> float:
        """That of `label`."""
        return self.aucs[self.label]

    @property
    def is_ranking(self) -> bool:
        """True from an AUC of 0.75, as it is printed, whose interval lies above 0.65 and which chance does not give."""
        return round(self.auc, 2) >= _WARN and self.interval.low > _LEAST and self.beats_chance

    @property
    def is_shortcut(self) -> bool:
        """True where it ranks the images well, or where a value gives many of a class away."""
        return self.is_ranking or self.giveaway is not None

    @property
    def reach(self) -> float:
        """How far it tells the class: its AUC, or that of the one value alone."""
        return max(self.auc, (1 + self.giveaway.difference) / 2 if self.giveaway else 0)

    @property
    def is_strong(self) -> bool:
        """True from an AUC of 0.90, as it is printed, whose interval lies above 0.8."""
        return round(self.auc, 2) >= _STRONG and self.interval.low > _LEAST_STRONG


def measure_properties(material: Material, cases: FoldedCases) -> list[Predictability]:
    """Try every property that varies, shortcut or not, and all of the header together where that tells more.

    Args:
        material: what the audit looks at.
        cases: its readable cases.
    """
    if not cases.testable_classes():
        return []
    header = [prop for prop in header_properties(material) if not prop.is_constant]
    others = [prop for prop in (*folder_properties(material), *pixel_properties(material)) if not prop.is_constant]
    groups = _without_repetitions([*header, *others])
    comparisons = _WAYS * len(cases.testable_classes()) * (len(groups) + 1)
    measured = [found for group in groups if (found := _measure(cases, *group, comparisons=comparisons)) is not None]
    alone = [found for found in measured if found.subject in header]
    joint = _measure_together(cases, alone, comparisons) if len(alone) > 1 else None
    measured = _plainest(measured)
    return measured if joint is None else [*measured, joint]


def _plainest(measured: Sequence[Predictability]) -> list[Predictability]:
    """Of the width, height and shape of images, which go together, the one that tells most; of equal ones the first."""
    found = [one for one in measured if one.subject.kind == "shape" and one.is_shortcut]
    most = max((one.reach for one in found), default=0)
    chief = next((one for one in found if one.reach >= most - _ALIKE), None)
    surplus = [one for one in found if chief and one is not chief and one.label == chief.label]
    words = tuple(one.subject.words for one in surplus)
    return [
        dataclasses.replace(one, plainer_than=words) if one is chief else one for one in measured if one not in surplus
    ]


def _measure_together(cases: FoldedCases, alone: Sequence[Predictability], comparisons: int) -> Predictability | None:
    """All properties of the file at once, where they tell more than the best of them, and which of them do it."""
    properties = [found.subject for found in alone]
    joint = _measure(cases, _combined(properties, cases.patient_numbers), comparisons=comparisons)
    best = max(found.auc for found in alone)
    if joint is None or not (joint.auc > best + _BETTER or not any(found.is_shortcut for found in alone)):
        return None
    parts = _decisive(cases, joint, properties) if joint.is_shortcut else []
    return dataclasses.replace(joint, parts=tuple(prop.words for prop in parts))


def _decisive(cases: FoldedCases, joint: Predictability, properties: Sequence[Property]) -> list[Property]:
    """Up to three properties that together tell nearly as much as all: each the one that adds most."""
    chosen: list[Property] = []
    rows, reached = cases.told(joint.rows, joint.label), 0.0
    while reached < joint.auc - _ALIKE and len(chosen) < min(_MOST_PARTS, len(properties)):
        tries = []
        for prop in (prop for prop in properties if prop not in chosen):
            together = _combined([*chosen, prop], cases.patient_numbers)
            levels = levels_of(together, cases.patient_numbers)
            tries.append((_cross_validate(cases, together, levels, joint.label, rows).auc, prop))
        reached, best = max(tries, key=lambda tried: tried[0])
        chosen.append(best)
    return chosen


@dataclasses.dataclass(frozen=True, eq=False)
class _CrossValidated:
    """The classifier that was chosen for a class, its AUC out of fold and the scores of the rows."""

    auc: float
    classifier: Classifier
    scores: FloatArray


def _measure(
    cases: FoldedCases, subject: Property, repetitions: Sequence[Property] = (), *, comparisons: int
) -> Predictability | None:
    """Try a property on each class; None where too few patients have it."""
    is_known = ~np.isnan(subject.values.reshape(len(cases.manifest), -1)).any(axis=1)
    every = np.flatnonzero(is_known & ~cases.is_test)
    levels = levels_of(subject, cases.patient_numbers)
    told = {name: cases.told(every, name) for name in cases.testable_classes(every)}
    tried = {name: _cross_validate(cases, subject, levels, name, rows) for name, rows in told.items()}
    if not tried:
        return None
    bounds = {name: _interval(cases, name, told[name], found) for name, found in tried.items()}
    is_sure = {
        name: beats_chance(
            found.auc,
            cases.count_patients(every, name),
            cases.count_patients(every, name, without=True),
            comparisons=comparisons,
        )
        for name, found in tried.items()
    }
    # A small class may reach a high AUC by chance and must not hide a surer one.
    label = max(tried, key=lambda name: (bounds[name].low > _LEAST and is_sure[name], tried[name].auc))
    test = cases.told(np.flatnonzero(is_known & cases.is_test), label)
    is_label = cases.shows(label)
    has_both = 0 < is_label[test].sum() < len(test)
    return Predictability(
        subject=subject,
        repeated_by=tuple(prop.words for prop in repetitions),
        label=label,
        aucs={name: found.auc for name, found in tried.items()},
        interval=bounds[label],
        beats_chance=is_sure[label],
        test_auc=roc_auc(is_label[test], tried[label].classifier(told[label], test)) if has_both else None,
        rows=every,
        giveaway=find_giveaway(cases, subject, every),
    )


def _cross_validate(
    cases: FoldedCases, subject: Property, levels: IntArray, label: str, rows: IntArray
) -> _CrossValidated:
    """Choose the simplest classifier, or one that is clearly better."""
    is_label, tries = cases.shows(label), []
    for classifier in classifiers_for(subject, is_label, levels):
        scores = np.zeros(len(rows))
        for number in range(FOLDS):
            held_out = cases.fold[rows] == number
            learnt = rows[~held_out]
            if 0 < is_label[learnt].sum() < learnt.size:
                scores[held_out] = classifier(learnt, rows[held_out])
        tries.append(_CrossValidated(roc_auc(is_label[rows], scores), classifier, scores))
    simple, *others = tries
    return next((other for other in others if other.auc > simple.auc + _BETTER), simple)


def _interval(cases: FoldedCases, label: str, rows: IntArray, found: _CrossValidated) -> Interval:
    if round(found.auc, 2) < _WARN:
        return Interval.none(0.95, "none", f"An AUC below {_WARN} is no shortcut, whatever its interval.")
    truth, rank = cases.shows(label)[rows].astype(np.int64), midranks(found.scores) / (len(rows) + 1)
    probability = np.column_stack([1 - rank, rank])
    evaluation = compute_metrics(truth, probability, task=Task.of(("rest", "class")))
    patients = [cases.patients[i] for i in rows]
    return intervals(truth, probability, evaluation=evaluation, patients=patients, resamples=_RESAMPLES)["auc"]


def _without_repetitions(properties: Sequence[Property]) -> list[tuple[Property, list[Property]]]:
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


def _combined(properties: Sequence[Property], patients: IntArray) -> Property:
    """All properties as columns of one linear model: common values, and of a measure the rank and its square."""
    columns = []
    for prop in properties:
        columns += [prop.values == value for value in common_values(prop.values, patients)[:MOST_LEVELS]]
        if not prop.categories:
            rank = np.where(np.isnan(prop.values), 0.5, midranks(prop.values) / len(prop.values)) - 0.5
            columns += [rank, np.square(rank)]
    # A constant tells nothing, and stands for categories of which none is common.
    columns = columns or [np.zeros(len(patients))]
    return Property(name="header", values=np.column_stack(columns).astype(np.float64))
