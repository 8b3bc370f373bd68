"""What the report says of the images: how many, whose, on which side, and which were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from overread.cases import Manifest, Split
from overread.evaluation.wording import SIDES
from overread.report.document import FigureItem, Section, Table
from overread.words import count, listed


def split_data(split: Split, failures: Mapping[str, str], folder: Path) -> Section:
    """Say which images a network was trained, validated and tested on.

    Args:
        split: the readable cases with their sides.
        failures: by name, why an image was left out.
        folder: where `samples.png` and `augmented.png` lie.
    """
    counts, patients, classes = split.counts(), split.patients(), split.manifest.classes
    rows = tuple(
        (
            SIDES[side],
            *(f"{counts[side][name]:,}" for name in classes),
            f"{sum(counts[side].values()):,}",
            f"{patients[side]:,}",
        )
        for side in counts
    )
    table = Table("Images and patients of each side", ("Side", *classes, "Images", _who(split.manifest)), rows)
    return Section(
        "Data",
        paragraphs=_sentences(*split.manifest.notes, *split.notes),
        items=(table, *_left_out(failures), *_pictures(counts["train"], folder)),
        warnings=split.warnings,
    )


def evaluated_data(manifest: Manifest, failures: Mapping[str, str]) -> Section:
    """Say which images an existing bundle was evaluated on.

    Args:
        manifest: the readable cases.
        failures: by name, why an image was left out.
    """
    # An image without a patient is one of its own, as everywhere.
    pairs = {(case.label, case.counts_as) for case in manifest.cases}
    images, patients = Counter(case.label for case in manifest.cases), Counter(label for label, _ in pairs)
    rows = [(name, f"{images[name]:,}", f"{patients[name]:,}") for name in manifest.classes]
    total = ("all", f"{len(manifest):,}", f"{len({who for _, who in pairs}):,}")
    table = Table("Images and patients of each class", ("Class", "Images", _who(manifest)), (*rows, total))
    unknown = "whether any of these images was among those the bundle was trained on is not checked here"
    return Section("Data", paragraphs=_sentences(*manifest.notes, unknown), items=(table, *_left_out(failures)))


def _sentences(*notes: str) -> tuple[str, ...]:
    return tuple(f"{note[0].upper()}{note[1:].rstrip('.')}." for note in notes)


def _who(manifest: Manifest) -> str:
    named = sum(bool(case.patient_id) for case in manifest.cases)
    if named == len(manifest):
        return "Patients"
    return "Patients (each image its own)" if not named else "Patients (unknown: each image its own)"


def _left_out(failures: Mapping[str, str]) -> tuple[Table, ...]:
    if not failures:
        return ()
    caption = f"{count(len(failures), 'unreadable image')} {'was' if len(failures) == 1 else 'were'} left out"
    return (Table(caption, ("Image", "Reason"), tuple(failures.items())),)


def _pictures(counts: Mapping[str, int], folder: Path) -> tuple[FigureItem, ...]:
    shown = listed([f"{min(number, 8)} of {number:,} {name}" for name, number in counts.items()])
    return (
        FigureItem(
            folder / "samples.png",
            "Training images of each class, drawn at random, as the network is given them",
            f"Training images, a row a class: {shown}.",
        ),
        FigureItem(
            folder / "augmented.png",
            "An image of each class, and what augmentation makes of it during training",
            f"For an image of each of {len(counts)} classes (four at most), the original and variants of it: turned, "
            "moved, enlarged, brighter or darker.",
        ),
    )
