"""What is said of two classes, of which one is positive, and of several, of which each image is one."""

from __future__ import annotations

from overread.evaluation import Assessment, Estimate
from overread.evaluation.wording import in_words
from overread.words import clause, count, level_of, percent


def of_positive(assessment: Assessment, chosen_on: str) -> str:
    """Say how well the positive class is told from the other, and what decisions and calls were worth."""
    evaluation = assessment.evaluation
    negative, positive = evaluation.classes
    auc, sensitivity, specificity = (assessment[name] for name in ("auc", "sensitivity", "specificity"))
    (_, alarms), (missed, _) = evaluation.confusion.tolist()
    ranked = (
        f"On {count(evaluation.n, 'test image')} the reader told {positive} from {negative} with an AUC of "
        f"{in_words(auc)}: the chance that a {positive} image gets a higher probability than a {negative} one."
        if auc.metric.reason is None
        else f"On {count(evaluation.n, 'test image')} no AUC can be given ({clause(auc.metric.reason)})."
    )
    at = "At the operating points" if evaluation.threshold is None else "At the operating point"
    called = "" if evaluation.threshold is None else f" (a probability of {evaluation.threshold:.3f} or more)"
    halves = []
    if sensitivity.metric.reason is None:
        halves.append(
            f"it found {rate(sensitivity)} of the {sensitivity.metric.n:,} {positive} images "
            f"(sensitivity), missing {missed:,}"
        )
    if specificity.metric.reason is None:
        halves.append(
            f"it cleared {rate(specificity)} of the {specificity.metric.n:,} {negative} images "
            f"(specificity), with {count(alarms, 'false alarm')}"
        )
    decided = f"{at} fixed beforehand on {chosen_on}{called} {', and '.join(halves)}."
    return f"{ranked} {decided} {_predictive_values(assessment)}"


def _predictive_values(assessment: Assessment) -> str:
    evaluation, positive = assessment.evaluation, assessment.task.positive
    if not assessment.predictive_values:
        share, ppv = percent(evaluation.confusion[1].sum() / evaluation.n), assessment["ppv"]
        right = f", and {rate(ppv)} of those called {positive} were right (PPV)" if ppv.metric.reason is None else ""
        return f"Of the test images {share} are {positive}{right}; where {positive} is rarer, fewer will be."
    prevalence = level_of(assessment.options.prevalence or 0)
    ppv, npv = (assessment.predictive_values[name] for name in ("ppv", "npv"))
    if ppv.metric.reason or npv.metric.reason:
        reason = clause(ppv.metric.reason or npv.metric.reason)
        return f"PPV and NPV where {prevalence} of images are {positive} are not both defined ({reason})."
    return (
        f"Where {prevalence} of images are {positive}, as stated, {rate(ppv)} of the images called {positive} would "
        f"be right (PPV), and {rate(npv)} of the others (NPV)."
    )


def of_several(assessment: Assessment) -> str:
    """Say how often the most probable class is the right one, and which class is recognised best and worst."""
    evaluation = assessment.evaluation
    found = {name: metrics["sensitivity"] for name, metrics in evaluation.per_class.items()}
    defined = [name for name, metric in found.items() if metric.reason is None]
    best = max(defined, key=lambda name: found[name].value)
    worst = min(defined, key=lambda name: found[name].value)
    extremes = (
        f"It recognised {best} most often ({_share_of(assessment, best)}) and {worst} least often "
        f"({_share_of(assessment, worst)})."
        if found[best].value > found[worst].value
        else f"It recognised each class equally often ({percent(found[best].value)})."
    )
    return (
        f"On {count(evaluation.n, 'test image')} of {len(evaluation.classes)} classes the most probable class was the "
        f"right one in {rate(assessment['accuracy'])} of images (accuracy); with every class "
        f"counting alike that is {rate(assessment['balanced_accuracy'])} (balanced accuracy). "
        f"{extremes} The mean AUC of each class against the rest is {in_words(assessment['auc'])}."
    )


def rate(estimate: Estimate) -> str:
    """Give a share with its interval inside a sentence."""
    return in_words(estimate, as_share=True, with_level=False)


def _share_of(assessment: Assessment, name: str) -> str:
    estimate = assessment.estimates.of_class(name, "sensitivity")
    return f"{rate(estimate)} of {count(estimate.metric.n, 'image')}"
