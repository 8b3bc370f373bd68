"""What a positive and a negative reading mean where the disease is as common as in the clinic."""

from __future__ import annotations

import math

from overread.errors import InvalidOption
from overread.evaluation.metrics import Metric


def predictive_values(sensitivity: Metric, specificity: Metric, *, prevalence: float) -> dict[str, Metric]:
    """Give PPV and NPV where this share of cases is positive, by Bayes' theorem.

    Sensitivity and specificity are taken to hold there too; where the clinic sees milder disease, they do not.

    Args:
        sensitivity: of the test set, at the operating point.
        specificity: likewise.
        prevalence: above 0 and below 1.

    Returns:
        "ppv" and "npv", each resting on the cases of both; NaN with the reason where a rate is undefined or no case
        would be called positive (negative).

    Raises:
        InvalidOption: the prevalence is out of range.

    References:
        Altman DG, Bland JM. BMJ 1994;309:102. doi:10.1136/bmj.309.6947.102
    """
    if not 0 < prevalence < 1:
        raise InvalidOption(f"prevalence={prevalence!r} is no share of cases: choose one above 0 and below 1")
    undefined = " ".join(dict.fromkeys(rate.reason for rate in (sensitivity, specificity) if rate.reason)) or None
    found, missed = sensitivity.value * prevalence, (1 - sensitivity.value) * prevalence
    cleared, alarms = specificity.value * (1 - prevalence), (1 - specificity.value) * (1 - prevalence)

    def share(name: str, right: float, wrong: float, if_none: str) -> Metric:
        reason = undefined or (if_none if right + wrong == 0 else None)
        value = math.nan if reason else right / (right + wrong)
        return Metric(name, value, sensitivity.n + specificity.n, reason)

    return {
        "ppv": share("ppv", found, alarms, "No case was predicted positive."),
        "npv": share("npv", cleared, missed, "Every case was predicted positive."),
    }
