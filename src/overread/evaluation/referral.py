"""What abstaining is worth on labelled images: coverage of the prediction sets, who is referred, errors that remain."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from overread.decision.prediction_sets import Referral
from overread.decision.referral import Abstentions
from overread.decision.task import BoolArray
from overread.evaluation.assessment import AssessmentOptions
from overread.evaluation.estimates import Estimate
from overread.evaluation.predictions import Predictions
from overread.evaluation.uncertainty.proportions import Mask, proportions

ALL = "all images"
_Counted = dict[tuple[str, ...], tuple[Mask, Mask]]


class Tradeoff(NamedTuple):
    """What another coverage would have given: the share of images that are read, and of these the share of errors."""

    coverage: float
    read: Estimate
    errors: Estimate

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {"coverage": self.coverage, "read": self.read.to_dict(), "errors": self.errors.to_dict()}


class QuestionReferral(NamedTuple):
    """How sure the reader is of its answers to one of `Task.questions`, such as a finding.

    Args:
        unsure: share of images of which it is unsure, see `Abstentions.unsure`.
        errors: share of wrong answers among `ALL`, "sure" and "unsure" images, of those that tell the truth.
        tradeoffs: at other coverages, where the images that are read are those of which it is sure.
    """

    unsure: Estimate
    errors: Mapping[str, Estimate]
    tradeoffs: Sequence[Tradeoff]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "unsure": self.unsure.to_dict(),
            "errors": _to_dict(self.errors),
            "tradeoffs": [at.to_dict() for at in self.tradeoffs],
        }


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ReferralAssessment:
    """Abstention on labelled images; `assess_referral` makes it.

    Args:
        coverage: share of images whose prediction set holds the true class, of each class by its name; and of `ALL`,
            where each image is of one class. Of several findings, of each answer by the images that give it.
        set_sizes: images by the number of classes in their set, from none to every class; of several findings, by the
            number of findings of which the reader is unsure.
        referred: share of images "uncertain", "unfamiliar", and "referred" for either.
        errors: share of wrong decisions among all, "read" and "referred" images that tell the truth; of several
            findings, of images with one or more.
        tradeoffs: the same rule at other coverages, with the limit of familiarity as it is.
        far_errors: of ordered grades, as `errors`, of decisions that are off by more than one grade; else empty.
        questions: by the name of each of `Task.questions`.
        parts: of several tasks each by its name, of the images that tell anything about it.
    """

    coverage: Mapping[str, Estimate]
    set_sizes: Sequence[int]
    referred: Mapping[str, Estimate]
    errors: Mapping[str, Estimate]
    tradeoffs: Sequence[Tradeoff]
    far_errors: Mapping[str, Estimate] = dataclasses.field(default_factory=dict)
    questions: Mapping[str, QuestionReferral] = dataclasses.field(default_factory=dict)
    parts: Mapping[str, ReferralAssessment] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values; what only some kinds of tasks have, only of these."""
        questions = {name: found.to_dict() for name, found in self.questions.items()}
        parts = {name: found.to_dict() for name, found in self.parts.items()}
        return {
            "coverage": _to_dict(self.coverage),
            "set_sizes": list(self.set_sizes),
            "referred": _to_dict(self.referred),
            "errors": _to_dict(self.errors),
            "tradeoffs": [at.to_dict() for at in self.tradeoffs],
            **({"far_errors": _to_dict(self.far_errors)} if self.far_errors else {}),
            **({"questions": questions} if questions else {}),
            **({"parts": parts} if parts else {}),
        }


def assess_referral(
    predictions: Predictions,
    abstentions: Abstentions,
    *,
    others: Sequence[Referral] = (),
    options: AssessmentOptions | None = None,
) -> ReferralAssessment:
    """Hold prediction sets and referrals against the truth, with intervals by patient; of several tasks each as alone.

    Args:
        predictions: of labelled images.
        abstentions: of the same images.
        others: the thresholds of other coverages, chosen on the same validation images, for the trade-off.
        options: level, resamples and seed of the intervals.
    """
    task, y_prob = predictions.task, np.asarray(predictions.y_prob)
    at = {
        other.coverage: dataclasses.replace(abstentions, sets=other.sets(y_prob, task), always=other.always)
        for other in others
    }
    return _assess(predictions, abstentions, at, options or AssessmentOptions())


def _assess(
    predictions: Predictions, abstentions: Abstentions, at: Mapping[float, Abstentions], options: AssessmentOptions
) -> ReferralAssessment:
    task = predictions.task
    counted = {**_of_images(predictions, abstentions, at), **_of_questions(predictions, abstentions, at)}
    found = _estimated(counted, predictions, options)
    return ReferralAssessment(
        coverage=found["coverage",],
        set_sizes=_set_sizes(abstentions),
        referred=found["referred",],
        errors=found["errors",],
        far_errors=found.get(("far errors",), {}),
        tradeoffs=_tradeoffs(found, at),
        questions={
            name: QuestionReferral(
                unsure=found["unsure",][name],
                errors=found["question", name],
                tradeoffs=_tradeoffs(found, at, "question", name),
            )
            for name in task.questions
        },
        parts=_of_parts(predictions, abstentions, at, options),
    )


def _of_parts(
    predictions: Predictions, abstentions: Abstentions, at: Mapping[float, Abstentions], options: AssessmentOptions
) -> dict[str, ReferralAssessment]:
    rows = {name: np.flatnonzero(predictions.task.told(name, predictions.y_true)) for name in predictions.task.parts}
    return {
        name: _assess(
            predictions.of_part(name),
            abstentions.of_part(name, told),
            {coverage: other.of_part(name, told) for coverage, other in at.items()},
            options,
        )
        for name, told in rows.items()
        if len(told)
    }


def _of_images(predictions: Predictions, abstentions: Abstentions, at: Mapping[float, Abstentions]) -> _Counted:
    """What is counted of whole images; the last name is that among the estimates of a group."""
    task, labels, decisions = predictions.task, np.asarray(predictions.y_true), predictions.decisions
    every, wrong, given = np.ones(len(labels), dtype=bool), ~task.is_right(labels, decisions), task.answered(labels)
    covered = np.asarray((abstentions.sets >= given).all(axis=1))
    referred, told = abstentions.referred, np.any([task.known(labels, name) for name in task.judged], axis=0)
    among = {ALL: told, "read": told & ~referred, "referred": told & referred}
    far = {"far errors": np.abs(labels - decisions) > 1} if task.ordered else {}
    return {
        **({("coverage", ALL): (covered, every)} if task.exclusive else {}),
        **{("coverage", name): (abstentions.sets[:, i], given[:, i]) for i, name in enumerate(task.answers)},
        ("referred", "uncertain"): (abstentions.uncertain, every),
        ("referred", "unfamiliar"): (abstentions.unfamiliar, every),
        ("referred", "referred"): (referred, every),
        **{
            (group, name): (errors, some)
            for group, errors in {"errors": wrong, **far}.items()
            for name, some in among.items()
        },
        **_at_coverages((), wrong, told, {coverage: ~other.referred for coverage, other in at.items()}),
    }


def _of_questions(predictions: Predictions, abstentions: Abstentions, at: Mapping[float, Abstentions]) -> _Counted:
    """What is counted of each question."""
    task, labels = predictions.task, np.asarray(predictions.y_true)
    counted: _Counted = {}
    yes, sure = abstentions.yes, ~abstentions.unsure
    sure_at = {coverage: ~other.unsure for coverage, other in at.items()}
    for i, name in enumerate(task.questions):
        known, wrong = task.known(labels, name), yes[:, i] != task.shows(labels, name)
        among = {ALL: known, "sure": known & sure[:, i], "unsure": known & ~sure[:, i]}
        counted["unsure", name] = (~sure[:, i], np.ones(len(labels), dtype=bool))
        counted |= {("question", name, some): (wrong, those) for some, those in among.items()}
        read = {coverage: found[:, i] for coverage, found in sure_at.items()}
        counted |= _at_coverages(("question", name), wrong, known, read)
    return counted


def _at_coverages(of: tuple[str, ...], wrong: BoolArray, known: BoolArray, read: Mapping[float, BoolArray]) -> _Counted:
    counted: _Counted = {}
    for coverage, kept in read.items():
        counted[*of, f"at {coverage}", "read"] = (kept, np.ones_like(kept))
        counted[*of, f"at {coverage}", "errors"] = (wrong, kept & known)
    return counted


def _estimated(
    counted: _Counted, predictions: Predictions, options: AssessmentOptions
) -> dict[tuple[str, ...], dict[str, Estimate]]:
    """The shares by their groups."""
    estimates = proportions(
        {" ".join(key): pair for key, pair in counted.items()},
        patients=predictions.patients,
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
    )
    found: dict[tuple[str, ...], dict[str, Estimate]] = {}
    for key, estimate in zip(counted, estimates.values(), strict=True):
        found.setdefault(key[:-1], {})[key[-1]] = estimate
    return found


def _tradeoffs(
    found: Mapping[tuple[str, ...], Mapping[str, Estimate]], at: Mapping[float, Abstentions], *of: str
) -> tuple[Tradeoff, ...]:
    return tuple(Tradeoff(coverage, **found[*of, f"at {coverage}"]) for coverage in at)


def _set_sizes(abstentions: Abstentions) -> tuple[int, ...]:
    counted = abstentions.sets if abstentions.task.exclusive else abstentions.unsure
    return tuple(np.bincount(counted.sum(axis=1), minlength=counted.shape[1] + 1).tolist())


def _to_dict(estimates: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: found.to_dict() for name, found in estimates.items()}
