"""What abstaining is worth on labelled images: coverage of the prediction sets, who is referred, errors that remain."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from overread.decision.prediction_sets import Referral
from overread.decision.referral import Abstentions
from overread.evaluation.assessment import AssessmentOptions
from overread.evaluation.estimates import Estimate
from overread.evaluation.predictions import Predictions
from overread.evaluation.uncertainty.proportions import Mask, proportions

ALL = "all images"


class Tradeoff(NamedTuple):
    """What another coverage would have given: the share of images that are read, and of these the share of errors."""

    coverage: float
    read: Estimate
    errors: Estimate


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ReferralAssessment:
    """Abstention on labelled images; `assess_referral` makes it.

    Args:
        coverage: share of images whose prediction set holds the true class: of `ALL`, and of each class by its name.
        set_sizes: images by the number of classes in their set, from none to every class.
        referred: share of images "uncertain", "unfamiliar", and "referred" for either.
        errors: share of wrong decisions among all, "read" and "referred" images.
        tradeoffs: the same rule at other coverages, with the limit of familiarity as it is.
    """

    coverage: Mapping[str, Estimate]
    set_sizes: Sequence[int]
    referred: Mapping[str, Estimate]
    errors: Mapping[str, Estimate]
    tradeoffs: Sequence[Tradeoff]

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "coverage": {name: found.to_dict() for name, found in self.coverage.items()},
            "set_sizes": list(self.set_sizes),
            "referred": {name: found.to_dict() for name, found in self.referred.items()},
            "errors": {name: found.to_dict() for name, found in self.errors.items()},
            "tradeoffs": [
                {"coverage": at.coverage, "read": at.read.to_dict(), "errors": at.errors.to_dict()}
                for at in self.tradeoffs
            ],
        }


def assess_referral(
    predictions: Predictions,
    abstentions: Abstentions,
    *,
    others: Sequence[Referral] = (),
    options: AssessmentOptions | None = None,
) -> ReferralAssessment:
    """Hold prediction sets and referrals against the true classes, with intervals by patient.

    Args:
        predictions: of labelled images.
        abstentions: of the same images.
        others: the thresholds of other coverages, chosen on the same validation images, for the trade-off.
        options: level, resamples and seed of the intervals.
    """
    options = options or AssessmentOptions()
    task, labels, y_prob = predictions.task, np.asarray(predictions.y_true), np.asarray(predictions.y_prob)
    every, wrong = np.ones(len(labels), dtype=bool), ~task.is_right(labels, predictions.decisions)
    given = task.answered(labels)
    covered = np.asarray((abstentions.sets >= given).all(axis=1))
    referred = abstentions.referred
    counted: dict[tuple[str, str], tuple[Mask, Mask]] = {
        ("coverage", ALL): (covered, every),
        **{("coverage", name): (abstentions.sets[:, i], given[:, i]) for i, name in enumerate(task.answers)},
        ("referred", "uncertain"): (abstentions.uncertain, every),
        ("referred", "unfamiliar"): (abstentions.unfamiliar, every),
        ("referred", "referred"): (referred, every),
        ("errors", ALL): (wrong, every),
        ("errors", "read"): (wrong, ~referred),
        ("errors", "referred"): (wrong, referred),
    }
    for other in others:
        kept = ~dataclasses.replace(abstentions, sets=other.sets(y_prob, task)).referred
        counted |= {(f"at {other.coverage}", "read"): (kept, every), (f"at {other.coverage}", "errors"): (wrong, kept)}
    named = {" ".join(key): pair for key, pair in counted.items()}
    estimates = proportions(
        named,
        patients=predictions.patients,
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
    )
    found: dict[str, dict[str, Estimate]] = {}
    for (group, name), estimate in zip(counted, estimates.values(), strict=True):
        found.setdefault(group, {})[name] = estimate
    sizes = np.bincount(abstentions.sets.sum(axis=1), minlength=len(task.answers) + 1)
    return ReferralAssessment(
        coverage=found["coverage"],
        set_sizes=tuple(sizes.tolist()),
        referred=found["referred"],
        errors=found["errors"],
        tradeoffs=tuple(Tradeoff(other.coverage, **found[f"at {other.coverage}"]) for other in others),
    )
