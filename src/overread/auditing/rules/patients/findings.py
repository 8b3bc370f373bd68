"""Whose images these are: patients on two sides, ids that cannot be right, splits that cannot be made."""

from __future__ import annotations

from collections import Counter

from overread.auditing.contradictions import labels_contradict
from overread.auditing.finding import Finding, FindingKind
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.patients.identities import images_of, on_two_sides
from overread.auditing.rules.patients.restarts import Restart, find_restart, restart_finding
from overread.auditing.rules.patients.splits import ONE_SIDE, PATIENTS_OF_EACH_CLASS, find_impossible_split
from overread.auditing.wording import worded
from overread.cases import SPLITS, Manifest, pseudonym
from overread.cases.leaks import said_of_leaks
from overread.cases.patients import PatientPattern, suggest_patients
from overread.words import count

_ONE_EACH = 0.98
# Of the patients with several images: where so few have two classes, that is not how the labels are meant.
_EXCEPTIONS = 0.1


def find_patient_problems(material: Material) -> list[Finding]:
    """Find patients on two sides, ids that are missing or cannot be right, and a split that cannot be made.

    Ids restart where a study numbers its patients from 1 in each class, sub-type or side: patient 12 of one is then
    another person than patient 12 of the other. It shows in the numbers, if those of one kind end well before those
    of the other, or if two classes are both numbered without gaps; but where the images of one id look alike across
    the kinds, they are taken to be of one person.

    Returns:
        Findings of the codes `patient-across-splits`, `one-patient-id`, `impossible-split`, `split-incomplete`
        (block), `patient-ids-missing`, `patient-ids-one-per-image`, `patient-ids-restart` (warn) and
        `patient-with-several-labels` (warn where they are the exception, else info).
    """
    manifest = material.manifest
    if manifest.has_patients and len(images_of(manifest)) == 1:
        return [_one_patient(manifest)]
    restart = find_restart(material)
    found = [
        _across_splits(manifest, restart),
        find_impossible_split(manifest),
        _two_labels(manifest),
        _missing_ids(manifest),
        _one_per_image(manifest),
        restart and restart_finding(manifest, restart),
    ]
    return [finding for finding in found if finding]


RULE = Rule(
    name="patients",
    kinds=(
        FindingKind("patient-across-splits", "block", "a patient on more than one side of the split", "one-side"),
        FindingKind("one-patient-id", "block", "one patient id for all images"),
        FindingKind(
            "impossible-split", "block", "data of which no split shows every class to training, validation and test"
        ),
        FindingKind("split-incomplete", "block", "images that name no side of the split while others do"),
        FindingKind(
            "patient-with-several-labels",
            "warn",
            "a patient whose images are of several classes",
            of_findings="a patient whose images contradict each other, where hardly another patient's do",
        ),
        FindingKind("patient-ids-missing", "warn", "images that do not name their patient"),
        FindingKind("patient-ids-one-per-image", "warn", "patient ids that seem to number the images"),
        FindingKind("patient-ids-restart", "warn", "patient ids that start anew in each class, sub-type or side"),
    ),
    find=find_patient_problems,
)


def _across_splits(manifest: Manifest, restart: Restart | None) -> Finding | None:
    groups = on_two_sides(manifest, [case.patient_id for case in manifest.cases])
    if not groups:
        return None
    sentence = (
        f"{count(len(groups), 'patient')}, with {count(sum(map(len, groups)), 'image')} in all, can be seen on more "
        f"than one side of the split ({said_of_leaks({str(manifest.cases[i].split) for i in g} for g in groups)})."
    )
    fix = f"Move each of these patients to one side, for {ONE_SIDE}."
    if restart is not None:
        left = len(on_two_sides(manifest, restart.keys))
        sentence += (
            " It may come from patient numbers that start anew: with "
            f"{restart.between} told apart, {left:,} of these patients are left."
        )
        fix = f"First correct the patient ids, see patient-ids-restart. {fix}"
    rows = []
    for group in groups:
        row = {"patient": pseudonym(manifest.cases[group[0]].patient_id)}
        for side in SPLITS:
            if names := [manifest.cases[i].full_name for i in group if manifest.cases[i].split == side]:
                row[side] = f"{count(len(names), 'image')}, such as {names[0]}"
        rows.append(row)
    return Finding(
        code="patient-across-splits",
        severity="block",
        sentence=sentence,
        fix=fix,
        count=len(groups),
        evidence=tuple(rows),
        groups=tuple(groups),
    )


def _one_patient(manifest: Manifest) -> Finding:
    return Finding(
        code="one-patient-id",
        severity="block",
        sentence=f"All {len(manifest):,} images have the same patient id: either one id was filled in everywhere, or "
        "the study has one patient, and a result on one patient says nothing about the next.",
        fix=_naming(
            "Give each image the id of its own patient",
            suggest_patients(manifest.cases_before_carving, one_label=manifest.task.exclusive),
        )
        + f" At least {PATIENTS_OF_EACH_CLASS} patients with each {manifest.task.noun[0]} are needed: to train, "
        "to validate and to test.",
        count=len(manifest),
    )


def _two_labels(manifest: Manifest) -> Finding | None:
    """Patients with images of several classes: where they are few, the labels seem to be meant for patients."""
    several = [images for images in images_of(manifest).values() if len(images) > 1]
    mixed = [images for images in several if labels_contradict(manifest, images)]
    are_exceptions = len(mixed) <= _EXCEPTIONS * len(several)
    if not mixed or not (manifest.task.exclusive or are_exceptions):
        return None
    rows = []
    for images in mixed:
        labels = Counter(manifest.cases[i].label for i in images)
        rows.append(
            {
                "patient": pseudonym(manifest.cases[images[0]].patient_id),
                "images": ", ".join(f"{name} {number}" for name, number in labels.most_common()),
                "such as": manifest.cases[images[0]].full_name,
            }
        )
    rest = "all others have {one class} each, so that the label seems to be the patient's and some of theirs wrong"
    way = "the label seems to be one of the image, of a place or of a time, and not of the patient"
    return Finding(
        code="patient-with-several-labels",
        severity="warn" if are_exceptions else "info",
        sentence=f"{len(mixed):,} of {count(len(several), 'patient')} with several images have images "
        + worded(f"{{of several classes}}: {rest if are_exceptions else way}.", manifest.task),
        fix="Look at them, and correct the labels or the patient ids that are wrong."
        if are_exceptions
        else "If the label is of the patient, correct it; otherwise nothing needs doing.",
        count=len(mixed),
        evidence=tuple(rows),
        groups=tuple(map(tuple, mixed)),
    )


def _missing_ids(manifest: Manifest) -> Finding | None:
    missing = [case.full_name for case in manifest.cases if not case.patient_id]
    if not missing:
        return None
    every = len(missing) == len(manifest)
    sentence = (
        f"{'None' if every else f'{len(missing):,}'} of {len(manifest):,} images {'names its' if every else 'name no'} "
        "patient: each counts as a patient of its own, so images of one patient may stand on two sides of the split "
        "and flatter the result."
    )
    if (found := suggest_patients(manifest.cases_before_carving, one_label=manifest.task.exclusive)) is not None:
        named = manifest.with_patient_pattern(found.pattern)
        sentence += f" By their names the files fall into {found.patients:,} groups that may be patients"
        crossing = len(on_two_sides(named, [case.patient_id for case in named.cases]))
        sentence += f", {crossing:,} of which stand on two sides." if crossing else "."
    return Finding(
        code="patient-ids-missing",
        severity="warn",
        sentence=sentence,
        fix=_naming("Name the patients", found),
        count=len(missing),
        evidence=tuple({"image": name} for name in missing),
    )


def _one_per_image(manifest: Manifest) -> Finding | None:
    patients = len(images_of(manifest))
    if not manifest.has_patients or patients < _ONE_EACH * len(manifest):
        return None
    found = suggest_patients(manifest.cases_before_carving, one_label=manifest.task.exclusive)
    if found is None:
        return None
    return Finding(
        code="patient-ids-one-per-image",
        severity="warn",
        sentence=f"The {len(manifest):,} images name {patients:,} patients, but by their names the files fall into "
        f"{found.patients:,} groups: if these are the patients, the ids merely number the images, and images of one "
        "patient may stand on two sides of the split.",
        fix=_naming("If each group of names is one patient, name the patients by it", found),
        count=patients,
    )


def _naming(aim: str, found: PatientPattern | None) -> str:
    how = f"by {found.option}, which the file names bear out" if found else "by --patient-pattern"
    return f"{aim}: in the column patient_id of a CSV, or {how}."
