"""Can the class be told from the file alone: the cross-validated AUC of each property, by patient, before any training.

A network takes the easiest way to the class. Where the classes came from different scanners, hospitals or programs,
that is easier to see than the disease, and the result then holds for these files only.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from overread.auditing.finding import Finding, FindingKind
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.shortcuts.folds import FEWEST_PATIENTS, RUNS, FoldedCases
from overread.auditing.rules.shortcuts.predictability import Predictability, measure_properties
from overread.auditing.rules.shortcuts.properties import DESCRIPTIONS, Kind, Property
from overread.decision.cuts import FloatArray, IntArray

_LISTED = 4
_STRONG_WORDS = "This all but gives the class away. "
_MEANING: Mapping[Kind, str] = {
    "appearance": "It may be the disease itself (consolidated lung is brighter) or the way in which the images were "
    "taken.",
    "corners": "Corners seldom show the disease, though a large finding may reach them: it is more likely the way in "
    "which the images were taken or cropped.",
}
_OTHER_MEANING = (
    "It does not show the disease, and a network can learn what lies behind it instead: another device, hospital, "
    "program or crop."
)
_ADVICE: Mapping[Kind, str] = {
    "export": "Find out why the classes differ in it, export all images again from their originals by one route (one "
    "program, size, format and compression) and audit again. Where that is impossible, give this AUC beside that of "
    "the network, which has shown nothing unless it is clearly higher.",
    "shape": "Bring all images to one field of view and size, from their originals and by a rule that does not know "
    "the class, and audit again: resizing leaves traces, and the padding shows a network the shape of an image.",
    "source": "Take both classes from each source, and report the result within each source, where the network must "
    "still tell the classes apart. If the folders or devices are kinds of the disease itself, accept this finding.",
    "frame": "Crop the border, or cover the marks, in all images of every class alike and audit again. After training "
    "look at the heat maps: a network that looks there has learnt the mark.",
    "appearance": "To tell the two apart, bring all images to the same brightness, contrast and colour, train again "
    "and compare: what is lost was not seen in the lesion. Look also whether the images of one class come from other "
    "devices, settings or dates.",
    "corners": "To tell the two apart, crop or cover the corners in all images alike, train again and compare: corners "
    "outside the organ must not tell the class, and without them the result must not fall.",
}


def find_shortcuts(material: Material) -> list[Finding]:
    """Warn of each property of the files, or of the images at large, that tells the class.

    A class with fewer than 10 patients, or all but 10, is not tested, which one finding says for all.
    """
    cases = FoldedCases(material.data_set.manifest)
    found = [_finding(tried, cases) for tried in measure_properties(material, cases) if tried.is_shortcut]
    return found + _untested(cases)


RULE = Rule(
    name="shortcuts",
    kinds=(
        *(
            FindingKind(f"shortcut-{name}", "warn", f"the class can be told from {words}")
            for name, (words, _) in DESCRIPTIONS.items()
        ),
        FindingKind("shortcut-untested", "info", "too few patients of a class to look for shortcuts"),
    ),
    find=find_shortcuts,
)


def _finding(tried: Predictability, cases: FoldedCases) -> Finding:
    subject, interval = tried.subject, tried.interval
    others = [name for name in cases.manifest.classes if name != tried.label]
    rest = others[0] if len(others) == 1 else "the other classes"
    patients = f", {cases.count_patients(tried.rows):,} patients" if cases.manifest.has_patients else ""
    test = "" if tried.test_auc is None else f", and {tried.test_auc:.2f} on the test side"
    sentence = (
        f"From {subject.words} alone, {tried.label} can be told from {rest} with an AUC of {tried.auc:.2f} (95 % "
        f"interval {interval.low:.2f} to {interval.high:.2f}; cross-validated over {len(tried.rows):,} images"
        f"{patients}){test}. {_STRONG_WORDS if tried.is_strong else ''}{_MEANING.get(subject.kind, _OTHER_MEANING)}"
    )
    if tried.repeated_by:
        sentence += f" In step with it: {', '.join(tried.repeated_by)}."
    if not patients:
        sentence += f" Patients are not named, so {RUNS} runs of neighbouring files of each class stand for them."
    return Finding(
        code=f"shortcut-{subject.name}",
        severity="warn",
        sentence=sentence,
        fix=_ADVICE[subject.kind],
        count=len(tried.rows),
        evidence=tuple(_evidence(tried, cases)),
    )


def _evidence(tried: Predictability, cases: FoldedCases) -> list[dict[str, str]]:
    """A row for each class: how many, the AUC against the rest and which values it has."""
    rows = []
    for name in cases.manifest.classes:
        members = tried.rows[cases.shows(name)[tried.rows]]
        auc = tried.aucs.get(cases.tested_by(name) or "")
        rows.append(
            {
                "class": name,
                "images": f"{members.size:,}",
                "AUC against the rest": "too few patients" if auc is None else f"{auc:.2f}",
                "strength": "all but gives the class away" if tried.is_strong else "marked",
                "values": _typical(tried.subject, members),
                "such as": cases.manifest.cases[_middle(tried.subject, members)].full_name if members.size else "",
            }
        )
    return rows


def _typical(subject: Property, members: IntArray) -> str:
    if subject.categories:
        counts = np.bincount(subject.values[members].astype(np.int64), minlength=len(subject.categories))
        common = [i for i in np.argsort(-counts, kind="stable")[:_LISTED].tolist() if counts[i]]
        return ", ".join(f"{subject.categories[i]} {counts[i] / members.size:.0%}" for i in common)
    if subject.name == "header" or not members.size:
        return ""
    quartiles = np.quantile(_single(subject, members), [0.25, 0.5, 0.75])
    low, middle, high = (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" for value in quartiles)
    return f"median {middle}, half of them {low} to {high} {subject.unit}".rstrip()


def _middle(subject: Property, members: IntArray) -> int:
    """The image of a class whose value is in the middle."""
    values = _single(subject, members)
    if subject.categories:
        commonest = np.bincount(values.astype(np.int64)).argmax()
        return int(members[values == commonest][0])
    return int(members[np.argsort(values, kind="stable")[members.size // 2]])


def _single(subject: Property, members: IntArray) -> FloatArray:
    values = subject.values[members]
    return values if values.ndim == 1 else values.mean(axis=1)


def _untested(cases: FoldedCases) -> list[Finding]:
    """Say for which classes nothing can be said."""
    classes, rows, tested = cases.manifest.classes, np.flatnonzero(~cases.is_test), cases.testable_classes()
    left_out = [name for name in classes if cases.tested_by(name) not in tested]
    if not left_out:
        return []
    unit = "patients" if cases.manifest.has_patients else "images"
    listed = ", ".join(f"{name} {cases.count_patients(rows, name):,}" for name in classes)
    return [
        Finding(
            code="shortcut-untested",
            severity="info",
            sentence=f"Whether the files give the class away was not examined for {', '.join(left_out)}: that takes "
            f"{FEWEST_PATIENTS} {unit} with a class and as many without, outside the test side; there are {listed}.",
            fix=f"Collect images of more {unit}; until then look by eye whether the classes differ in size, format, "
            "brightness, borders or marks.",
            count=sum(int(cases.shows(name).sum()) for name in left_out),
        )
    ]
