"""The exams: which files were one, how their frames were seen and pooled, and which frames carried the answer."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from overread.bundle import Bundle
from overread.cases.exams.gathering import COLUMN, FILE, FOLDER, PATIENT, PATTERN, SERIES, STUDY
from overread.formats.exams.view import ALL
from overread.machine.files import replace_file
from overread.reading.exams.picture import exam_picture, png_of
from overread.report.document import FigureItem, Section, Table
from overread.run.pooling import PoolingChoice
from overread.test_side.exams import ShownExam
from overread.words import count

_GATHERED = {
    FILE: "each file is one exam",
    FOLDER: "the files of one folder are one exam",
    SERIES: "the DICOM files of one series are one exam",
    STUDY: "the DICOM files of one study are one exam",
    PATIENT: "the files of one patient are one exam",
    COLUMN: "a column of the table names the exam of each file",
    PATTERN: "a pattern over the paths names the exam of each file",
}
_POOLED = {
    "mean": "the mean of the features of all frames, and a linear head on it",
    "attention": "attention, which learns from the features how much each frame counts, and a linear head",
}


def exams_section(
    bundle: Bundle, frames: Sequence[int], shown: Sequence[ShownExam], folder: Path, *, pooling: PoolingChoice | None
) -> Section:
    """Say how exams came about and how one is read, and show which frames carried the answer.

    Args:
        bundle: that reads exams.
        frames: how many each test exam has.
        shown: some test exams with looks at their best frames.
        folder: of the figures, which is there.
        pooling: what was tried, as the run recorded it; None where that is not known.
    """
    return Section(
        "Exams",
        paragraphs=(_what(bundle), _how(bundle), *_why(pooling), _carried(bundle)),
        items=(
            *((_frames(frames),) if frames else ()),
            *_tried(pooling),
            *(_figure(one, number, folder) for number, one in enumerate(shown, start=1)),
        ),
    )


def _what(bundle: Bundle) -> str:
    by = "" if bundle.exams is None else _GATHERED[bundle.exams.by]
    return (
        f"What is split, judged and counted here is the exam: {by}. An exam has one label and gets one answer; "
        "all its frames (images, slices or tiles) stand on one side of the split. New exams are gathered in the same "
        "way unless told otherwise."
    )


def _how(bundle: Bundle) -> str:
    view, attention = bundle.preprocessing.view, any(member.attention for member in bundle.members)
    seen = ["every frame is looked at" if view.frames == ALL else f"of the frames these are looked at: {view.frames}"]
    seen += [f"through the window {view.window}"] if view.window else []
    seen += [f"at {view.microns:g} micrometres a pixel"] if view.microns else []
    return (
        f"To read an exam, {', '.join(seen)}. The network turns each into features; the exam is read by "
        f"{_POOLED['attention' if attention else 'mean']}."
    )


def _carried(bundle: Bundle) -> str:
    attention = any(member.attention for member in bundle.members)
    share = "learnt from its features" if attention else "the same for all frames"
    return (
        "The logit of an exam is the sum of what its frames give: the logit of each times its share, which is "
        f"{share}. So it is exact, not an estimate, which frames carried the answer. The pictures show, for test "
        "exams that were read rightly and surely, the frames that gave most, each above its map, and below them what "
        "every frame gave, from the first at the left: up for the class, down against it."
    )


def _frames(frames: Sequence[int]) -> Table:
    row = (f"{len(frames):,}", f"{min(frames):,}", f"{statistics.median(frames):,.0f}", f"{max(frames):,}")
    header = ("", "Exams", "Fewest", "Median", "Most", "All")
    return Table("Frames of a test exam", header, (("test", *row, f"{sum(frames):,}"),))


def _why(pooling: PoolingChoice | None) -> tuple[str, ...]:
    if pooling is None:
        return ()
    of = f"{pooling.frames:,} frames of {count(pooling.exams, 'training exam')}"
    return (f"The {of} are pooled by {pooling.chosen}, {pooling.why}.",)


def _tried(pooling: PoolingChoice | None) -> tuple[Table, ...]:
    if pooling is None or not pooling.candidates:
        return ()
    rows = tuple(
        (one.name, f"{one.log_loss:.4f}", "chosen" if one.name == pooling.chosen else "") for one in pooling.candidates
    )
    return (Table("Ways of pooling, by cross-validation on the training exams", ("Pooling", "Log loss", ""), rows),)


def _figure(shown: ShownExam, number: int, folder: Path) -> FigureItem:
    picture = exam_picture(shown.frames, shown.looks, shown.reading.mapped)
    path = replace_file(folder / f"exam_{number}.png", png_of(picture))
    places = ", ".join(str(look.index + 1) for look in shown.looks)
    of = f"of {len(shown.frames):,} frames"
    return FigureItem(
        path,
        f"A test exam of {shown.truth}, read as {shown.reading.predicted_label}: {of}, those that gave most to "
        f"{shown.reading.mapped}",
        f"Frames {places} {of}, each above its activation map, over a strip of the evidence of every frame.",
    )
