"""The images: how many, whose, on which side, and which were left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from overread.cases import Manifest, PublicNames, Split
from overread.images import DataSet
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_augmentation, draw_samples
from overread.words import count, listed

_SIDES = {"train": "training", "val": "validation", "test": "test"}
Augment = Callable[[np.ndarray], np.ndarray]
_CLASSES_AUGMENTED = 4


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
    table = Table("Images and patients of each side", ("Side", *classes, "Images", _who(split.manifest)), rows)
    return Section(
        "Data",
        paragraphs=_sentences(*names.hide_in((*split.manifest.notes, *split.notes))),
        items=(
            table,
            *_left_out(names.of_all(data_set.failures)),
            *_pictures(data_set, counts["train"], augment, folder),
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
    # An image without a patient is one of its own, with its copies, as everywhere.
    who = [case.counts_as for case in manifest.cases]
    members = {name: manifest.of_class(name) for name in manifest.classes}
    rows = [(name, f"{len(found):,}", f"{len({who[i] for i in found}):,}") for name, found in members.items()]
    total = ("all", f"{len(manifest):,}", f"{len(set(who)):,}")
    table = Table("Images and patients of each class", ("Class", "Images", _who(manifest)), (*rows, total))
    unknown = "whether any of these images was among those the bundle was trained on is not checked here"
    notes = _sentences(*names.hide_in(manifest.notes), unknown)
    return Section("Data", paragraphs=notes, items=(table, *_left_out(names.of_all(failures))))


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


def _pictures(
    data_set: DataSet, counts: Mapping[str, int], augment: Augment, folder: Path
) -> tuple[FigureItem, FigureItem]:
    manifest, train = data_set.manifest, set(data_set.manifest.select("train"))
    members = {name: [i for i in manifest.of_class(name) if i in train] for name in sorted(manifest.classes)}
    firsts = data_set.pixels([members[name][0] for name in manifest.classes[:_CLASSES_AUGMENTED]])

    def take(chosen: np.ndarray) -> np.ndarray:
        return data_set.pixels(chosen.tolist())

    shown = listed([f"{min(number, 8)} of {number:,} {name}" for name, number in counts.items()])
    return (
        FigureItem(
            draw_samples(take, members, path=folder / "samples"),
            "Training images of each class, drawn at random, as the network is given them",
            f"Training images, a row a class: {shown}.",
        ),
        FigureItem(
            draw_augmentation(firsts, augment(firsts), path=folder / "augmented"),
            "An image of each class, and what augmentation makes of it during training",
            f"For an image of each of {len(counts)} classes (four at most), the original and variants of it: turned, "
            "moved, enlarged, brighter or darker.",
        ),
    )
