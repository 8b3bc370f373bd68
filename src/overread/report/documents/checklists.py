"""Two reporting checklists, drafted from what a training run knows, for the authors of its paper to complete.

The items lie in `templates/*.toml`: number, section, topic in our own words and, where the program can answer, a
template of the answer and what is still for the authors.

References:
    Collins GS et al. TRIPOD+AI. BMJ 2024;385:e078378. doi:10.1136/bmj-2023-078378
    Tejani AS et al. CLAIM 2024 update. Radiol Artif Intell 2024;6(4):e240300. doi:10.1148/ryai.240300
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from typing import Any

from overread.bundle.bundle import Bundle
from overread.evaluation import LABELS, RANKING, RATES, Assessment
from overread.evaluation.metrics.built_in import OF_GRADES
from overread.evaluation.summary import each_judged
from overread.networks.augmentation import shown_changes
from overread.networks.registry import find_network
from overread.report.documents.markdown import escaped, shown, table
from overread.report.documents.model_card import TEMPLATES
from overread.report.documents.statements import (
    CardFacts,
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
from overread.report.documents.told_apart import aim, weighted
from overread.report.robustness import worst_sentence
from overread.words import listed, paired

CHECKLISTS = ("tripod_ai", "claim")
FOR_AUTHORS = "to be written by the authors"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a checklist.

    Args:
        number: as the checklist has it, such as "3a".
        section: of the paper.
        topic: what it asks for, in our own words.
        answer: a template with names of statements in braces; None where the program knows nothing.
        authors: what the answer leaves to the authors.
    """

    number: str
    section: str
    topic: str
    answer: str | None = None
    authors: str | None = None

    def answered(self, known: Mapping[str, Any]) -> str:
        """Fill the template; without one, or with a statement missing, it is for the authors."""
        if self.answer is None:
            return FOR_AUTHORS
        try:
            drafted = self.answer.format_map(known)
        except KeyError:
            return FOR_AUTHORS
        return f"{drafted} {FOR_AUTHORS.capitalize()}: {self.authors}." if self.authors else drafted


@dataclasses.dataclass(frozen=True, kw_only=True)
class Checklist:
    """A checklist with its items in their order, and how it is cited."""

    name: str
    reference: str
    items: tuple[Item, ...]


def read_checklist(name: str) -> Checklist:
    """Read one of `CHECKLISTS`."""
    fields = tomllib.loads((TEMPLATES / f"{name}.toml").read_text(encoding="utf-8"))
    return Checklist(**{**fields, "items": tuple(Item(**item) for item in fields["items"])})


def checklists(bundle: Bundle, assessment: Assessment, facts: CardFacts) -> str:
    """Write both checklists in Markdown, with the numbers of this run where the program knows them.

    Args:
        bundle: of the run.
        assessment: of its test side.
        facts: of its training.
    """
    known, read = statements(bundle, assessment, facts), [read_checklist(name) for name in CHECKLISTS]
    parts = [
        "# Reporting checklists",
        "**Drafted by a machine, to be checked by the authors.** The program states what it knows of one training run; "
        f"what it cannot know is marked *{FOR_AUTHORS}*. The topics are in other words than the checklists: read each "
        "item in the original.",
    ]
    for checklist in read:
        rows = [(item.number, item.section, item.topic, item.answered(known)) for item in checklist.items]
        header = ("Item", "Section", "Topic", "What this run can state")
        parts += [f"## {escaped(checklist.name)}", escaped(checklist.reference), table(header, rows)]
    return "\n\n".join(parts) + "\n"


def statements(bundle: Bundle, assessment: Assessment, facts: CardFacts) -> dict[str, Any]:
    """What the program can state of a run, by the names that the templates use; what is not known is not there."""
    return {
        **_of_data(bundle, facts),
        **_of_network(bundle, facts),
        **_of_test(assessment, facts),
        "limits": " ".join(limits(bundle, assessment, facts)),
    }


def _of_data(bundle: Bundle, facts: CardFacts) -> dict[str, Any]:
    return {
        "command": facts.command,
        "images": f"{sum(facts.sizes.values()):,}",
        "sizes": _sizes(facts),
        "shares": _shares(facts, bundle.task.noun[0]),
        "use": _use(bundle, facts),
        "split": " ".join(f"{note.rstrip('.')}." for note in facts.notes),
        "disjoint": _disjoint(facts),
        "left_out": left_out(facts),
    }


def _of_network(bundle: Bundle, facts: CardFacts) -> dict[str, Any]:
    recipe, initialization = bundle.recipe, _initialization(bundle)
    return {
        "recipe": recipe,
        "network": bundle.network,
        "data": bundle.data,
        "kind": kind(bundle),
        "classes": listed(bundle.classes),
        "aim": aim(bundle.task),
        "noun": bundle.task.noun[0],
        "preprocessing": preprocessing(bundle),
        "augmentation": paired(shown_changes(recipe["augmentation"])),
        "imbalance": weighted(bundle.task)
        if recipe["class_weights"]
        else "No method against class imbalance was used.",
        "training": training(facts),
        "ensemble": "None: it is a single network."
        if len(bundle.members) == 1
        else f"The calibrated probabilities of {len(bundle.members)} networks are averaged.",
        "calibration": " ".join(calibrations(bundle)),
        "decision": decision(bundle, facts),
        "refers": refers(bundle),
        "versions": paired(bundle.versions),
        **({"initialization": initialization} if initialization else {}),
    }


def _of_test(assessment: Assessment, facts: CardFacts) -> dict[str, Any]:
    subgroups = {}
    if assessment.subgroups:
        columns = listed([found.column for found in assessment.subgroups])
        subgroups = {"subgroup_columns": columns, "subgroups": _subgroups(assessment)}
    return {
        "tested": tested(assessment, facts),
        "metrics": ", ".join(found.label for found in assessment.evaluation.definitions),
        "methods": "; ".join(_methods(assessment)),
        "performance": _performance(assessment),
        "reliability": _reliability(assessment),
        "referred": referred(facts.referral),
        "rates": _rates(assessment),
        "confusion": _confusion(assessment),
        **subgroups,
        **({"robustness": worst_sentence(facts.robustness)} if facts.robustness else {}),
    }


def _initialization(bundle: Bundle) -> str | None:
    """What the weights were before training; of a network of the user's own, only its builder knows."""
    if "start" in bundle.recipe:
        return "Weights of an earlier training."
    if ":" in bundle.network["name"]:
        return None
    if bundle.recipe["pretrained"] and find_network(bundle.network["name"]).has_pretrained:
        return "Weights trained on ImageNet."
    return f"Random, seed {bundle.recipe['seed']}."


def _sizes(facts: CardFacts) -> str:
    def side(name: str, count: Mapping[str, int]) -> str:
        patients = f", {facts.patients[name]:,} patients" if facts.has_patients else ""
        return f"{name}: {listed([f'{n:,} {label}' for label, n in count.items()])}{patients}"

    return f"Images by side - {'; '.join(side(name, count) for name, count in facts.counts.items())}."


def _shares(facts: CardFacts, noun: str) -> str:
    def side(name: str, count: Mapping[str, int]) -> str:
        return f"{name}: {listed([f'{n / facts.sizes[name]:.1%} {label}' for label, n in count.items()])}"

    return f"Share of each {noun} - {'; '.join(side(name, count) for name, count in facts.counts.items())}."


def _use(bundle: Bundle, facts: CardFacts) -> str:
    if facts.folds:
        return (
            f"Cross-validation in {facts.folds} folds: each network is fitted on the others, with a validation side of "
            "their own for epoch, calibration and threshold, and reads the fold that was left out."
        )
    if len(bundle.members) > 1:
        return (
            f"The patients outside test are dealt to folds: each of {len(bundle.members)} networks is fitted without "
            "one and takes its epoch from it; calibration and threshold come from what each says of the fold that it "
            "never saw; test is read after every choice, by all networks together."
        )
    return (
        "Weights are fitted on train; epoch, calibration and threshold come from val; test is read after every choice."
    )


def _disjoint(facts: CardFacts) -> str:
    if not facts.has_patients:
        return " ".join(["Images; their patients are not all known.", *facts.warnings])
    return " ".join(["Patients.", *(facts.warnings or ["None is on two sides."])])


def _methods(assessment: Assessment) -> list[str]:
    used = (assessment[found.name].interval for found in assessment.evaluation.definitions)
    return list(dict.fromkeys(interval.method for interval in used if interval.reason is None))


def _performance(assessment: Assessment) -> str:
    if assessment.parts:
        return " ".join(f"{name}: {_performance(part)}" for name, part in assessment.parts.items())
    estimates, labels, task = assessment.estimates, assessment.evaluation.labels, assessment.task
    if task.positive:
        names = (*RANKING, "accuracy", *RATES)
        return f"{'; '.join(f'{LABELS[name]} {shown(estimates[name])}' for name in names)}."
    first = tuple(found.name for found in OF_GRADES) if task.ordered else ()
    names = (*first, "accuracy", *([] if task.ordered else ["balanced_accuracy"]))
    overall = "; ".join(f"{labels[name]} {shown(estimates[name])}" for name in names)
    areas = "; ".join(f"{name} {shown(estimates.of_class(name, 'auc'))}" for name in estimates.evaluation.per_class)
    against = "" if task.questions else " against the rest"
    return f"{overall}; mean AUC {shown(estimates['auc'])}; AUC of each {task.judged_noun[0]}{against}: {areas}."


def _rates(assessment: Assessment) -> str:
    if assessment.parts:
        return " ".join(f"{name}: {_rates(part)}" for name, part in assessment.parts.items())
    estimates = assessment.estimates
    if assessment.task.positive:
        return f"{'; '.join(f'{LABELS[name]} {shown(estimates[name])}' for name in RATES)}."
    return " ".join(
        f"{name}: {'; '.join(f'{LABELS[rate]} {shown(found[rate])}' for rate in RATES)}."
        for name, found in each_judged(assessment).items()
    )


def _reliability(assessment: Assessment) -> str:
    return " ".join(
        f"Calibration of {name}: slope {shown(pair.after.slope)}; in the large {shown(pair.after.in_the_large)}; "
        f"expected calibration error {shown(pair.after.ece)}."
        for name, pair in assessment.reliability.items()
    )


def _confusion(assessment: Assessment) -> str:
    if assessment.parts:
        return " ".join(f"{name}: {_confusion(part)}" for name, part in assessment.parts.items())
    evaluation = assessment.evaluation
    if not assessment.task.exclusive:
        right = [
            f"{name} was found in {n.tp:,} of {n.tp + n.fn:,} images that show it, and called in {n.fp:,} of "
            f"{n.fp + n.tn:,} that do not"
            for name, n in evaluation.counts.items()
        ]
        return f"Test images were read so: {'; '.join(right)}."
    found = []
    for name, row in zip(evaluation.classes, evaluation.confusion.tolist(), strict=True):
        called = listed([f"{n:,} as {other}" for other, n in zip(evaluation.classes, row, strict=True)])
        found.append(f"of {evaluation.class_counts[name]:,} images of {name}, {called}")
    return f"Test images were read so: {'; '.join(found)}."


def _subgroups(assessment: Assessment) -> str:
    found = []
    for column in assessment.subgroups:
        groups = "; ".join(f"{g.label} ({g.n:,} images) AUC {shown(g.metrics['auc'].metric)}" for g in column.groups)
        flagged = ", ".join(f"{name} of {label}" for label, name in column.flagged) or "none"
        found.append(f"By {column.column}: {groups}; gaps whose interval leaves out 0: {flagged}.")
    return " ".join(found)
