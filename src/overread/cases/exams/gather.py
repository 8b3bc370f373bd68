"""From cases that are images to cases that are exams, where the data or the user say so."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence

from overread.cases.case import Case
from overread.cases.exams.dicom_keys import names_by_header, suggest_series
from overread.cases.exams.gathering import COLUMN, FILE, FOLDER, PATIENT, PATTERN, SERIES, STUDY, Gathering
from overread.cases.manifest import Manifest
from overread.cases.patients.pattern import match_patients
from overread.cases.source import Source
from overread.errors import InvalidData, InvalidOption
from overread.formats import Instance, is_exam
from overread.words import count

# The column of a table that names the exam, where nothing else is said.
EXAM_ID = "exam_id"


def gather_exams(manifest: Manifest, source: Source) -> Manifest:
    """Make one case of all images of an exam, where it is known which belong together.

    A table's column `exam_id` says so, or `Source.exams`; else volumes, slides and files of several frames are exams by
    themselves, if most of the files are such, and each image is its own.

    Args:
        manifest: with its patients.
        source: that it was read from.

    Raises:
        InvalidOption: the source names a column that is not there.
        InvalidData: it is not known to which exam an image belongs, or the images of an exam differ in what is known of
            the exam.
    """
    gathering, column = source.gathering, source.exams or ""
    if gathering is None and EXAM_ID in manifest.columns:
        gathering, column = Gathering(by=COLUMN), EXAM_ID
    if gathering is None or gathering.by == FILE:
        found = _alone(manifest, asked=gathering is not None)
        return found.replace(found.cases, *(() if gathering else suggest_series(found.cases)))
    names = _names(manifest, gathering, column)
    members: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        members[name].append(index)
    labels = {name: {manifest.cases[i].label for i in own} for name, own in members.items()}
    differing = sum(len(own) > 1 for own in labels.values())
    if differing and source.labels_of == "exam":
        raise InvalidData(
            f"the images of {count(differing, 'exam')} have different labels, so the labels are not those of exams: "
            "mend the table, or give --labels-of image"
        )
    if differing or source.labels_of == "image":
        said = "the labels are those of each image" + (
            f", for they differ in {count(differing, 'exam')}" if differing else ""
        )
        return manifest.replace(manifest.cases, f"{said}: {count(len(members), 'exam')}, judged image by image")
    cases = [_exam(name, [manifest.cases[i] for i in own]) for name, own in members.items()]
    note = f"{count(len(manifest), 'image')} are {count(len(cases), 'exam')}, and the labels are those of exams"
    return manifest.replace(cases, note)


def _alone(manifest: Manifest, *, asked: bool) -> Manifest:
    """The files that are exams by themselves as such."""
    found = [not case.instances and case.frame is None and is_exam(case.path) for case in manifest.cases]
    if not any(found) or not (asked or sum(found) > len(found) / 2):
        return manifest
    cases = [
        dataclasses.replace(case, instances=(Instance(case.path),)) if alone else case
        for case, alone in zip(manifest.cases, found, strict=True)
    ]
    return manifest.replace(cases, f"{count(sum(found), 'file')} hold several frames: each is an exam with one label")


def _names(manifest: Manifest, gathering: Gathering, column: str) -> list[str]:
    """What names the exam of each case."""
    cases = manifest.cases
    if gathering.by == PATTERN and gathering.pattern is not None:
        return _all_named(match_patients(gathering.pattern, cases), "the pattern of exams does not match")
    if gathering.by == COLUMN and column not in manifest.columns:
        have = ", ".join(manifest.columns) or "none besides path and label"
        raise InvalidOption(f"--exams {column} is no column of the table: expected one of {have}, or file or folder")
    if gathering.by in (SERIES, STUDY):
        return names_by_header(cases, gathering.by)
    ways: dict[str, Callable[[Case], str | None]] = {
        COLUMN: lambda case: case.extra.get(column),
        FOLDER: lambda case: case.name.rpartition("/")[0],
        PATIENT: lambda case: case.patient_id,
    }
    return _all_named([ways[gathering.by](case) for case in cases], f"by {gathering.by}, no exam is known of")


def _all_named(names: Sequence[str | None], what: str) -> list[str]:
    found = [name for name in names if name]
    if len(found) < len(names):
        first = next(number for number, name in enumerate(names, start=1) if not name)
        raise InvalidData(
            f"{what} {len(names) - len(found)} of {len(names)} images, the first in case {first}: name it"
        )
    return found


def _exam(name: str, cases: Sequence[Case]) -> Case:
    """One case of those of an exam; its patient and side are theirs."""
    first = cases[0]
    for what in ("patient_id", "split"):
        if len({getattr(case, what) for case in cases}) > 1:
            raise InvalidData(f"the images of an exam have several of {what}: mend the table, or what names the exam")
    every = tuple(instance for case in cases for instance in (case.instances or (Instance(case.path, case.frame),)))
    extra = {key: value for key, value in first.extra.items() if all(case.extra.get(key) == value for case in cases)}
    return dataclasses.replace(first, name=name, frame=None, instances=every, extra=extra, path=every[0].path, rows={})
