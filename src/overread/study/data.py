"""The data of a study: cases read, decoded, split."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.console import Console

from overread.auditing import Rule, known_codes
from overread.cases import Manifest, PublicNames, Source, Split, pseudonym, split_cases
from overread.cases.exams.gather import gather_exams
from overread.cases.patients import suggest_patients
from overread.cases.posing.rare import without_rare_findings
from overread.decision import Task, check_calibration_method
from overread.errors import InvalidOption
from overread.evaluation import AssessmentOptions
from overread.formats.dicom import is_dicom
from overread.formats.dicom.header import read_patient_id
from overread.images import REFERENCE, DataSet, Preprocessing
from overread.machine.extras import require_extra
from overread.machine.files import write_csv
from overread.machine.remote import is_remote, place
from overread.machine.terminal import at_work, say
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.study.view_notes import view_notes
from overread.words import count

Data = Manifest | Source | str | Path


def patient_id_hash(path: str | Path) -> str | None:
    """A pseudonym of the patient of a DICOM file, equal for the files of one patient.

    It is the pseudonym that the same PatientID in a CSV gets. None where the file gives no id, or has no readable
    header: such a file gives no pixels either.

    Raises:
        MissingPath, MissingExtra: the path or pydicom is not there.
    """
    return pseudonym(read_patient_id(path)) or None


def read_manifest(
    data: Source | str | Path,
    *,
    positive: str | None = None,
    patient_pattern: str | None = None,
    task: Task | None = None,
) -> Manifest:
    """Read a source, folder or table and name its patients.

    They come from the table, a pattern over file names, or DICOM headers, whose ids are hashed. Findings that too few
    patients have are left out, see `without_rare_findings`, unless the task is fixed.

    Args:
        data: what to read.
        positive: the positive class of two, where data is no source that says it.
        patient_pattern: over file names, likewise.
        task: what is told apart, when a trained bundle fixes it.

    Raises:
        MissingPath: data is not there.
        InvalidData: it cannot be used as it is.
        InvalidOption: positive or patient_pattern does not fit, or the source names what is not there.
    """
    source = (
        data if isinstance(data, Source) else Source(data=str(data), positive=positive, patient_pattern=patient_pattern)
    )
    manifest = gather_exams(_with_patients(Manifest.read(source, task), source), source)
    return manifest if task is not None else without_rare_findings(manifest)


def _with_patients(manifest: Manifest, source: Source) -> Manifest:
    if source.patient_pattern is not None:
        return manifest.with_patient_pattern(source.patient_pattern)
    if manifest.has_patients:
        return manifest
    dicom = [is_dicom(case.path) for case in manifest.cases]
    if not any(dicom):
        return manifest
    ids = [
        case.patient_id or (patient_id_hash(case.path) if found else None)
        for case, found in zip(manifest.cases, dicom, strict=True)
    ]
    cases = [dataclasses.replace(case, patient_id=i) for case, i in zip(manifest.cases, ids, strict=True)]
    return manifest.replace(cases, "patients come from the DICOM headers, hashed")


def read_cases(data: Data, *, task: Task | None = None) -> Manifest:
    """The cases that are given, or read where they are named; see `read_manifest`."""
    if isinstance(data, Manifest):
        return data
    manifest = read_manifest(data, task=task)
    return manifest.without_sides() if isinstance(data, Source) and data.ignore_sides else manifest


def require_outside(out: str | Path, data: Data) -> None:
    """Refuse to write results among the data, where their figures would be taken for images.

    Raises:
        InvalidOption: the folder of the results is one of the data, or lies in it.
    """
    if isinstance(data, Manifest):
        return
    source = Source.of(data)
    for folder in filter(None, (source.data, source.image_folder)):
        inside = place(folder).resolve()
        if not is_remote(inside) and inside.is_dir() and Path(out).resolve().is_relative_to(inside):
            raise InvalidOption(
                f"--out {out} lies in the data, {folder}: choose a folder outside of them, such as "
                f"{Path(folder).absolute().parent / 'runs' / Path(out).name}"
            )


def name_publicly(manifest: Manifest, data: Data | None = None) -> PublicNames:
    """What the images go by where others may read.

    Args:
        manifest: every case, readable or not.
        data: where they were read from, if that is known.
    """
    if data is None or isinstance(data, Manifest):
        return PublicNames(manifest)
    source = Source.of(data)
    return PublicNames(manifest, [place(name) for name in (source.data, *source.labels, source.image_folder) if name])


def write_names(folder: RunFolder, names: PublicNames) -> None:
    """Keep for the user which image goes by which number."""
    folder.open_private()
    write_csv(folder.images, ["image", "name", "frame", "path"], names.rows(), private=True)


def split_as(manifest: Manifest, recipe: Recipe, folds: int = 1) -> Split:
    """The manifest with the sides that a recipe gives it."""
    return split_cases(manifest, validation=recipe.validation, test=recipe.test, seed=recipe.seed, folds=folds)


def preprocessing_of(recipe: Recipe) -> Preprocessing:
    """How a recipe prepares images."""
    side = recipe.image_size
    return Preprocessing(height=side, width=side, channels=recipe.channels, fit=recipe.fit, view=recipe.view)


def tell(console: Console, notes: tuple[str, ...], warnings: tuple[str, ...] = ()) -> None:
    """Print notes, and warnings so that they are seen."""
    for note in notes:
        say(console, note)
    for warning in warnings:
        say(console, f"WARNING: {warning}", "bold yellow")


def tell_patients(console: Console, manifest: Manifest) -> None:
    """Where images name no patient, show the pattern that their file names bear out, with examples, to be copied."""
    if (
        manifest.has_patients
        or (found := suggest_patients(manifest.cases_before_carving, one_label=manifest.task.exclusive)) is None
    ):
        return
    say(console, f"by their names the files are of {count(found.patients, 'patient')}, for example")
    for names in found.examples:
        say(console, f"    {'  '.join(names)}")
    say(console, "if each line is one patient, add this option; else name the patients in a table")
    console.rule()
    say(console, found.option)
    console.rule()


def require_training(recipe: Recipe, manifest: Manifest, options: AssessmentOptions) -> None:
    """Refuse what would fail only after hours of training."""
    require_extra("train", ("keras", "tensorflow", "tf2onnx", "matplotlib", "jinja2"))
    from overread.networks.build import require_network

    require_network(recipe.network or recipe.chosen_network.name)
    options.require_columns(manifest.columns)
    options.require_patients([case.patient_id for case in manifest.cases], manifest.task)
    check_calibration_method(recipe.calibration, manifest.task)


def require_codes(accept: Collection[str], rules: Sequence[Rule] = ()) -> None:
    """Refuse to accept what no audit finds.

    Raises:
        InvalidOption: a code that no finding has; the message names those that are like it.
    """
    known = sorted(known_codes(rules))
    for code in accept:
        if code not in known:
            alike = difflib.get_close_matches(code, known)
            raise InvalidOption(
                f"no finding of the audit has the code {code!r}, so it cannot be accepted: expected "
                f"{' or '.join(alike) or 'one of ' + ', '.join(known)}"
            )


def open_data_set(
    manifest: Manifest, preprocessing: Preprocessing, store: Path | None, skip_unreadable: bool, console: Console
) -> DataSet:
    """Decode the images of a manifest, or open what is decoded, and say so."""
    (data_set,) = _open_each(manifest, [preprocessing], store, skip_unreadable, console)
    return data_set


def open_with_reference(
    manifest: Manifest, recipe: Recipe, store: Path | None, skip_unreadable: bool, console: Console
) -> tuple[DataSet, DataSet]:
    """The images as a recipe prepares them, and as `REFERENCE` does; see `open_data_set`."""
    own, looked_at = _open_each(manifest, [preprocessing_of(recipe), REFERENCE], store, skip_unreadable, console)
    return own, looked_at


def _open_each(
    manifest: Manifest,
    preprocessings: Sequence[Preprocessing],
    store: Path | None,
    skip_unreadable: bool,
    console: Console,
) -> tuple[DataSet, ...]:
    noun = f"{manifest.noun}s"
    with at_work(console, f"decoding {noun}") as status:
        opened = DataSet.open_each(
            manifest,
            preprocessings,
            folder=store,
            skip_unreadable=skip_unreadable,
            progress=lambda done, of: status.update(f"decoding {noun}: {done} of {of}"),
        )
    data_set = opened[0]
    tell(console, (), tuple(dict.fromkeys(note for each in opened for note in each.store.notes)))
    for name, reason in data_set.failures.items():
        say(console, f"WARNING: left out, unreadable: {name}: {reason}", "bold yellow")
    _, height, width, channels = data_set.store.pixels.shape
    colour = "grey" if channels == 1 else "colour"
    say(console, f"{len(data_set.manifest)} {noun} are decoded to {width} x {height} {colour}")
    tell(console, view_notes(data_set))
    return opened
