"""From cases that are images to cases that are exams, where the data or the user say so."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from overread.cases.case import Case
from overread.cases.exams.dicom_keys import suggest_series
from overread.cases.exams.gathering import Gathering
from overread.cases.exams.names import Named, name_exams, suggest_column, suggest_folders
from overread.cases.manifest import Manifest
from overread.cases.rows import Rows, merged_rows
from overread.cases.source import Source
from overread.errors import InvalidData, InvalidOption
from overread.formats import Instance, is_exam
from overread.words import count, first_of, listed

# Of so many files spread over all, one at least is an exam where most are.
_PROBED = 64
# As rows of a table tell them.
_FACTS = {"patient_id": "patient", "split": "side"}


def gather_exams(manifest: Manifest, source: Source) -> Manifest:
    """Make one case of all images of an exam, where it is known which belong together.

    `Source.exams` says so, or `Source.exam_pattern`; else a column `exam_id`, or a row of a table that is about several
    images. Volumes, slides and files of several frames are exams by themselves, where most files are such. All else is
    an image, which is its own exam.

    Labels are those of the exams where all images of each have the same. Where they differ, or with `labels_of`
    "image", the images stay images, and those of an exam of no named patient count as of one patient.

    Args:
        manifest: with its patients.
        source: that it was read from.

    Raises:
        InvalidOption: the source names a column that is not there, or whose labels they are where no exam is known.
        InvalidData: it is not known to which exam an image belongs, an exam is on several sides, or the labels of its
            images differ though they are said to be those of exams.
    """
    gathering = source.gathering
    named = name_exams(manifest, gathering, source.exams)
    members = _members(named)
    if not any(len(own) > 1 for own in members.values()):
        return _of_files(manifest, gathering, source.labels_of)
    cases = manifest.cases
    differing = sum(len({cases[i].label for i in own}) > 1 for own in members.values())
    if differing and source.labels_of == "exam":
        raise InvalidData(
            f"the images of {count(differing, 'exam')} of {len(members):,} have different labels, so these are not of "
            "exams, and what one image shows is not put upon the others: give each exam one label, or take --labels-of "
            "image"
        )
    if differing or source.labels_of == "image":
        return _of_images(manifest, named, differing)
    facts = {what: said for what, said in _FACTS.items() if not (what == "split" and source.ignore_sides)}
    if named.column is not None:
        cases = tuple(_without_column(case, named.column) for case in cases)
    _require_whole(members, cases, facts)
    gathered = [_exam(name, own, cases, facts) for name, own in members.items()]
    first = {own[0]: number for number, own in enumerate(members.values())}
    left = [i for i in range(len(cases)) if named.names[i] is None]
    order = sorted([*first, *left])
    found = manifest.replace(
        [gathered[first[i]] if i in first else cases[i] for i in order],
        *named.notes,
        _said(len(manifest) - len(left), len(gathered), len(left)),
    )
    return _alone(found, gathering)


def _members(named: Named) -> dict[str, list[int]]:
    members: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(named.names):
        if name is not None:
            members[name].append(index)
    return dict(members)


def _of_files(manifest: Manifest, gathering: Gathering | None, labels_of: str) -> Manifest:
    """The cases where no two files are known to be of one exam; with an offer where some may be."""
    found = _alone(manifest, gathering)
    if found is not manifest:
        return found
    if labels_of == "exam":
        raise InvalidOption(
            "--labels-of exam is given, and no two images are known to be of one exam: say which are, with --exams or "
            "--exam-pattern"
        )
    if gathering is not None or any(case.instances for case in manifest.cases):
        return manifest
    offers = suggest_column(manifest) or suggest_series(manifest.cases) or suggest_folders(manifest.cases)
    return manifest.replace(manifest.cases, *offers) if offers else manifest


def _said(images: int, exams: int, left: int) -> str:
    said = f"{count(images, 'image')} are {count(exams, 'exam')}, and the labels are those of exams"
    return f"{said}; {count(left, 'image')} named of no exam, each by itself" if left else said


def _of_images(manifest: Manifest, named: Named, differing: int) -> Manifest:
    """The images as they are; those of an exam count as of one patient where none is named."""
    exams = len({name for name in named.names if name is not None})
    why = f"for they differ in {differing:,} of {count(exams, 'exam')}" if differing else "as is said"
    said = f"the labels are those of each image, {why}: judged image by image"
    cases, joined = [], 0
    for case, name in zip(manifest.cases, named.names, strict=True):
        joins = name is not None and not case.patient_id
        joined += joins
        cases.append(dataclasses.replace(case, patient_id=f"exam {name}", exam=None) if joins else case)
    told = [f"{count(joined, 'image')} of no named patient: those of an exam count as of one"] if joined else []
    return manifest.replace(cases, *named.notes, said, *told)


def _alone(manifest: Manifest, gathering: Gathering | None) -> Manifest:
    """The files that are exams by themselves as such."""
    single = [not case.instances and case.frame is None for case in manifest.cases]
    asked = gathering is not None and gathering.is_by_file
    paths = [case.path for one, case in zip(single, manifest.cases, strict=True) if one]
    if not asked and not any(map(is_exam, paths[:: max(1, len(paths) // _PROBED)])):
        return manifest
    found = [one and is_exam(case.path) for one, case in zip(single, manifest.cases, strict=True)]
    if not any(found) or not (asked or sum(found) > sum(single) / 2):
        return manifest
    cases = [
        dataclasses.replace(case, instances=(Instance(case.path),), files=(case.name,)) if alone else case
        for case, alone in zip(manifest.cases, found, strict=True)
    ]
    holds = "holds several frames: it is" if sum(found) == 1 else "hold several frames: each is"
    return manifest.replace(cases, f"{count(sum(found), 'file')} {holds} an exam with one label")


def _without_column(case: Case, column: str) -> Case:
    """A case without the cell that names its exam, which its name tells."""
    return dataclasses.replace(case, extra={key: cell for key, cell in case.extra.items() if key != column})


def _torn(images: Sequence[Case], facts: Mapping[str, str]) -> list[str]:
    """What the images of an exam differ in, of patient and side."""
    known = {what: {getattr(case, what) for case in images} - {None} for what in facts}
    return [facts[what] for what, values in known.items() if len(values) > 1]


def _require_whole(members: Mapping[str, Sequence[int]], cases: Sequence[Case], facts: Mapping[str, str]) -> None:
    """Refuse exams of several patients or sides; where rows of a table say so, the audit tells which."""
    torn = [(own, said) for own in members.values() if (said := _torn([cases[i] for i in own], facts))]
    if not torn or all(cases[i].row is not None for own, _ in torn for i in own):
        return
    own, said = torn[0]
    number, which = count(len(torn), "exam"), first_of([str(i + 1) for i in own])
    way = ", or pool the sides with --ignore-sides" if "side" in said else ""
    raise InvalidData(
        f"{number} of {len(members):,} {'has' if len(torn) == 1 else 'have'} images of several "
        f"{listed([f'{what}s' for what in said])}, first images {which}: mend what names the exams{way}"
    )


def _exam(name: str, own: Sequence[int], cases: Sequence[Case], facts: Mapping[str, str]) -> Case:
    """One case of those of an exam; its patient and side are theirs.

    Where rows of a table differ in these, the first counts, and the case knows what all say; see `rows_about`.
    """
    images = [cases[i] for i in own]
    torn = _torn(images, facts)
    parts = [part for case in images for part in case.parts]
    first = images[0].extra
    told: dict[str, Any] = {
        what: next((value for case in images if (value := getattr(case, what))), None) for what in _FACTS
    }
    return dataclasses.replace(
        images[0],
        name=name,
        path=parts[0].path,
        frame=None,
        instances=tuple(Instance(part.path, part.frame) for part in parts),
        files=tuple(part.name for part in parts),
        extra={key: cell for key, cell in first.items() if all(case.extra.get(key) == cell for case in images)},
        exam=None,
        rows=_rows(images) if torn or any(case.rows for case in images) else {},
        **told,
    )


def _rows(images: Sequence[Case]) -> Rows:
    """What the rows about the images of an exam say of it, all together."""
    return merged_rows(
        case.rows or {"row": (str(case.row),), "patient": (case.patient_id or "",), "side": (case.split or "",)}
        for case in images
    )
