"""What the page says of a reading: decision and reasons in words, bars, pictures and the row of the CSV."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from overread.bundle import Bundle, class_evidence
from overread.evaluation import UNCERTAIN
from overread.images import content_box
from overread.reading import Failure, Reading, csv_header, csv_row, heat_map
from overread.service.records import ImageRecord, ReadingRecord
from overread.service.rendition import Rendition, data_uri, png

# What a spreadsheet would take for the start of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MOST_DIGITS = 6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bar:
    """The probability of a class and the operating point on one bar, as numbers and as they are told."""

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
    """One image as the templates show it; `error` is None for a reading."""

    id: str
    review: str
    name: str
    cells: list[str]
    latency_ms: float
    sha256: str
    error: str | None = None
    label: str = ""
    positive: bool | None = None
    probability: float | None = None
    shown_probability: str = ""
    decision: str = ""
    reasons: tuple[str, ...] = ()
    unfamiliarity: float | None = None
    prediction_set: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    heats: tuple[Heat, ...] = ()
    picture: Picture | None = None


def view_images(record: ReadingRecord, bundle: Bundle) -> list[ImageView]:
    """Each image of a reading as the page shows it."""
    return [_view(image, record.id, bundle) for image in record.images]


def csv_columns(bundle: Bundle) -> list[str]:
    """The columns of the CSV, fit for spreadsheets."""
    return [harmless(name) for name in csv_header(bundle.classes)]


def harmless(cell: Any) -> str:
    """A cell of a CSV as no spreadsheet takes for a formula: an apostrophe before what starts like one."""
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def rounded(probability: float, digits: int = 2) -> str:
    """A probability in so many digits that does not claim to be certain when it is not."""
    text, least = f"{probability:.{digits}f}", 10**-digits
    if 0 < probability < 1 and float(text) in (0, 1):
        return f"<{least:.{digits}f}" if probability < least else f">{1 - least:.{digits}f}"
    return text


def title(bundle: Bundle) -> str:
    """A name for a bundle, which has none: its classes."""
    return " / ".join(bundle.classes)


def bundle_facts(bundle: Bundle) -> list[tuple[str, str]]:
    """How a bundle decides and when it refers, for who has read nothing yet."""
    options, point = bundle.preprocessing, bundle.operating_point
    decides = f"{bundle.positive} from probability {point.threshold:.2g}" if point else "the most probable class"
    colour = "grey" if options.channels == 1 else "colour"
    return [
        ("Reads as", decides),
        (
            "Refers to a human",
            f"what is uncertain at {100 * bundle.referral.coverage:g} % coverage, or unlike the training images",
        ),
        ("Sees images as", f"{options.width} x {options.height} px, {colour}"),
    ]


def decision(found: Reading, positive: str | None) -> str:
    """What is decided and why, in one sentence."""
    if found.threshold is None or positive is None:
        chance, several = rounded(found.probabilities[found.label]), len(found.probabilities)
        return f"Reads as {found.label}: the most probable of {several} classes, probability {chance}"
    probability, threshold = _told_apart(found.probabilities[positive], found.threshold)
    if found.positive:
        return f"Reads as {found.label}: probability {probability} is at or above the operating point {threshold}"
    return f"Reads as {found.label}: probability {probability} of {positive} is below the operating point {threshold}"


def reasons(found: Reading, coverage: float) -> tuple[str, ...]:
    """Why a human should read the image, a sentence for each reason."""
    return tuple(
        _uncertain(found, f"{100 * coverage:g} %") if reason == UNCERTAIN else _unfamiliar(found.unfamiliarity)
        for reason in found.refer
    )


def _view(image: ImageRecord, reading_id: str, bundle: Bundle) -> ImageView:
    found = image.result
    common: dict[str, Any] = {
        "id": f"image-{reading_id}-{image.index}",
        "review": f"/readings/{reading_id}/images/{image.index}/review",
        "name": image.name,
        "cells": [harmless(cell) for cell in csv_row(found, bundle.classes)],
        "latency_ms": image.latency_ms,
        "sha256": image.sha256,
    }
    if isinstance(found, Failure):
        return ImageView(**common, error=found.error)
    probability = found.probabilities[bundle.positive or found.label]
    return ImageView(
        **common,
        label=found.label,
        positive=found.positive,
        probability=probability,
        shown_probability=rounded(probability),
        decision=decision(found, bundle.positive),
        reasons=reasons(found, bundle.referral.coverage),
        unfamiliarity=found.unfamiliarity,
        prediction_set=found.prediction_set,
        bars=_bars(found, bundle),
        heats=_heats(found, bundle, image.rendition),
        picture=None if image.rendition is None else _picture(image.rendition),
    )


def _told_apart(probability: float, threshold: float) -> tuple[str, str]:
    """Both in as few digits, two or more, as show which is larger."""
    for digits in range(2, _MOST_DIGITS + 1):
        shown = rounded(probability, digits), rounded(threshold, digits)
        if shown[0] != shown[1]:
            break
    return shown


def _uncertain(found: Reading, coverage: str) -> str:
    left = list(found.prediction_set)
    if not left:
        return f"Uncertain: at {coverage} coverage it fits no class."
    if len(left) == 1:
        return f"Uncertain: at {coverage} coverage only {left[0]} cannot be ruled out, against the decision."
    return f"Uncertain: at {coverage} coverage {', '.join(left[:-1])} and {left[-1]} cannot be ruled out."


def _unfamiliar(score: float) -> str:
    if not math.isfinite(score):
        return "Unlike the training images: its features are no finite numbers."
    times = f"{score:.1f}" if score < 100 else f"{score:.0f}"
    if times == "1.0":
        return (
            "Unlike the training images: it lies just beyond the distance within which 99 % of validation images lie."
        )
    return f"Unlike the training images: {times} times as far from them as 99 % of validation images lie at most."


def _bars(found: Reading, bundle: Bundle) -> tuple[Bar, ...]:
    names: Sequence[str] = (
        [bundle.positive] if bundle.positive else sorted(bundle.classes, key=lambda name: -found.probabilities[name])
    )
    bars = []
    for name in names:
        point, probability = bundle.operating_points.get(name), found.probabilities[name]
        threshold = point.threshold if point else None
        shown = (rounded(probability), "") if threshold is None else _told_apart(probability, threshold)
        bars.append(
            Bar(label=name, probability=probability, threshold=threshold, shown=shown[0], shown_threshold=shown[1])
        )
    return tuple(bars)


def _heats(found: Reading, bundle: Bundle, rendition: Rendition | None) -> tuple[Heat, ...]:
    """The map of each class over the picture alone, without what was padded; the decided class first."""
    if rendition is None:
        return ()
    options = bundle.preprocessing
    box = content_box(rendition.stored, options)
    heats = []
    for name in sorted(bundle.classes, key=lambda name: name != found.label):
        evidence = class_evidence(found.activation_map, bundle.classes.index(name))
        drawn: Image.Image = heat_map(evidence, (options.width, options.height)).crop(box)
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
