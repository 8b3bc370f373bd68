"""What the page says of a reading: decision and reasons in words, pictures, the row of the table and of the CSV."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from overread.bundle import Bundle
from overread.decision.task import HALF, Task
from overread.reading import Failure, Reading
from overread.reading.output import csv_row
from overread.reading.sentences import (
    READS_AS,
    REFERRAL,
    UNFAMILIARITY,
    headline,
    is_read,
    label_in_words,
    possible,
    probability_heading,
    reasons,
    rounded,
    short_reasons,
)
from overread.service.room.exams.records import ExamRecord
from overread.service.room.records import ImageRecord, ReadingRecord
from overread.service.room.rendition import Rendition, data_uri
from overread.service.web.asked import Asked, asked_of
from overread.service.web.exam_view import ExamView, Heat, heats, view_best, view_exam
from overread.service.web.told import Told, told_of
from overread.words import first_of


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the table: the data attribute of a row that it is sorted by, and the heading."""

    key: str
    heading: str
    is_number: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Number:
    """A probability in the table: the key of its column, what rows are sorted by, and what is shown."""

    key: str
    value: float | str
    shown: str
    answer: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """An upload for the eye, and for grey ones what a canvas needs to move the window."""

    uri: str
    width: int
    height: int
    stored: tuple[int, int]
    window: dict[str, Any] | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageView:
    """One image as the templates show it: what was found, or the error."""

    id: str
    review: str
    name: str
    cells: list[str]
    latency_ms: float
    sha256: str
    error: str | None = None
    found: Reading | None = None
    is_read: bool = False
    headline: str = ""
    words: str = ""
    possible: str = ""
    numbers: tuple[Number, ...] = ()
    told: tuple[Told, ...] = ()
    asked: tuple[Asked, ...] = ()
    referral: str = ""
    reasons: tuple[str, ...] = ()
    heats: tuple[Heat, ...] = ()
    picture: Picture | None = None
    exam: ExamView | None = None


def view_images(record: ReadingRecord, bundle: Bundle) -> list[ImageView]:
    """Each image of a reading as the page shows it."""
    return [_view(image, record.id, bundle) for image in record.images]


def table_columns(bundle: Bundle) -> list[Column]:
    """The columns of the table on the page; findings and cuts, which may be many, are the last."""
    numbers = _number_columns(bundle.task)
    return [
        Column("name", "Image" if bundle.exams is None else "Exam"),
        Column("predictedLabel", READS_AS),
        *([] if bundle.task.questions else numbers),
        Column("unfamiliarity", UNFAMILIARITY, is_number=True),
        Column("refer", REFERRAL),
        Column("review", "Review"),
        *(numbers if bundle.task.questions else []),
    ]


def title(bundle: Bundle) -> str:
    """A name for a bundle, which has none: its classes, or its tasks."""
    task = bundle.task
    if task.parts or (task.exclusive and not task.ordered):
        return " / ".join(task.parts or task.classes)
    return f"{task.noun[1].capitalize()}: {first_of(task.classes)}"


def bundle_facts(bundle: Bundle) -> list[tuple[str, str]]:
    """How a bundle decides and when it refers, for who has read nothing yet."""
    options, point, task = bundle.preprocessing, bundle.operating_point, bundle.task
    decides = f"{bundle.positive} from probability {point.threshold:.2g}" if point else task.decided_on
    another = f"could be something else than the {task.noun[0]} decided on" if task.exclusive else "it is unsure of"
    points = ", ".join(f"{name} from {bundle.thresholds.get(name, HALF):.2g}" for name in task.questions)
    never = ", ".join(bundle.referral.always)
    colour = "grey" if options.channels == 1 else "colour"
    return [
        (READS_AS, decides),
        *([("Operating points", points)] if points else []),
        *([("Never rules out", f"{never}, for too few images to learn from")] if never and points else []),
        ("Refers to a human", f"what {another}, and what is unlike the training images"),
        ("Sees images as", f"{options.width} x {options.height} px, {colour}"),
    ]


def _number_columns(task: Task) -> list[Column]:
    """One for the probability that decides, or one for each finding or cut."""
    if not task.questions:
        return [Column("probability", probability_heading(task), is_number=True)]
    return [Column(f"question{i}", name, is_number=True) for i, name in enumerate(task.questions)]


def _numbers(found: Reading) -> tuple[Number, ...]:
    columns = _number_columns(found.task)
    if not is_read(found):
        return tuple(Number(key=column.key, value="", shown="") for column in columns)
    if not found.questions:
        return (Number(key=columns[0].key, value=found.probability, shown=rounded(found.probability)),)
    by_name = {one.name: one for one in found.questions}
    pairs = [(column.key, by_name[column.heading]) for column in columns]
    return tuple(
        Number(key=key, value=one.probability, shown=rounded(one.probability), answer=one.answer) for key, one in pairs
    )


def _view(image: ImageRecord, reading_id: str, bundle: Bundle) -> ImageView:
    found = image.result
    common: dict[str, Any] = {
        "id": f"image-{reading_id}-{image.index}",
        "review": f"/readings/{reading_id}/images/{image.index}/review",
        "name": image.name,
        "cells": csv_row(found, bundle.task, of_exams=bundle.exams is not None),
        "latency_ms": image.latency_ms,
        "sha256": image.sha256,
    }
    if isinstance(found, Failure):
        return ImageView(**common, error=found.error)
    pictures: dict[str, Any] = {}
    if isinstance(image, ExamRecord):
        pictures = _of_exam(image, f"/readings/{reading_id}/images/{image.index}")
    elif image.rendition is not None:
        pictures["heats"] = heats(found, bundle.preprocessing, image.rendition)
        pictures["picture"] = view_picture(image.rendition)
    return ImageView(
        **common,
        **pictures,
        found=found,
        is_read=is_read(found),
        headline=headline(found),
        words=label_in_words(found.predicted_label, found.task),
        possible=possible(found),
        numbers=_numbers(found),
        told=told_of(found) if is_read(found) else (),
        asked=asked_of(found),
        referral=short_reasons(found),
        reasons=reasons(found, bundle.referral.coverage),
    )


def _of_exam(image: ExamRecord, address: str) -> dict[str, Any]:
    """The frame of an exam that gave most, and what is told of all."""
    if image.kept is None:
        return {}
    best = view_best(image.kept)
    return {
        "exam": view_exam(image.kept, address, image.files),
        "heats": best.heats,
        "picture": view_picture(best.rendition),
    }


def view_picture(rendition: Rendition) -> Picture:
    """A rendition for the page."""
    values, window = rendition.values, None
    if values is not None:
        low = min(low for low, _ in values.windows.values())
        high = max(high for _, high in values.windows.values())
        window = {
            "uri": data_uri(values.png) if values.png else None,
            "facts": json.dumps({"start": values.start, "step": values.step, "inverted": values.inverted}),
            "presets": {name: json.dumps(ends) for name, ends in values.windows.items()},
            "low": low,
            "high": high,
            "step": 1 if high - low > 100 else (high - low) / 100 or 1,
        }
    return Picture(
        uri=data_uri(rendition.png),
        width=rendition.width,
        height=rendition.height,
        stored=rendition.stored,
        window=window,
    )
