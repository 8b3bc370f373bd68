"""What the page says of a reading: decision and reasons in words, bars, pictures and the row of the CSV."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
from PIL import Image

from overread.bundle import Bundle
from overread.images import content_box
from overread.reading import Failure, Reading
from overread.reading.output import csv_row
from overread.reading.pictures import heat_map
from overread.reading.sentences import (
    READS_AS,
    REFERRAL,
    UNFAMILIARITY,
    decision,
    headline,
    is_read,
    possible,
    probability_heading,
    reasons,
    rounded,
    short_reasons,
    told_apart,
)
from overread.service.room.records import ImageRecord, ReadingRecord
from overread.service.room.rendition import Rendition, data_uri, png


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of the table: the data attribute of a row that it is sorted by, and the heading."""

    key: str
    heading: str
    is_number: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bar:
    """The probability of a class on a bar, with the operating point where that decides, as numbers and as told."""

    label: str
    probability: float
    threshold: float | None
    shown: str
    shown_threshold: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Heat:
    """The activation map of a class as a PNG that covers the picture."""

    label: str
    uri: str


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
    possible: str = ""
    probability: str = ""
    decision: str = ""
    referral: str = ""
    reasons: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    heats: tuple[Heat, ...] = ()
    picture: Picture | None = None


def view_images(record: ReadingRecord, bundle: Bundle) -> list[ImageView]:
    """Each image of a reading as the page shows it."""
    return [_view(image, record.id, bundle) for image in record.images]


def table_columns(bundle: Bundle) -> list[Column]:
    """The columns of the table on the page."""
    return [
        Column("name", "Image"),
        Column("predictedLabel", READS_AS),
        Column("probability", probability_heading(bundle.task), is_number=True),
        Column("unfamiliarity", UNFAMILIARITY, is_number=True),
        Column("refer", REFERRAL),
        Column("review", "Review"),
    ]


def title(bundle: Bundle) -> str:
    """A name for a bundle, which has none: its classes."""
    return " / ".join(bundle.classes)


def bundle_facts(bundle: Bundle) -> list[tuple[str, str]]:
    """How a bundle decides and when it refers, for who has read nothing yet."""
    options, point = bundle.preprocessing, bundle.operating_point
    decides = f"{bundle.positive} from probability {point.threshold:.2g}" if point else bundle.task.decided_on
    colour = "grey" if options.channels == 1 else "colour"
    return [
        (READS_AS, decides),
        (
            "Refers to a human",
            "what could be something else than the class decided on, and what is unlike the training images",
        ),
        ("Sees images as", f"{options.width} x {options.height} px, {colour}"),
    ]


def _view(image: ImageRecord, reading_id: str, bundle: Bundle) -> ImageView:
    found = image.result
    common: dict[str, Any] = {
        "id": f"image-{reading_id}-{image.index}",
        "review": f"/readings/{reading_id}/images/{image.index}/review",
        "name": image.name,
        "cells": csv_row(found, bundle.task),
        "latency_ms": image.latency_ms,
        "sha256": image.sha256,
    }
    if isinstance(found, Failure):
        return ImageView(**common, error=found.error)
    return ImageView(
        **common,
        found=found,
        is_read=is_read(found),
        headline=headline(found),
        possible=possible(found),
        probability=rounded(found.probability) if is_read(found) else "",
        decision=decision(found),
        referral=short_reasons(found),
        reasons=reasons(found, bundle.referral.coverage),
        bars=_bars(found, bundle) if is_read(found) else (),
        heats=_heats(found, bundle, image.rendition),
        picture=None if image.rendition is None else _picture(image.rendition),
    )


def _bars(found: Reading, bundle: Bundle) -> tuple[Bar, ...]:
    bars, thresholds = [], found.task.thresholds_in_force(bundle.thresholds)
    for name in sorted(found.task.judged, key=lambda name: -found.probabilities[name]):
        threshold, probability = thresholds.get(name), found.probabilities[name]
        shown = (rounded(probability), "") if threshold is None else told_apart(probability, threshold)
        bars.append(
            Bar(label=name, probability=probability, threshold=threshold, shown=shown[0], shown_threshold=shown[1])
        )
    return tuple(bars)


def _heats(found: Reading, bundle: Bundle, rendition: Rendition | None) -> tuple[Heat, ...]:
    """The map of each class over the picture alone, without what was padded; the decided class first."""
    if rendition is None or not is_read(found):
        return ()
    options = bundle.preprocessing
    box = content_box(rendition.stored, options)
    heats = []
    for name in sorted(bundle.classes, key=lambda name: name != found.foremost):
        drawn: Image.Image = heat_map(found.evidence(name), (options.width, options.height)).crop(box)
        heats.append(Heat(label=name, uri=data_uri(png(np.asarray(drawn)))))
    return tuple(heats)


def _picture(rendition: Rendition) -> Picture:
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
