"""What would spoil a study of exams: frames that several exams share, masks among volumes, planes that differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from overread.auditing.contradictions import labels_contradict
from overread.auditing.finding import Finding, FindingKind, Mending, Severity, image_row
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.duplicates import copies_of
from overread.auditing.rules.exams.label_maps import find_label_maps
from overread.auditing.rules.files.file_table import FileTable
from overread.cases import Manifest, pseudonym
from overread.images.copies import Group, Shared, find_shared_frames
from overread.words import count, listed

_MOST_GROUPS = 50
# How exams that share frames stand to one another, the gravest first: how grave it is, what it means, what to do.
_RELATIONS: Mapping[str, tuple[Severity, str, str, Mending | None]] = {
    "frames-across-classes": (
        "block",
        "carry different labels, so that the network would learn a contradiction",
        "Let an expert decide which label is right, and keep one exam of each group with it; a cleaned table leaves "
        "them out.",
        "keep-one",
    ),
    "frames-across-splits": (
        "block",
        "stand on more than one side of the split, so that the result is flattered",
        "Move each group to one side, or keep one exam of each.",
        "one-side",
    ),
    "frames-across-exams": (
        "warn",
        "are of one class and side: they count several times, and intervals are narrower than they are",
        "Find out whether it is one exam under two names, or a slice was copied, and keep one of each.",
        None,
    ),
}


def find_exam_problems(material: Material) -> list[Finding]:
    """Look at the frames of exams, beyond the overview that other rules look at; a study of images gives nothing.

    Frames are compared that are neither blank nor at the border of a volume; of large studies as many of each exam.
    Exams whose overviews are copies are found by the duplicates, and not named again.
    """
    if not material.has_exams:
        return []
    found = [*_shared(material), *find_label_maps(material)]
    planes = _planes(material)
    return [*found, planes] if planes else found


RULE = Rule(
    name="exams",
    kinds=(
        FindingKind("frames-across-classes", "block", "frames that exams with different labels share", "keep-one"),
        FindingKind(
            "frames-across-splits", "block", "frames that exams on more than one side of the split share", "one-side"
        ),
        FindingKind("frames-across-exams", "warn", "frames that exams of one class and side share"),
        FindingKind("label-map-among-exams", "block", "a volume that marks parts of another", "leave-out"),
        FindingKind("mixed-planes", "warn", "volumes whose slices lie in different planes"),
    ),
    find=find_exam_problems,
)


def _shared(material: Material) -> list[Finding]:
    manifest = material.manifest
    told = {frozenset(pair) for group in material.once(copies_of).pictures for pair in _pairs(group)}
    every = find_shared_frames(material.data_set, lambda: material.headers)
    groups: dict[str, list[Shared]] = {code: [] for code in _RELATIONS}
    for pair in every:
        if frozenset((pair.first, pair.second)) not in told:
            groups[_relation(manifest, pair)].append(pair)
    return [_finding(manifest, code, own) for code, own in groups.items() if own]


def _relation(manifest: Manifest, pair: Shared) -> str:
    both = (pair.first, pair.second)
    if labels_contradict(manifest, both):
        return "frames-across-classes"
    sides = {side for i in both if (side := manifest.cases[i].split)}
    return "frames-across-splits" if len(sides) > 1 else "frames-across-exams"


def _finding(manifest: Manifest, code: str, pairs: Sequence[Shared]) -> Finding:
    severity, meaning, fix, _ = _RELATIONS[code]
    exams = {i for pair in pairs for i in (pair.first, pair.second)}
    rows = []
    for number, pair in enumerate(pairs[:_MOST_GROUPS], start=1):
        for i, other in ((pair.first, pair.second), (pair.second, pair.first)):
            case = manifest.cases[i]
            kind = "the same pixels" if pair.same else "the same picture"
            shares = f"{pair.alike} of {pair.of} frames with {manifest.cases[other].full_name}, {kind}"
            rows.append({"group": str(number), **image_row(case), "patient": pseudonym(case.patient_id), "is": shares})
    same = sum(bool(pair.same) for pair in pairs)
    return Finding(
        code=code,
        severity=severity,
        sentence=f"{count(len(pairs), 'pair')} of exams, {len(exams):,} exams in all, have frames in common ({same:,} "
        f"with the same pixels, the others with the same picture) and {meaning}.",
        fix=fix,
        count=len(exams),
        evidence=tuple(rows),
        groups=tuple((pair.first, pair.second) for pair in pairs),
    )


def _pairs(group: Group) -> list[tuple[int, int]]:
    return [(one, other) for at, one in enumerate(group) for other in group[at + 1 :]]


def _planes(material: Material) -> Finding | None:
    planes = np.array([header.plane for header in material.headers])
    found = Counter(planes[planes != ""].tolist())
    if len(found) < 2:
        return None
    files = FileTable(material)
    common = found.most_common(1)[0][0]
    return files.finding(
        "mixed-planes",
        (planes != "") & (planes != common),
        what=f"have slices in another plane than most, which are {common} "
        f"({listed([f'{plane} {number:,}' for plane, number in found.most_common()])}): volumes whose slices lie far "
        "apart are read in the plane in which they were acquired.",
        fix="Train on volumes of one plane, or bring all to one by resampling them to equal spacing.",
        cell=lambda i: material.headers[i].plane,
    )
