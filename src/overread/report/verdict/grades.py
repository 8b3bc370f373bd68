"""What is said of ordered grades."""

from __future__ import annotations

from overread.evaluation import Assessment
from overread.evaluation.summary import each_judged
from overread.evaluation.wording import in_words
from overread.report.judged import operating_points_of
from overread.report.verdict.classes import rate
from overread.words import clause, count


def of_grades(assessment: Assessment, chosen_on: str) -> str:
    """Say how well the decided grade agrees with the true one, how far off it is, and what the cuts are worth."""
    n, kappa = count(assessment.evaluation.n, "test image"), assessment["quadratic_kappa"]
    agreed = (
        f"On {n} the decided grade agrees with the true one with a quadratic weighted kappa of {in_words(kappa)}: 0 is "
        "chance, 1 is perfect, and a mistake weighs as the square of the grades that it is off."
        if kappa.metric.reason is None
        else f"On {n} no kappa can be given ({clause(kappa.metric.reason)})."
    )
    within, right, off = (assessment[name] for name in ("within_one_grade", "accuracy", "mean_absolute_error"))
    near = (
        f"The decided grade lies within one grade of the true one in {rate(within)} of images and is right in "
        f"{rate(right)} (accuracy); on the mean it is {in_words(off, with_level=False)} grades off."
    )
    return " ".join((agreed, near, _of_cuts(assessment, chosen_on)))


def _of_cuts(assessment: Assessment, chosen_on: str) -> str:
    judged = each_judged(assessment)
    defined = {name: found for name, found in judged.items() if found["auc"].metric.reason is None}
    if not defined:
        return "No cut between grades can be judged, for the images lie all on one side."
    if len(judged) > 1:
        ranked = sorted(defined, key=lambda name: -defined[name]["auc"].metric.value)
        best, worst = (
            f"{name} with {in_words(defined[name]['auc'], with_level=False)}" for name in (ranked[0], ranked[-1])
        )
        return f"Of the cuts, the AUC is highest for {best}, and lowest for {worst}."
    ((name, found),) = defined.items()
    threshold = operating_points_of(assessment).get(name)
    at = (
        ""
        if threshold is None
        else f"At the operating point fixed beforehand on {chosen_on} (a probability of {threshold:.3f} or more) "
    )
    sensitivity, specificity = found["sensitivity"], found["specificity"]
    return (
        f"The AUC of {name} is {in_words(found['auc'])}. {at or 'By the decided grade '}it found {rate(sensitivity)} "
        f"of the {sensitivity.metric.n:,} images of {name} (sensitivity) and cleared {rate(specificity)} of the "
        f"{specificity.metric.n:,} others (specificity)."
    )
