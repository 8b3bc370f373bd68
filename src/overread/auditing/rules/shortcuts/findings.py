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
from overread.auditing.rules.shortcuts.properties import DESCRIPTIONS, Kind, Property, number_in_words
from overread.auditing.wording import worded
from overread.decision.cuts import FloatArray, IntArray
from overread.words import first_of, listed

_LISTED = 4
_MEANING: Mapping[Kind, str] = {
    "export": "It says how a file was made, and a network can learn what lies behind it instead of the disease: "
    "another device, hospital or program.",
    "detail": "All files are stored alike, without loss and in one size, so this is how much detail there is to see: "
    "content, as the pixels are, unless different programs wrote {the classes}.",
    "shape": "It says how an image was taken, cropped or exported, and a network can learn what lies behind it instead "
    "of the disease: another device, hospital, program or crop.",
    "protocol": "It says how an exam was taken, and a network can learn that instead of the disease: another protocol, "
    "device or hospital.",
    "source": "It says where an image comes from, and a network can learn to tell the places apart instead of the "
    "disease.",
    "frame": "It lies in what surrounds the subject of most images, which device, crop or somebody's hand put there, "
    "and a network can learn it instead of the disease. Where the subject fills the image, or was cut free of what "
    "surrounds it, it may be the subject itself.",
    "appearance": "It may be what the disease looks like, or the way in which the images were taken: the audit cannot "
    "tell which.",
    "corners": "Where the subject fills the image this may be the disease itself; where it does not reach the corners, "
    "it is the way in which the images were taken or cropped.",
}
_MEANING_OF_BYTES = (
    "A file is the larger the more detail its picture has, which may be the disease, and the less it is compressed, "
    "which is not: a network can learn either."
)
_ADVICE: Mapping[Kind, str] = {
    "export": "Find out why {the classes} differ in it, export all images again from their originals by one route (one "
    "program, size, format and compression) and audit again. Where that is impossible, give this AUC beside that of "
    "the network, which has shown nothing unless it is clearly higher.",
    "detail": "Nothing needs doing if one program wrote all files. If different programs did, write all anew by one "
    "and audit again.",
    "shape": "Bring all images to one field of view and size, from their originals and by a rule that does not know "
    "the {class}, and audit again: resizing leaves traces, and the padding shows a network the shape of an image.",
    "protocol": "Find out why {the classes} differ in it, and take exams of one protocol. Where exams differ in length "
    "only, look at as many frames of each, as with --frames middle=20, and give this AUC beside that of the network.",
    "source": "Take {both classes} from each source, and report the result within each source, where the network must "
    "still tell {the classes} apart. If the folders or devices are kinds of the disease itself, accept this finding.",
    "frame": "Look at them. If it surrounds the subject, crop the border, or cover the marks, in all images {of every "
    "class} alike and audit again. After training look at the heat maps: a network that looks there has learnt "
    "the mark.",
    "appearance": "To tell the two apart, bring all images to the same brightness, contrast and colour, train again "
    "and compare: what is lost was owed to these. Look also whether the images {of one class} come from other devices, "
    "settings or dates.",
    "corners": "Look at them. If the subject does not reach them, crop or cover the corners in all images alike, train "
    "again and compare: without them the result must not fall.",
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
            FindingKind(
                f"shortcut-{name}",
                "warn",
                f"the class can be told from {words}",
                of_findings=f"a finding can be told from {words}",
            )
            for name, (words, *_) in DESCRIPTIONS.items()
        ),
        FindingKind("shortcut-untested", "info", "too few patients of a class to look for shortcuts"),
    ),
    find=find_shortcuts,
)


def _finding(tried: Predictability, cases: FoldedCases) -> Finding:
    subject, noun = tried.subject, cases.manifest.task.noun[0]
    said = [tried.giveaway.sentence] if tried.giveaway else []
    said.append(_ranking(tried, cases))
    if tried.is_strong:
        said.append(f"This all but gives the {noun} away.")
    said.append(worded(_meaning(subject), cases.manifest.task))
    if tried.plainer_than:
        said.append(f"The {noun} can be told from {listed(tried.plainer_than)} as well.")
    if tried.repeated_by:
        said.append(f"In step with it: {', '.join(tried.repeated_by)}.")
    if not cases.manifest.has_patients:
        runs = f"{RUNS} runs of neighbouring files of each {noun}"
        if not cases.manifest.task.exclusive:
            runs = f"{2 * RUNS} runs of neighbouring files"
        said.append(f"Patients are not named, so {runs} stand for them.")
    return Finding(
        code=f"shortcut-{subject.name}",
        severity="info" if subject.kind == "detail" else "warn",
        sentence=" ".join(said),
        fix=worded(_ADVICE[subject.kind], cases.manifest.task),
        count=len(cases.told(tried.rows, tried.label)),
        evidence=tuple(_evidence(tried, cases)),
    )


def _ranking(tried: Predictability, cases: FoldedCases) -> str:
    """Say how well the property ranks all images."""
    interval, patients, question = tried.interval, "", cases.questions[tried.label]
    rows = cases.told(tried.rows, tried.label)
    if cases.manifest.has_patients:
        patients = f", {cases.count_patients(rows):,} patients"
    over = f"cross-validated over {len(rows):,} images{patients}"
    test = "" if tried.test_auc is None else f", and {tried.test_auc:.2f} on the test side"
    words = tried.subject.words + (f", above all {listed(tried.parts)}" if tried.parts else " alone")
    if not tried.is_ranking:
        return f"Those can be told by {words}; over all images its AUC is {tried.auc:.2f} ({over})."
    return (
        f"From {words}, {question.called} can be told from {question.against} with an AUC of "
        f"{tried.auc:.2f} (95 % interval {interval.low:.2f} to {interval.high:.2f}; {over}){test}."
    )


def _meaning(subject: Property) -> str:
    if subject.name.startswith("bytes") and subject.kind == "export":
        return _MEANING_OF_BYTES
    return _MEANING[subject.kind]


def _evidence(tried: Predictability, cases: FoldedCases) -> list[dict[str, str]]:
    """A row for each class: how many, the AUC against the rest and which values it has."""
    rows, task = [], cases.manifest.task
    for name, question in cases.questions.items():
        apart = task.ordered or not task.exclusive
        rest = question.against if apart else "the rest"
        strength = f"all but gives the {task.noun[0]} away" if tried.is_strong else "marked"
        members = tried.rows[cases.shows(name)[tried.rows]]
        auc = tried.aucs.get(cases.tested_by(name) or "")
        rows.append(
            {
                task.noun[0]: name,
                "images": f"{members.size:,}",
                f"AUC against {rest}": "too few patients" if auc is None else f"{auc:.2f}",
                "strength": "" if apart and name != tried.label else strength,
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
    low, middle, high = map(number_in_words, quartiles.tolist())
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
    rows, tested, noun = np.flatnonzero(~cases.is_test), cases.testable_classes(), cases.manifest.task.noun[0]
    left_out = [name for name in cases.questions if cases.tested_by(name) not in tested]
    if not left_out:
        return []
    unit = "patients" if cases.manifest.has_patients else "images"
    numbers = [f"{name} {cases.count_patients(rows, name):,}" for name in cases.questions]
    return [
        Finding(
            code="shortcut-untested",
            severity="info",
            sentence=f"Whether the files give the {noun} away was not examined for {first_of(left_out)}: that takes "
            f"{FEWEST_PATIENTS} {unit} with a {noun} and as many without, outside the test side; there are "
            f"{first_of(numbers)}.",
            fix=worded(
                f"Collect more {unit}; until then look by eye whether {{the classes}} differ in size, format, "
                "brightness, borders or marks.",
                cases.manifest.task,
            ),
            count=sum(int(cases.shows(name).sum()) for name in left_out),
        )
    ]
