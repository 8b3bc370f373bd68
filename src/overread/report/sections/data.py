"""The images: how many, whose, on which side, and which were left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from overread.cases import Manifest, PublicNames, Split
from overread.decision.task import BoolArray
from overread.images import DataSet
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_augmentation, draw_samples
from overread.words import count, listed

_SIDES = {"train": "training", "val": "validation", "test": "test"}
Augment = Callable[[np.ndarray], np.ndarray]
_CLASSES_AUGMENTED = 4
_QUESTIONS_SHOWN = 12


def training_data_section(
    split: Split, data_set: DataSet, augment: Augment, folder: Path, *, names: PublicNames
) -> Section:
    """Say which images a network was trained, validated and tested on, and show some.

    Args:
        split: the readable cases with their sides.
        data_set: the same cases with their pixels.
        augment: makes of `(n, height, width, channels)` uint8 images `(n, n_variants, ...)` variants of 0 to 255.
        folder: of the figures.
        names: what images go by.
    """
    manifest = split.manifest
    return Section(
        "Data",
        paragraphs=_sentences(*names.hide_in((*split.manifest.notes, *split.notes))),
        items=(
            *(_sides if manifest.task.exclusive else _sides_of_questions)(split),
            *_left_out(names.of_all(data_set.failures)),
            *_pictures(data_set, split.counts()["train"], augment, folder),
        ),
        warnings=split.warnings,
    )


def evaluated_data_section(manifest: Manifest, failures: Mapping[str, str], *, names: PublicNames) -> Section:
    """Say which images an existing bundle was evaluated on.

    Args:
        manifest: the readable cases.
        failures: by name, why an image was left out.
        names: what images go by.
    """
    table = (_classes if manifest.task.exclusive else _questions)(manifest)
    unknown = "whether any of these images was among those the bundle was trained on is not checked here"
    notes = _sentences(*names.hide_in(manifest.notes), unknown)
    return Section("Data", paragraphs=notes, items=(table, *_left_out(names.of_all(failures))))


def _classes(manifest: Manifest) -> Table:
    """The images and patients of each class."""
    # An image without a patient is one of its own, with its copies, as everywhere.
    who, one = [case.counts_as for case in manifest.cases], manifest.task.noun[0]
    members = {name: manifest.of_class(name) for name in manifest.classes}
    rows = [(name, f"{len(found):,}", f"{len({who[i] for i in found}):,}") for name, found in members.items()]
    total = ("all", f"{len(manifest):,}", f"{len(set(who)):,}")
    header = (one.capitalize(), "Images", _who(manifest))
    return Table(f"Images and patients of each {one}", header, (*rows, total))


def _questions(manifest: Manifest) -> Table:
    """In how many images each finding, or answer of several tasks, is there, absent and not known."""
    who, (one, _) = np.array([case.counts_as for case in manifest.cases]), manifest.task.noun
    rows = []
    for name, shown, known in _told(manifest):
        counted = (shown.sum(), (known & ~shown).sum(), (~known).sum(), len(set(who[shown])))
        rows.append((name, *(f"{number:,}" for number in counted)))
    caption = f"{count(len(manifest), 'image')} of {count(len(set(who)), 'patient')}, by {one}"
    return Table(
        caption, (one.capitalize(), "Present", "Absent", "Not known", f"{_who(manifest)}, present"), tuple(rows)
    )


def _told(manifest: Manifest) -> Iterator[tuple[str, BoolArray, BoolArray]]:
    """Each class, `(n,)` whether each case is of it, and whether that is known."""
    task, y_true = manifest.task, manifest.y_true
    for name in manifest.classes:
        yield name, task.shows(y_true, name), task.known(y_true, name)


def _sides(split: Split) -> tuple[Table, ...]:
    """How many images of each class and patients stand on each side."""
    counts, sizes, patients, classes = split.counts(), split.sizes(), split.patients(), split.manifest.classes
    rows = tuple(
        (
            _SIDES[side],
            *(f"{counts[side][name]:,}" for name in classes),
            f"{sizes[side]:,}",
            f"{patients[side]:,}",
        )
        for side in counts
    )
    return (Table("Images and patients of each side", ("Side", *classes, "Images", _who(split.manifest)), rows),)


def _sides_of_questions(split: Split) -> tuple[Table, ...]:
    """The same of findings, which may be many and not known of all images: a row each."""
    sizes, patients, manifest = split.sizes(), split.patients(), split.manifest
    of_side = {side: np.array([case.split == side for case in manifest.cases]) for side in sizes}
    rows = []
    for name, shown, known in _told(manifest):
        on_sides = (_present(shown[mask], known[mask]) for mask in of_side.values())
        rows.append((name, *on_sides))
    sides = [_SIDES[side] for side in sizes]
    header = ("Side", "Images", _who(manifest))
    laid_out = tuple((_SIDES[side], f"{sizes[side]:,}", f"{patients[side]:,}") for side in sizes)
    one = manifest.task.noun[0]
    return (
        Table("Images and patients of each side", header, laid_out),
        Table(
            f"Images of each {one} by side; of how many, where that is not known of all",
            (one.capitalize(), *sides),
            tuple(rows),
        ),
    )


def _present(shown: BoolArray, known: BoolArray) -> str:
    of = "" if known.all() else f" of {known.sum():,}"
    return f"{shown.sum():,}{of}"


def _sentences(*notes: str) -> tuple[str, ...]:
    return tuple(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in notes)


def _who(manifest: Manifest) -> str:
    named = sum(bool(case.patient_id) for case in manifest.cases)
    if named == len(manifest):
        return "Patients"
    return "Patients (each picture its own)" if not named else "Patients (unknown: each picture its own)"


def _left_out(failures: Mapping[str, str]) -> tuple[Table, ...]:
    if not failures:
        return ()
    caption = f"{count(len(failures), 'unreadable image')} {'was' if len(failures) == 1 else 'were'} left out"
    return (Table(caption, ("Image", "Reason"), tuple(failures.items())),)


def _pictures(data_set: DataSet, counts: Mapping[str, int], augment: Augment, folder: Path) -> tuple[FigureItem, ...]:
    manifest, train = data_set.manifest, set(data_set.manifest.select("train"))
    one, several = manifest.task.noun
    # What has an order keeps it; of many findings the commonest are shown.
    named = manifest.classes if manifest.task.questions else sorted(manifest.classes)
    members = {name: [i for i in manifest.of_class(name) if i in train] for name in named}
    if manifest.task.questions:
        commonest = sorted(members, key=lambda name: -len(members[name]))[:_QUESTIONS_SHOWN]
        members = {name: found for name, found in members.items() if found and name in commonest}
    augmented = [name for name in manifest.classes if name in members][:_CLASSES_AUGMENTED]
    firsts = data_set.pixels([members[name][0] for name in augmented])

    def take(chosen: np.ndarray) -> np.ndarray:
        return data_set.pixels(chosen.tolist())

    shown = listed([f"{min(counts[name], 8)} of {counts[name]:,} {name}" for name in counts if name in members])
    some = f" of the {len(members)} commonest {several}" if len(members) < len(counts) else f" of each {one}"
    samples = FigureItem(
        draw_samples(take, members, path=folder / "samples"),
        f"Training images{some}, drawn at random, as the network is given them",
        f"Training images, a row a {one}: {shown}.",
    )
    if data_set.is_of_exams:  # frames are not augmented; an exam is shown by its middle frame, or a slide made small
        return (samples,)
    return (
        samples,
        FigureItem(
            draw_augmentation(firsts, augment(firsts), path=folder / "augmented"),
            f"An image of each {one}, and what augmentation makes of it during training",
            f"For an image of each of {len(counts)} {several} (four at most), the original and variants of it: turned, "
            "moved, enlarged, brighter or darker.",
        ),
    )
