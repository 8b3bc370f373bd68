"""Choose the operating point on data that the network was not fitted to, never on test data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from overread.decision.choosing.resample import checked_patients, interval_of
from overread.decision.choosing.rules import Draws, Fixed, is_wide, parse_rule
from overread.decision.cuts import checked_scores, cut_table
from overread.decision.operating_point import OperatingPoint
from overread.decision.task import Task
from overread.errors import InvalidData


def choose_operating_point(
    y_true: npt.ArrayLike,
    y_prob_positive: npt.ArrayLike,
    *,
    rule: str | float = "youden",
    patients: Sequence[str | None] | None = None,
) -> OperatingPoint:
    """Choose the threshold with which patients not seen yet are to fare as asked.

    A number from 0 to 1, such as "0.5", is the threshold itself. The other rules take the cases for a sample of the
    patients to come, so that what a rule asks for need not hold on these cases:

    - "youden": the largest sum of sensitivity and specificity.
    - "cost=5:1": the lowest total cost where a missed positive case costs 5 and a false alarm 1. The share of positive
      cases counts; where it is not that of the clinic, so is the point.
    - "sensitivity=0.95": on average this sensitivity or, in the steps that the number of positive cases allows, a
      little more, with the highest specificity.
    - "specificity=0.9": likewise.

    How: see `FewestErrors` and `Reach`. Probabilities should be calibrated; the fewer the cases, the more "youden" and
    "cost" lean on that. Cases of equal probability are decided alike, so that ties may leave a target out of reach.

    The note says where the cases cannot place the threshold, where too few cases promise a target, where calling none
    positive would cost less, and where the point finds no positive or clears no negative case.

    Args:
        y_true: `(n,)` bool, or integers 0 and 1; True is positive.
        y_prob_positive: `(n,)` 0 to 1, the probability of the positive class.
        rule: as above.
        patients: of each case, None or "" for an unknown one, who counts as a patient of his own; None if none is
            known. They are what is drawn anew for the interval.

    Raises:
        InvalidOption: an unknown rule.
        InvalidData: no case, one class only, probabilities that are not 0 to 1, or patients that are not n.

    Example:
        >>> round(choose_operating_point([0, 0, 1, 1], [0.1, 0.4, 0.6, 0.9]).threshold, 3)
        0.5
    """
    positive, score = checked_scores(y_true, y_prob_positive)
    cuts = cut_table(positive, score)
    if not (cuts.n_positive and cuts.n_negative):
        raise InvalidData(
            f"{cuts.n_positive} positive and {cuts.n_negative} negative cases cannot place a threshold: "
            "choose it on a split that holds both classes"
        )
    cuts.require_probabilities()
    chosen = parse_rule(rule)
    draws = Draws(cuts.score, cuts.true_positives[None].astype(float), cuts.false_positives[None].astype(float))
    threshold = float(chosen.thresholds(draws)[0])
    called = int(np.count_nonzero(cuts.score >= threshold))
    true_positives = int(cuts.true_positives[called - 1]) if called else 0
    false_positives = int(cuts.false_positives[called - 1]) if called else 0
    notes = [_useless(true_positives, false_positives == cuts.n_negative), chosen.note(draws, threshold)]
    interval = None
    if not isinstance(chosen, Fixed):
        interval = interval_of(chosen, positive, score, patients)
        notes[1] = notes[1] or _loose(interval)
    return OperatingPoint(
        threshold=threshold,
        rule=str(rule),
        sensitivity=true_positives / cuts.n_positive,
        specificity=(cuts.n_negative - false_positives) / cuts.n_negative,
        n_positive=cuts.n_positive,
        n_negative=cuts.n_negative,
        note=" ".join(filter(None, notes)) or None,
        interval=interval,
    )


def choose_operating_points(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    task: Task,
    rule: str | float = "youden",
    patients: Sequence[str | None] | None = None,
) -> dict[str, OperatingPoint]:
    """Choose the threshold of each judged question: of the positive class of two, or of each of more against the rest.

    With more than two, a case may reach several of them, or none. Of `Task.questions`, such as several findings, each
    rests on the cases that answer it; one that all of these answer alike gets none, and 0.5 decides.

    Args:
        y_true: `(n,)` integers, the index of the true class, or what else the task has as truth.
        y_prob: `(n, K)` probabilities.
        task: what is told apart.
        rule: as `choose_operating_point` has it.
        patients: likewise.

    Raises:
        InvalidOption: an unknown rule.
        InvalidData: shapes, labels or patients that do not fit, a class without a case or that every case is of.
    """
    probabilities = task.checked_probabilities(y_prob)
    labels = task.checked_cases(y_true, len(probabilities))
    who = None if patients is None else np.array(checked_patients(patients, len(labels)), dtype=object)
    points = {}
    for name in task.judged:
        known = task.known(labels, name)
        actual, score = task.shows(labels, name)[known], task.score(probabilities, name)[known]
        if name in task.questions and np.all(actual == actual[:1]):
            continue
        try:
            theirs = None if who is None else who[known].tolist()
            points[name] = choose_operating_point(actual, score, rule=rule, patients=theirs)
        except InvalidData as error:
            raise InvalidData(f"class {name} against the rest: {error}") from None
    return points


def check_operating_point_rule(rule: str | float) -> None:
    """Refuse an unknown rule before hours of training lead up to it.

    Raises:
        InvalidOption: it is none that `choose_operating_point` knows.
    """
    parse_rule(rule)


def _useless(true_positives: int, all_called: bool) -> str | None:
    if true_positives == 0:
        return "No positive case reaches this threshold."
    return "Every negative case reaches this threshold." if all_called else None


def _loose(interval: tuple[float, float] | None) -> str | None:
    if interval is None:
        return "These cases are too few to tell how sure the threshold is."
    if not is_wide(*interval):
        return None
    low, high = interval
    return f"These cases hardly place the threshold: with other patients it would lie from {low:.2g} to {high:.2g}."
