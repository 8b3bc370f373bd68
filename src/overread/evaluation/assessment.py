"""Everything that is asked of one set of predictions: metrics with intervals, calibration, benefit, subgroups."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import HALF, HIGHEST, MEAN, Task
from overread.errors import InvalidOption
from overread.evaluation.compute_metrics import Evaluation, compute_metrics
from overread.evaluation.decision_curve import DecisionCurve, decision_curve, require_prevalence
from overread.evaluation.estimates import Estimate, Estimates, Intervals, intervals, require_bootstrap
from overread.evaluation.grouping import Grouping, group_cases
from overread.evaluation.metrics.built_in import METRICS, OF_GRADES
from overread.evaluation.metrics.definition import Cases, ClassMetric
from overread.evaluation.micro import micro_averages
from overread.evaluation.notebook import estimates_html
from overread.evaluation.predictions import Predictions
from overread.evaluation.predictive_values import predictive_values
from overread.evaluation.reliability import Reliability, measure_reliability
from overread.evaluation.subgroups import Subgroups, evaluate_subgroups
from overread.evaluation.uncertainty.interval import Interval, critical_value
from overread.evaluation.uncertainty.sample import number_patients
from overread.words import count, level_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class AssessmentOptions:
    """What is asked of a set of predictions beyond the metrics.

    Args:
        level: of every interval, above 0 and below 1.
        prevalence: share of positive cases where the reader is to work, for PPV, NPV and the decision curve; that of
            the test cases if left out. It says nothing where several classes, findings or cuts are judged.
        by: columns of the manifest whose groups are compared.
        resamples: of the bootstrap, 100 or more.
        seed: of the bootstrap.
        metrics: further ones of yours, such as an `OwnMetric`.
        by_patient: "mean" or "max": judge patients too, each by what was said of all his images, see
            `Predictions.by_patient`.

    Raises:
        InvalidOption: a value outside its range, or a metric whose name is taken.
    """

    level: float = 0.95
    prevalence: float | None = None
    by: tuple[str, ...] = ()
    resamples: int = 2000
    seed: int = 0
    metrics: tuple[ClassMetric, ...] = ()
    by_patient: str | None = None

    def __post_init__(self) -> None:
        if self.by_patient not in (None, MEAN, HIGHEST):
            raise InvalidOption(f"--by-patient {self.by_patient} is unknown: expected {MEAN} or {HIGHEST}")
        critical_value(self.level)
        require_bootstrap(self.resamples, self.seed)
        require_prevalence(self.prevalence)
        _refuse_taken_names(self.metrics)

    def require_columns(self, known: Collection[str]) -> None:
        """Refuse to group by a column that the data do not have.

        Raises:
            InvalidOption: one is not known.
        """
        for name in self.by:
            if name not in known:
                raise InvalidOption(
                    f"the data have no column {name!r} to group by: there are {', '.join(known) or 'none'}"
                )

    def require_patients(self, patients: Collection[str | None], task: Task) -> None:
        """Refuse to judge by patient where no image names one, or in a way that a task does not have.

        Args:
            patients: of each image.
            task: what is told apart.

        Raises:
            InvalidOption: so it is.
        """
        if self.by_patient is None:
            return
        if not any(patients):
            raise InvalidOption(
                "--by-patient judges patients, and no image names one: give --patient-column or --patient-pattern"
            )
        task.probabilities_of_all(np.full((2, len(task.classes)), 1 / len(task.classes)), self.by_patient)


def _refuse_taken_names(metrics: tuple[ClassMetric, ...]) -> None:
    taken = {name for one in (*METRICS, *OF_GRADES) for name in (one.name, one.synonym) if name}
    for one in metrics:
        if not isinstance(one, ClassMetric):
            raise InvalidOption(f"metrics holds a {type(one).__name__}, which defines no metric: give an OwnMetric")
        names = {one.name, one.synonym or one.name}
        if names & taken:
            raise InvalidOption(f"there is a metric {one.name!r} already: give yours another name")
        taken |= names


class BeforeAfter(NamedTuple):
    """Reliability of the probabilities before and after calibration."""

    before: Reliability
    after: Reliability


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Assessment:
    """All that a set of predictions is worth; `assess` makes it.

    Args:
        estimates: the metrics at the frozen operating point; without a positive class those of the decisions.
        at_half: with a positive class, the same at a threshold of 0.5.
        at_class_points: without, each judged class, finding or cut at its own operating point, where a case tells it.
        micro: the averages over all decisions on (case, class), of several classes and of findings.
        reliability: by the name of each judged question that a case tells.
        decision_curves: likewise.
        predictive_values: "ppv" and "npv" at the stated prevalence, of the one judged question; empty without one.
        subgroups: of each column asked for.
        parts: of several tasks each by its name, of the cases that tell anything about it; without one of which no case
            does.
        n_patients: a case without a patient counts as one.
        options: what was asked.
        by_patient: what the same readings are worth of patients, where that was asked; each has one row there.
        unit: what a case is called: image, exam or patient.
        points: the thresholds that were given, by the name of what is judged.
    """

    estimates: Estimates
    at_half: Estimates | None
    at_class_points: Mapping[str, Estimates]
    micro: Mapping[str, Estimate]
    reliability: Mapping[str, BeforeAfter]
    decision_curves: Mapping[str, DecisionCurve]
    predictive_values: Mapping[str, Estimate]
    subgroups: tuple[Subgroups, ...]
    n_patients: int
    options: AssessmentOptions
    parts: Mapping[str, Assessment] = dataclasses.field(default_factory=dict)
    by_patient: Assessment | None = None
    unit: str = "image"
    points: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def task(self) -> Task:
        """What is told apart."""
        return self.estimates.evaluation.task

    @property
    def evaluation(self) -> Evaluation:
        """The metrics without their intervals."""
        return self.estimates.evaluation

    def __getitem__(self, name: str) -> Estimate:
        """Give a metric with its interval, by name."""
        return self.estimates[name]

    def __repr__(self) -> str:
        return f"Assessment({count(self.evaluation.n, self.unit)} of {count(self.n_patients, 'patient')})"

    def _repr_html_(self) -> str:
        return "".join(_html(name, part) for name, part in (self.parts or {"": self}).items())

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; undefined values are None beside their reason."""
        return {
            **self.estimates.to_dict(),
            "n_patients": self.n_patients,
            "level": self.options.level,
            "at_threshold_0.5": self.at_half.to_dict() if self.at_half else None,
            "at_class_points": {name: found.to_dict() for name, found in self.at_class_points.items()},
            "micro": {name: estimate.to_dict() for name, estimate in self.micro.items()},
            "reliability": {
                name: {"before": pair.before.to_dict(), "after": pair.after.to_dict()}
                for name, pair in self.reliability.items()
            },
            "decision_curves": {name: curve.to_dict() for name, curve in self.decision_curves.items()},
            "prevalence": self.options.prevalence,
            "predictive_values": {name: estimate.to_dict() for name, estimate in self.predictive_values.items()},
            "subgroups": [found.to_dict() for found in self.subgroups],
            **({"parts": {name: part.to_dict() for name, part in self.parts.items()}} if self.parts else {}),
            **({} if self.by_patient is None else {"by_patient": self._patients_to_dict(self.by_patient)}),
        }

    def _patients_to_dict(self, by_patient: Assessment) -> dict[str, Any]:
        """What is said of patients, with the thresholds by which they were decided on, as those of images have them."""
        points = {} if self.task.positive else dict(by_patient.points)
        return {"way": self.options.by_patient, **by_patient.to_dict(), "class_thresholds": points}


def _html(part: str, found: Assessment) -> str:
    counts = f"{count(found.evaluation.n, found.unit)} of {count(found.n_patients, 'patient')}"
    caption = f"{f'{part}: ' if part else ''}{counts}, {level_of(found.options.level)} intervals"
    return estimates_html({name: found[name] for name in found.evaluation.metrics}, caption=caption)


def assess(predictions: Predictions, options: AssessmentOptions | None = None) -> Assessment:
    """Ask everything of one set of predictions; of several tasks, of each as if it were alone, too.

    Args:
        predictions: their threshold was chosen on other cases. Without probabilities from before calibration, before
            and after are the same.
        options: by default 95 % intervals, and no prevalence or groups.

    Raises:
        InvalidData: as `compute_metrics`, or cells of a column that are not n.
        InvalidOption: as `compute_metrics`, a column to group by that is not there, or one with too many values.
    """
    options = options or AssessmentOptions()
    if options.by_patient is not None:
        found = assess(predictions, dataclasses.replace(options, by_patient=None))
        return with_patients(found, predictions.by_patient(options.by_patient), options)
    options.require_columns(predictions.columns)
    asked, task = _Questions(predictions, options), predictions.task
    estimates, has_positive = asked.estimates(predictions.thresholds, predictions.decided), task.positive is not None
    at_half = estimates if estimates.evaluation.threshold == HALF else asked.estimates({}) if has_positive else None
    # A question of which no case tells the answer cannot be asked.
    of_each = {
        name: _Questions(predictions.of_question(name), options)
        for name in task.judged
        if task.known(asked.labels, name).any()
    }
    at_points = {
        name: each.estimates(each.predictions.thresholds)
        for name, each in of_each.items()
        if each.predictions.thresholds and not has_positive
    }
    return Assessment(
        estimates=estimates,
        at_half=at_half,
        at_class_points=at_points,
        micro=micro_averages(asked.cases(estimates), estimates["accuracy"], asked.estimates_of_pooled)
        if task.judged == task.classes
        else {},
        reliability={name: each.reliability() for name, each in of_each.items()},
        decision_curves={
            name: each.decision_curve(options.prevalence if len(task.judged) == 1 else None)
            for name, each in of_each.items()
        },
        predictive_values=_predictive_values(at_points.get(task.judged[0], estimates), task, options.prevalence),
        subgroups=tuple(
            _subgroups(asked, of_each, group_cases(predictions.columns[name], column=name)) for name in options.by
        ),
        n_patients=len(set(asked.patients)),
        unit=predictions.unit,
        points=dict(predictions.thresholds),
        options=options,
        parts={
            name: assess(predictions.of_part(name), options)
            for name in task.parts
            if task.told(name, predictions.y_true).any()
        },
    )


def with_patients(found: Assessment, patients: Predictions, options: AssessmentOptions) -> Assessment:
    """An assessment of images with that of their patients beside it.

    Args:
        found: of the images.
        patients: what was said of each patient, as `Predictions.by_patient` gives it.
        options: that ask for both.
    """
    own = dataclasses.replace(options, by_patient=None, by=())
    return dataclasses.replace(found, by_patient=assess(patients, own), options=options)


def _subgroups(asked: _Questions, of_each: Mapping[str, _Questions], grouping: Grouping) -> Subgroups:
    found, task = asked.subgroups(grouping), asked.task
    if task.parts or not task.questions:
        return found
    known = {name: task.known(asked.labels, name) for name in of_each}
    each = {name: one.subgroups(grouping.among(known[name])) for name, one in of_each.items()}
    return dataclasses.replace(found, each=each)


def _predictive_values(estimates: Estimates, task: Task, prevalence: float | None) -> dict[str, Estimate]:
    """Those of the one question that is judged: a prevalence is that of its yes."""
    if prevalence is None or len(task.judged) > 1:
        return {}
    return predictive_values(estimates["sensitivity"], estimates["specificity"], prevalence=prevalence)


class _Questions:
    """Predictions as arrays, and what is asked of them; some of it of two classes alone, as one question is."""

    def __init__(self, predictions: Predictions, options: AssessmentOptions) -> None:
        self.options, self.predictions, self.task = options, predictions, predictions.task
        self.y_prob = np.asarray(predictions.y_prob, dtype=np.float64)
        self.labels = np.asarray(predictions.y_true)
        self.patients = [str(number) for number in number_patients(predictions.patients, len(self.labels))]

    def cases(self, estimates: Estimates) -> Cases:
        return Cases(self.task, self.labels, self.y_prob, estimates.evaluation.predicted)

    def estimates(self, thresholds: Mapping[str, float], decided: npt.ArrayLike | None = None) -> Estimates:
        evaluation = compute_metrics(
            self.labels,
            self.y_prob,
            task=self.task,
            thresholds=thresholds,
            decided=decided,
            own=self.options.metrics,
            patients=self.patients,
        )
        return Estimates(evaluation, self._intervals(self.labels, self.y_prob, evaluation, self.patients))

    def estimates_of_pooled(
        self, rows: IntArray, answers: IntArray, y_prob: FloatArray, decided: IntArray
    ) -> Estimates:
        patients = [self.patients[row] for row in rows]
        evaluation = compute_metrics(answers, _columns(y_prob), task=Task.of(("no", "yes")), decided=decided)
        return Estimates(evaluation, self._intervals(answers, _columns(y_prob), evaluation, patients))

    def reliability(self) -> BeforeAfter:
        after = measure_reliability(self.labels, self.y_prob[:, 1])
        if self.predictions.uncalibrated is None:
            return BeforeAfter(after, after)
        before = np.asarray(self.predictions.uncalibrated)[:, 1]
        return BeforeAfter(measure_reliability(self.labels, before), after)

    def decision_curve(self, prevalence: float | None) -> DecisionCurve:
        one_class = len(np.unique(self.labels)) == 1
        return decision_curve(self.labels, self.y_prob[:, 1], prevalence=None if one_class else prevalence)

    def subgroups(self, grouping: Grouping) -> Subgroups:
        def find(evaluation: Evaluation, mask: npt.NDArray[np.bool_]) -> Mapping[str, Interval]:
            chosen = [name for name, inside in zip(self.patients, mask, strict=True) if inside]
            return self._intervals(self.labels[mask], self.y_prob[mask], evaluation, chosen).metrics

        return evaluate_subgroups(
            self.labels,
            self.y_prob,
            grouping,
            task=self.task,
            thresholds=self.predictions.thresholds,
            decided=self.predictions.decided,
            patients=self.patients,
            find_intervals=find,
        )

    def _intervals(
        self, labels: npt.ArrayLike, y_prob: FloatArray, evaluation: Evaluation, patients: list[str]
    ) -> Intervals:
        level, resamples, seed = self.options.level, self.options.resamples, self.options.seed
        return intervals(
            labels,
            y_prob,
            evaluation=evaluation,
            patients=patients,
            level=level,
            resamples=resamples,
            seed=seed,
        )


def _columns(positive: FloatArray) -> FloatArray:
    return np.column_stack([1 - positive, positive])
