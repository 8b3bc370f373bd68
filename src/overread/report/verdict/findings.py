"""What is said of several findings at once."""

from __future__ import annotations

from overread.evaluation import Assessment
from overread.evaluation.metrics.definition import FEWEST_PATIENTS
from overread.evaluation.summary import rare_classes
from overread.evaluation.wording import in_words
from overread.report.verdict.classes import rate
from overread.words import clause, count, first_of, listed


def of_findings(assessment: Assessment, chosen_on: str) -> str:
    """Say how well findings are told on the mean, which best and worst, and which cannot be judged."""
    said = (_ranked(assessment), _decided(assessment, chosen_on), _open(assessment), _rare(assessment))
    return " ".join(filter(None, said))


def _ranked(assessment: Assessment) -> str:
    n, mean = count(assessment.evaluation.n, "test image"), assessment["auc"]
    if mean.metric.reason:
        return f"On {n} no mean AUC can be given ({clause(mean.metric.reason)})."
    judged = assessment.evaluation.per_class
    found = {name: assessment.estimates.of_class(name, "auc") for name in judged if name not in mean.metric.left_out}
    of = f"{len(judged)}" if len(found) == len(judged) else f"{len(found)} of {len(judged)}"
    ranked = (
        f"On {n} the mean AUC of {of} findings is {in_words(mean)}: the chance that an image with a finding gets a "
        "higher probability of it than one without."
    )
    if len(found) < 2:
        return ranked
    best, *_, worst = sorted(found, key=lambda name: -found[name].metric.value)
    high, low = (f"{name} with {in_words(found[name], with_level=False)}" for name in (best, worst))
    return f"{ranked} It is highest for {high}, and lowest for {low}."


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
    evaluation, why = assessment.evaluation, dict[str, list[str]]()
    for name, metrics in evaluation.per_class.items():
        if metrics["auc"].reason or name in assessment["auc"].metric.left_out:
            why.setdefault(_why_open(*evaluation.positives(name)), []).append(name)
    named = "; ".join(f"{listed(names)} ({reason})" for reason, names in why.items())
    return f"It cannot be judged for {named}." if named else ""


def _why_open(present: int, known: int) -> str:
    if not known:
        return "not known of any image"
    if not present:
        return "shown by no image"
    return "shown by every image" if present == known else f"fewer than {FEWEST_PATIENTS} patients with it or without"


def _rare(assessment: Assessment) -> str:
    rare = [name for name in rare_classes(assessment) if assessment.evaluation.positives(name)[0]]
    if not rare:
        return ""
    return (
        f"{first_of(rare)} {'is' if len(rare) == 1 else 'are'} rare here, below 10 % of the images: of a rare finding "
        "the AUC tells too little, so read its average precision against its prevalence."
    )
