"""Whether each class or finding has enough images, equally well known, and is to be seen apart from the others."""

from __future__ import annotations

import dataclasses

from overread.auditing.finding import Finding, FindingKind
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.balance.columns import find_missing, find_one_source
from overread.auditing.rules.balance.sizes import find_rare_findings, find_small_classes
from overread.auditing.rules.balance.together import find_never_alone
from overread.auditing.rules.balance.unequal import find_unequal_classes, find_unequal_findings
from overread.cases import Manifest


def find_imbalance(material: Material) -> list[Finding]:
    """Find what is of very different size, too small for any claim, or better known or from elsewhere than the rest.

    How small is told by the Wilson interval of a reader who errs on no test patient of a class: those of the given
    test side, or 15 % of the class's patients. An image without a patient id counts as a patient. Of several tasks
    each is looked at by itself.

    Returns:
        Findings of the codes `class-imbalance` (info from 2 to 1, warn from 10 to 1), `class-too-small`,
        `metadata-missing-by-class` and `class-from-one-source` (warn); where cases show any number of findings, of
        `rare-finding` (warn) instead of `class-too-small`, and of `finding-never-alone` (warn where a finding never
        occurs without a certain other, else info).
    """
    manifest = material.manifest
    if not manifest.task.parts:
        return _of_one(manifest)
    return [
        dataclasses.replace(found, sentence=f"{name}: {found.sentence}")
        for name in manifest.task.parts
        for found in _of_one(_part(manifest, name))
    ]


RULE = Rule(
    name="balance",
    kinds=(
        FindingKind(
            "class-imbalance",
            "warn",
            "at least twice as many images of one class as of another",
            of_findings="a finding at least twice as often absent as present, or the reverse",
        ),
        FindingKind("class-too-small", "warn", "a test side too small for a claim"),
        FindingKind("rare-finding", "warn", "a finding that too few patients have, or lack, for a claim"),
        FindingKind("finding-never-alone", "warn", "a finding that never occurs without another"),
        FindingKind(
            "metadata-missing-by-class",
            "warn",
            "a column filled in for one class rather than another",
            of_findings="a column filled in more often with a finding than without, or the reverse",
        ),
        FindingKind("class-from-one-source", "warn", "a class whose images all come from one source"),
    ),
    find=find_imbalance,
)


def _of_one(manifest: Manifest) -> list[Finding]:
    if manifest.task.exclusive:
        found = [find_unequal_classes(manifest), find_small_classes(manifest)]
    else:
        found = [find_unequal_findings(manifest), find_rare_findings(manifest), find_never_alone(manifest)]
    found += [find_missing(manifest), find_one_source(manifest)]
    return [finding for finding in found if finding is not None]


def _part(manifest: Manifest, name: str) -> Manifest:
    """The cases of which one of several tasks is known, with what it says of them."""
    task, part, y_true = manifest.task, manifest.task.parts[name], manifest.y_true
    told = task.told(name, y_true).nonzero()[0].tolist()
    labels = [part.label(row) for row in task.cases_of(name, y_true)[told]]
    cases = [dataclasses.replace(manifest.cases[i], label=label) for i, label in zip(told, labels, strict=True)]
    return dataclasses.replace(manifest, cases=tuple(cases), task=part)
