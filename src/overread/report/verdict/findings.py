"""What is said of several findings at once."""

from __future__ import annotations

from overread.evaluation import Assessment
from overread.evaluation.summary import rare_classes
from overread.evaluation.wording import in_words
from overread.report.verdict.classes import rate
from overread.words import count, first_of, listed


def of_findings(assessment: Assessment, chosen_on: str) -> str:
    """Say how well findings are told on the mean, which best and worst, and which cannot be judged."""
    evaluation, judged = assessment.evaluation, assessment.evaluation.per_class
    found = {name: assessment.estimates.of_class(name, "auc") for name in judged}
    defined = sorted(
        (name for name, auc in found.items() if auc.metric.reason is None), key=lambda name: -found[name].metric.value
    )
    of = f"{len(judged)}" if len(defined) == len(judged) else f"{len(defined)} of {len(judged)}"
    said = [
        f"On {count(evaluation.n, 'test image')} the mean AUC of {of} findings is {in_words(assessment['auc'])}: the "
        "chance that an image with a finding gets a higher probability of it than one without."
    ]
    if len(defined) > 1:
        best, worst = (f"{name} with {in_words(found[name], with_level=False)}" for name in (defined[0], defined[-1]))
        said.append(f"It is highest for {best}, and lowest for {worst}.")
    said += [_decided(assessment, chosen_on), _open(assessment), _rare(assessment)]
    return " ".join(filter(None, said))


def _decided(assessment: Assessment, chosen_on: str) -> str:
    sensitivity, specificity, exact = (assessment[name] for name in ("sensitivity", "specificity", "accuracy"))
    if sensitivity.metric.reason or specificity.metric.reason:
        return ""
    return (
        f"At the operating points fixed beforehand on {chosen_on}, each finding its own, it found on the mean over "
        f"the findings {rate(sensitivity)} of the images that show one (sensitivity) and cleared "
        f"{rate(specificity)} of those that do not (specificity). All findings of an image were right in "
        f"{rate(exact)} of images."
    )


def _open(assessment: Assessment) -> str:
    """Which findings cannot be judged, and why."""
    why: dict[str, list[str]] = {}
    for name, metrics in assessment.evaluation.per_class.items():
        present, known = assessment.evaluation.positives(name)
        if metrics["auc"].reason:
            reason = (
                "not known of any image"
                if not known
                else "shown by no image"
                if not present
                else "shown by every image"
            )
            why.setdefault(reason, []).append(name)
    if not why:
        return ""
    named = "; ".join(f"{listed(names)} ({reason})" for reason, names in why.items())
    return f"It cannot be judged for {named}."


def _rare(assessment: Assessment) -> str:
    rare = [name for name in rare_classes(assessment) if assessment.evaluation.positives(name)[0]]
    if not rare:
        return ""
    return (
        f"{first_of(rare)} {'is' if len(rare) == 1 else 'are'} rare here, below 10 % of the images: of a rare finding "
        "the AUC tells too little, so read its average precision against its prevalence."
    )
