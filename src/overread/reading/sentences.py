"""A reading in words."""

from __future__ import annotations

import math

from overread.decision.referral import UNCERTAIN
from overread.reading.reading import Reading

_MOST_DIGITS = 6


def rounded(probability: float, digits: int = 2) -> str:
    """A probability in so many digits that does not claim to be certain when it is not."""
    text, least = f"{probability:.{digits}f}", 10**-digits
    if 0 < probability < 1 and float(text) in (0, 1):
        return f"<{least:.{digits}f}" if probability < least else f">{1 - least:.{digits}f}"
    return text


def decision(found: Reading) -> str:
    """What is decided and why, in one sentence."""
    positive = found.task.positive
    if positive is None or found.threshold is None:
        chance, several = rounded(found.probabilities[found.predicted_label]), len(found.probabilities)
        return f"Reads as {found.predicted_label}: the most probable of {several} classes, probability {chance}"
    probability, threshold = told_apart(found.probabilities[positive], found.threshold)
    compared = "is at or above" if found.positive else f"of {positive} is below"
    return f"Reads as {found.predicted_label}: probability {probability} {compared} the operating point {threshold}"


def reasons(found: Reading, coverage: float) -> tuple[str, ...]:
    """Why a human should read the image, a sentence for each reason."""
    return tuple(
        _uncertain(found, f"{100 * coverage:g} %") if reason == UNCERTAIN else _unfamiliar(found.unfamiliarity)
        for reason in found.refer
    )


def told_apart(probability: float, threshold: float) -> tuple[str, str]:
    """A probability and the operating point in as few digits, two or more, as show which is larger."""
    for digits in range(2, _MOST_DIGITS + 1):
        shown = rounded(probability, digits), rounded(threshold, digits)
        if shown[0] != shown[1]:
            break
    return shown


def _uncertain(found: Reading, coverage: str) -> str:
    left = list(found.prediction_set)
    if not left:
        return f"Uncertain: at {coverage} coverage it fits no class."
    if len(left) == 1:
        return f"Uncertain: at {coverage} coverage only {left[0]} cannot be ruled out, against the decision."
    return f"Uncertain: at {coverage} coverage {', '.join(left[:-1])} and {left[-1]} cannot be ruled out."


def _unfamiliar(score: float) -> str:
    if not math.isfinite(score):
        return "Unlike the training images: its features are no finite numbers."
    times = f"{score:.1f}" if score < 100 else f"{score:.0f}"
    if times == "1.0":
        return (
            "Unlike the training images: it lies just beyond the distance within which 99 % of validation images lie."
        )
    return f"Unlike the training images: {times} times as far from them as 99 % of validation images lie at most."
