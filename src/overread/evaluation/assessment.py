"""Everything that is asked of one set of predictions: metrics with intervals, calibration, benefit, subgroups."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.errors import InvalidOption
from overread.evaluation.decision_curve import DecisionCurve, decision_curve
from overread.evaluation.estimates import Estimate, Intervals, Judged, intervals, require_bootstrap
from overread.evaluation.grouping import group_cases
from overread.evaluation.metrics import Evaluation, evaluate
from overread.evaluation.micro import micro_averages
from overread.evaluation.predictions import Predictions
from overread.evaluation.predictive_values import predictive_values
from overread.evaluation.reliability import Reliability, measure_reliability
from overread.evaluation.subgroups import Subgroups, evaluate_subgroups
from overread.evaluation.uncertainty.bootstrap import number_patients
from overread.evaluation.uncertainty.interval import Interval, critical_value
from overread.words import count


@dataclasses.dataclass(frozen=True, kw_only=True)
class AssessmentOptions:
    """What is asked of a set of predictions beyond the metrics.

    Args:
        level: of every interval, above 0 and below 1.
        prevalence: share of positive cases where the reader is to work, for PPV, NPV and the decision curve; that of
            the test cases if left out.
        by: columns of the manifest whose groups are compared.
        resamples: of the bootstrap, 100 or more.
        seed: of the bootstrap.

    Raises:
        InvalidOption: a value outside its range.
    """

    level: float = 0.95
    prevalence: float | None = None
    by: tuple[str, ...] = ()
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        critical_value(self.level)
        require_bootstrap(self.resamples, self.seed)
        if self.prevalence is not None and not 0 < self.prevalence < 1:
            raise InvalidOption(f"prevalence={self.prevalence!r} is no share of cases: choose one above 0 and below 1")

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


class BeforeAfter(NamedTuple):
    """Reliability of the probabilities before and after calibration."""

    before: Reliability
    after: Reliability


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Assessment:
    """All that a set of predictions is worth; `assess` makes it.

    Args:
        judged: the metrics at the frozen operating point; with more than two classes those of the most probable class.
        at_half: with two classes, the same at a threshold of 0.5.
        at_class_points: with more, each class against the rest at its own operating point.
        micro: with more, the averages over all decisions on (case, class); empty with two.
        reliability: by the name of the positive class of two, or of each class.
        decision_curves: likewise.
        predictive_values: "ppv" and "npv" at the stated prevalence; empty without one.
        subgroups: of each column asked for.
        n_patients: a case without a patient counts as one.
        options: what was asked.
    """

    judged: Judged
    at_half: Judged | None
    at_class_points: Mapping[str, Judged]
    micro: Mapping[str, Estimate]
    reliability: Mapping[str, BeforeAfter]
    decision_curves: Mapping[str, DecisionCurve]
    predictive_values: Mapping[str, Estimate]
    subgroups: tuple[Subgroups, ...]
    n_patients: int
    options: AssessmentOptions

    @property
    def evaluation(self) -> Evaluation:
        """The metrics without their intervals."""
        return self.judged.evaluation

    def __getitem__(self, name: str) -> Estimate:
        """Give a metric with its interval, by name."""
        return self.judged[name]

    def __repr__(self) -> str:
        return f"Assessment({count(self.evaluation.n, 'image')} of {count(self.n_patients, 'patient')})"

    def _repr_html_(self) -> str:
        from overread.evaluation.notebook import assessment_html

        return assessment_html(self)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; undefined values are None beside their reason."""
        return {
            **self.judged.to_dict(),
            "n_patients": self.n_patients,
            "level": self.options.level,
            "at_threshold_0.5": self.at_half.to_dict() if self.at_half else None,
            "at_class_points": {name: judged.to_dict() for name, judged in self.at_class_points.items()},
            "micro": {name: estimate.to_dict() for name, estimate in self.micro.items()},
            "reliability": {
                name: {"before": pair.before.to_dict(), "after": pair.after.to_dict()}
                for name, pair in self.reliability.items()
            },
            "decision_curves": {name: curve.to_dict() for name, curve in self.decision_curves.items()},
            "prevalence": self.options.prevalence,
            "predictive_values": {name: estimate.to_dict() for name, estimate in self.predictive_values.items()},
            "subgroups": [found.to_dict() for found in self.subgroups],
        }


def assess(predictions: Predictions, options: AssessmentOptions | None = None) -> Assessment:
    """Ask everything of one set of predictions.

    Args:
        predictions: their threshold was chosen on other cases. Without probabilities from before calibration, before
            and after are the same.
        options: by default 95 % intervals, and no prevalence or groups.

    Raises:
        InvalidData: as `evaluate`, or cells of a column that are not n.
        InvalidOption: as `evaluate`, a column to group by that is not there, or one with too many values.
    """
    options = options or AssessmentOptions()
    options.require_columns(predictions.columns)
    study, classes = _Study(predictions, options), tuple(predictions.classes)
    judged = study.judge(predictions.threshold, predictions.decided)
    two = len(classes) == 2
    names = classes[1:] if two else classes
    return Assessment(
        judged=judged,
        at_half=None if not two else judged if judged.evaluation.threshold == 0.5 else study.judge(0.5),
        at_class_points={
            name: study.judge_class(name, predictions.class_thresholds[name])
            for name in names
            if name in predictions.class_thresholds
        },
        micro={} if two else micro_averages(study.labels, study.y_prob, judged["accuracy"], study.judge_pooled),
        reliability={name: study.reliability(name) for name in names},
        decision_curves={name: study.decision_curve(name) for name in names},
        predictive_values={}
        if options.prevalence is None or not two
        else predictive_values(judged["sensitivity"], judged["specificity"], prevalence=options.prevalence),
        subgroups=tuple(study.subgroups(name) for name in options.by),
        n_patients=len(set(study.patients)),
        options=options,
    )


class _Study:
    """Predictions as arrays, and the questions that are asked of them more than once."""

    def __init__(self, predictions: Predictions, options: AssessmentOptions) -> None:
        self.options, self.predictions, self.classes = options, predictions, tuple(predictions.classes)
        self.y_prob = np.asarray(predictions.y_prob, dtype=np.float64)
        self.labels = np.asarray(predictions.y_true)
        self.patients = [str(number) for number in number_patients(predictions.patients, len(self.labels))]

    def judge(self, threshold: float | None, decided: npt.ArrayLike | None = None) -> Judged:
        evaluation = evaluate(self.labels, self.y_prob, classes=self.classes, threshold=threshold, decided=decided)
        return Judged(evaluation, self._intervals(self.labels, self.y_prob, evaluation, self.patients))

    def judge_class(self, name: str, threshold: float) -> Judged:
        column = self.classes.index(name)
        actual, y_prob = self.labels == column, _columns(self.y_prob[:, column])
        evaluation = evaluate(actual, y_prob, classes=(f"not {name}", name), threshold=threshold)
        return Judged(evaluation, self._intervals(actual, y_prob, evaluation, self.patients))

    def judge_pooled(self, answers: IntArray, y_prob: FloatArray) -> Judged:
        patients = np.repeat(self.patients, len(self.classes)).tolist()
        evaluation = evaluate(answers, _columns(y_prob), classes=("no", "yes"))
        return Judged(evaluation, self._intervals(answers, _columns(y_prob), evaluation, patients))

    def reliability(self, name: str) -> BeforeAfter:
        column, actual = self.classes.index(name), self.labels == self.classes.index(name)
        after = measure_reliability(actual, self.y_prob[:, column])
        if self.predictions.uncalibrated is None:
            return BeforeAfter(after, after)
        return BeforeAfter(measure_reliability(actual, np.asarray(self.predictions.uncalibrated)[:, column]), after)

    def decision_curve(self, name: str) -> DecisionCurve:
        actual = self.labels == self.classes.index(name)
        one_class = actual.all() or not actual.any()
        prevalence = None if one_class or len(self.classes) > 2 else self.options.prevalence
        return decision_curve(actual, self.y_prob[:, self.classes.index(name)], prevalence=prevalence)

    def subgroups(self, column: str) -> Subgroups:
        def find(evaluation: Evaluation, mask: npt.NDArray[np.bool_]) -> Mapping[str, Interval]:
            chosen = [name for name, inside in zip(self.patients, mask, strict=True) if inside]
            return self._intervals(self.labels[mask], self.y_prob[mask], evaluation, chosen).metrics

        return evaluate_subgroups(
            self.labels,
            self.y_prob,
            group_cases(self.predictions.columns[column], column=column),
            classes=self.classes,
            threshold=self.predictions.threshold,
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
