"""The model card: what a network is, how it was made and tested and what is not known of it, for a human to complete.

References:
    Mitchell M et al. Model Cards for Model Reporting. Proc. FAT* 2019:220-229. doi:10.1145/3287560.3287596
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from overread.bundle.bundle import Bundle
from overread.errors import InvalidBundle
from overread.evaluation import LABELS, LOSSES, RANKING, RATES, Assessment, Estimates, SubgroupMetric
from overread.report.documents.markdown import bullets, escaped, shown, table
from overread.report.documents.statements import (
    CardFacts,
    bears_up,
    calibrations,
    decision,
    kind,
    left_out,
    limits,
    preprocessing,
    referred,
    refers,
    tested,
    training,
)
from overread.report.operating_points import threshold_interval
from overread.report.robustness import robustness_table
from overread.words import low_to_high

TEMPLATES = Path(__file__).parent / "templates"


def model_card(bundle: Bundle, assessment: Assessment, facts: CardFacts) -> str:
    """Write the model card in Markdown.

    It names no image and no patient, for it travels with the bundle.

    Args:
        bundle: as `Bundle.write` gave it.
        assessment: of its test side.
        facts: of its training run.

    Raises:
        InvalidBundle: the bundle is not written yet, so its files have no hashes.
    """
    if not bundle.files:
        raise InvalidBundle("the bundle is not written yet, so the card cannot name its hashes: call write first")
    values = {
        "title": escaped(bundle.task.title),
        "kind": escaped(kind(bundle)),
        "preprocessing": escaped(preprocessing(bundle)),
        "created": escaped(bundle.created),
        "counts": _counts(bundle, facts),
        "left_out": escaped(left_out(facts)),
        "notes": bullets(facts.notes),
        "training": escaped(training(facts)),
        "recipe": table(("Option", "Value"), _flat(bundle.recipe)),
        "decision": escaped(decision(bundle, facts)),
        "operating_points": _operating_points(bundle),
        "calibration": bullets(calibrations(bundle)),
        "reliability": _reliability(assessment),
        "referral": escaped(refers(bundle)),
        "referral_results": escaped(referred(facts.referral)),
        "tested": escaped(tested(assessment, facts)),
        "results": _results(assessment),
        "robustness": _robustness(facts),
        "subgroups": _subgroups(assessment),
        "limits": bullets(limits(bundle, assessment, facts)),
        "provenance": _provenance(bundle, facts),
    }
    page = (TEMPLATES / "card.md").read_text(encoding="utf-8").format_map(values)
    return re.sub(r"\n{3,}", "\n\n", page)


def _flat(options: Mapping[str, Any], group: str = "") -> list[tuple[str, str]]:
    rows = []
    for name, value in options.items():
        rows += _flat(value, f"{name} ") if isinstance(value, Mapping) else [(group + name, str(value))]
    return rows


def _counts(bundle: Bundle, facts: CardFacts) -> str:
    who = "Patients" if facts.has_patients else "Patients (an image without one counts as one)"
    if not bundle.task.exclusive:  # of which there may be dozens
        each = [(name, *(count[name] for count in facts.counts.values())) for name in bundle.classes]
        totals = [("Images", *facts.sizes.values()), (who, *facts.patients.values())]
        return table((bundle.task.noun[0].capitalize(), *facts.counts), [*each, *totals])
    rows = [
        (side, *(count[name] for name in bundle.classes), facts.sizes[side], facts.patients[side])
        for side, count in facts.counts.items()
    ]
    return table(("Side", *bundle.classes, "Images", who), rows)


def _operating_points(bundle: Bundle) -> str:
    header = (
        bundle.task.judged_noun[0].capitalize(), "Threshold", "Interval (95 of 100)", "Rule", "Sensitivity",
        "Specificity", "Positive images", "Other images", "Note",
    )  # fmt: skip
    rows = [
        (
            name,
            f"{point.threshold:.4g}",
            threshold_interval(point),
            point.rule,
            point.sensitivity,
            point.specificity,
            point.n_positive,
            point.n_negative,
            point.note,
        )
        for name, point in bundle.operating_points.items()
    ]
    return table(header, rows)


def _reliability(assessment: Assessment) -> str:
    one = assessment.task.judged_noun[0].capitalize()
    header = (one, "Calibration", "Expected calibration error", "Brier score", "Slope", "Intercept", "In the large")
    rows = [
        (name, stage, found.ece, found.brier, found.slope, found.intercept, found.in_the_large)
        for name, pair in assessment.reliability.items()
        for stage, found in pair._asdict().items()
    ]
    return table(header, rows)


def _results(assessment: Assessment) -> str:
    if assessment.parts:
        return "\n\n".join(f"### {escaped(name)}\n\n{_results(part)}" for name, part in assessment.parts.items())
    return _results_of_positive(assessment) if assessment.task.positive else _results_of_classes(assessment)


def _results_of_positive(assessment: Assessment) -> str:
    estimates, half = assessment.estimates, assessment.at_half
    threshold = estimates.evaluation.threshold
    point = "of the network that read each image" if threshold is None else f"{threshold:.4g}"
    parts = [f"At the operating point {point}:", _metrics(estimates)]
    if half is not None and half is not estimates:
        parts += ["At a threshold of 0.5:", _metrics(half, left_out=(*RANKING, *LOSSES))]
    if values := assessment.predictive_values:
        parts += [f"Where {assessment.options.prevalence:.2%} of cases are positive:"]
        parts += [table(("Metric", "Value"), [(LABELS[name], found) for name, found in values.items()])]
    return "\n\n".join(parts)


def _results_of_classes(assessment: Assessment) -> str:
    estimates, micro, task = assessment.estimates, assessment.micro.items(), assessment.task
    decided, (one, several) = f"{task.decided_on.capitalize()} decided on", task.judged_noun
    each_one, against = f"Each {one}", "" if task.questions else ", each against the rest"
    rest = "" if task.questions else " against the rest"
    of_class = next(iter(estimates.evaluation.per_class.values()))
    defined = [found for found in estimates.evaluation.definitions if found.name in of_class]
    each = [(c, *(estimates.of_class(c, found.name) for found in defined)) for c in estimates.evaluation.per_class]
    points = [
        (c, f"{found.evaluation.threshold:.4g}", *(found[name] for name in RATES))
        for c, found in assessment.at_class_points.items()
    ]
    parts = [f"{decided}; AUC to F1 are means over the {several}{against}:", _metrics(estimates)]
    if micro:
        of = "a class" if task.exclusive else f"a {one}"
        parts += [f"The same over all decisions on an image and {of} (micro averages):"]
        parts += [table(("Metric", "Value"), [(estimates.evaluation.labels[name], found) for name, found in micro])]
    parts += [
        f"{each_one}{rest}, {task.decided_on} decided on:",
        table((one.capitalize(), *(found.label for found in defined)), each),
    ]
    if points or not task.questions:
        header = (one.capitalize(), "Threshold", *(LABELS[name] for name in RATES))
        parts += [f"{each_one}{rest} at its own operating point:", table(header, points)]
    return "\n\n".join(parts)


def _metrics(estimates: Estimates, left_out: Sequence[str] = ()) -> str:
    defined = [found for found in estimates.evaluation.definitions if found.name not in left_out]
    found = {one.label: estimates[one.name] for one in defined}
    rows = [(label, e.metric, e.interval, e.interval.method, e.metric.n) for label, e in found.items()]
    return table(("Metric", "Value", "Interval", "Method of the interval", "Cases"), rows)


def _subgroups(assessment: Assessment) -> str:
    if not assessment.subgroups:
        return "No groups of cases were compared."
    parts = [
        "A metric differs from the rest where the interval of its gap leaves out 0. Nothing corrects for the number of "
        "gaps, and none is judged that rests on few patients."
    ]
    for name, part in (assessment.parts or {"": assessment}).items():
        parts += [f"### {escaped(name)}"] * bool(name)
        for found in part.subgroups:
            labels = part.evaluation.labels
            header = (found.column, "Images", "Patients", *(labels[metric] for metric in found.groups[0].metrics))
            rows = [(g.label, g.n, g.patients, *map(_in_group, g.metrics.values())) for g in found.groups]
            parts.append(table(header, rows))
    return "\n\n".join(parts)


def _in_group(found: SubgroupMetric) -> str:
    ends = f" ({low_to_high(*found.interval)})" if found.interval else ""
    standing = {True: ", differs from the rest", False: "", None: ", not judged"}[found.flagged]
    return f"{shown(found.metric)}{ends}{standing}"


def _robustness(facts: CardFacts) -> str:
    said = escaped(bears_up(facts.robustness))
    if facts.robustness is None:
        return said
    laid_out = robustness_table(facts.robustness)
    return "\n\n".join([said, escaped(f"{laid_out.caption}:"), table(laid_out.header, laid_out.rows)])


def _provenance(bundle: Bundle, facts: CardFacts) -> str:
    rows = [
        ("Bundle, SHA-256", bundle.fingerprint),
        *((f"{name}, SHA-256", digest) for name, digest in bundle.files.items()),
        ("Images, SHA-256", bundle.data["fingerprint"]),
        ("Command", facts.command),
        ("Machine", facts.machine),
        *bundle.versions.items(),
    ]
    return table(("What", "Value"), rows)
