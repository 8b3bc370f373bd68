"""The verdict: what was found in plain words, with the main numbers and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overread.evaluation import Assessment, Estimate
from overread.evaluation.summary import rare_classes
from overread.evaluation.wording import in_words
from overread.report.document import Section
from overread.words import clause, count, level_of, listed, percent


def verdict(
    assessment: Assessment, patients: Sequence[str | None] | None, chosen_on: str = "validation images"
) -> tuple[str, ...]:
    """Say in one paragraph what the reader can do, and in a second what the figures rest on.

    Args:
        assessment: of the test images.
        patients: of each image, None or "" for one that names none; None if no patient is known.
        chosen_on: the images that placed the threshold, in words.
    """
    found = _of_positive(assessment, chosen_on) if assessment.task.positive is not None else _of_several(assessment)
    return (" ".join((found, *_rare(assessment))), design(assessment, patients))


def design(assessment: Assessment, patients: Sequence[str | None] | None) -> str:
    """Say what the intervals take for independent."""
    n, n_patients = assessment.evaluation.n, assessment.n_patients
    named = sum(bool(patient) for patient in patients or ())
    level = level_of(assessment.options.level)
    method = f"What stands in brackets are {level} intervals; the method of each stands beside it further down."
    if not named:
        return (
            "No image names its patient, so each counts as a patient of its own and the intervals take the images as "
            f"independent; where patients have several images, the intervals are too narrow. {method}"
        )
    unnamed = f", {count(n - named, 'image')} without a named patient counting as one each" if named < n else ""
    if n == n_patients:
        return (
            f"Each image comes from a patient of its own{unnamed}, so the intervals take the images as independent. "
            f"{method}"
        )
    return (
        f"The {n:,} images come from {count(n_patients, 'patient')}{unnamed}. Images of one patient resemble one "
        f"another, so the intervals take the patient, not the image, as the unit that chance draws. {method}"
    )


def caution(sections: Sequence[Section]) -> tuple[str, ...]:
    """Point from the verdict to the warnings further down."""
    warned = [section for section in sections if section.warnings]
    if not warned:
        return ()
    total = sum(len(section.warnings) for section in warned)
    where = listed([section.heading for section in warned])
    return (f"Read with this result the {count(total, 'warning')} under {where}.",)


def _of_positive(assessment: Assessment, chosen_on: str) -> str:
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
            f"it found {_share(sensitivity)} of the {sensitivity.metric.n:,} {positive} images "
            f"(sensitivity), missing {missed:,}"
        )
    if specificity.metric.reason is None:
        halves.append(
            f"it cleared {_share(specificity)} of the {specificity.metric.n:,} {negative} images "
            f"(specificity), with {count(alarms, 'false alarm')}"
        )
    decided = f"{at} fixed beforehand on {chosen_on}{called} {', and '.join(halves)}."
    return f"{ranked} {decided} {_predictive_values(assessment)}"


def _rare(assessment: Assessment) -> Iterator[str]:
    """What AUC leaves out of rare classes."""
    estimates, positive = assessment.estimates, assessment.task.positive
    for name in rare_classes(assessment):
        found = estimates["average_precision"] if positive else estimates.of_class(name, "average_precision")
        if found.metric.reason is None:
            share = assessment.evaluation.class_counts[name] / assessment.evaluation.n
            yield (
                f"{name} is rare here, {percent(share)} of the images, and of a rare class the AUC tells too little: "
                f"the average precision, the share of right ones among those called, averaged over all thresholds, is "
                f"{in_words(found)}, where chance would give {share:.3f}."
            )


def _predictive_values(assessment: Assessment) -> str:
    evaluation, positive = assessment.evaluation, assessment.task.positive
    if not assessment.predictive_values:
        share, ppv = percent(evaluation.confusion[1].sum() / evaluation.n), assessment["ppv"]
        right = f", and {_share(ppv)} of those called {positive} were right (PPV)" if ppv.metric.reason is None else ""
        return f"Of the test images {share} are {positive}{right}; where {positive} is rarer, fewer will be."
    prevalence = level_of(assessment.options.prevalence or 0)
    ppv, npv = (assessment.predictive_values[name] for name in ("ppv", "npv"))
    if ppv.metric.reason or npv.metric.reason:
        reason = clause(ppv.metric.reason or npv.metric.reason)
        return f"PPV and NPV where {prevalence} of images are {positive} are not both defined ({reason})."
    return (
        f"Where {prevalence} of images are {positive}, as stated, {_share(ppv)} of the images called {positive} would "
        f"be right (PPV), and {_share(npv)} of the others (NPV)."
    )


def _of_several(assessment: Assessment) -> str:
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
        f"right one in {_share(assessment['accuracy'])} of images (accuracy); with every class "
        f"counting alike that is {_share(assessment['balanced_accuracy'])} (balanced accuracy). "
        f"{extremes} The mean AUC of each class against the rest is {in_words(assessment['auc'])}."
    )


def _share(estimate: Estimate) -> str:
    return in_words(estimate, as_share=True, with_level=False)


def _share_of(assessment: Assessment, name: str) -> str:
    estimate = assessment.estimates.of_class(name, "sensitivity")
    return f"{_share(estimate)} of {count(estimate.metric.n, 'image')}"
