"""The rows of the reading log: no pixels, no file names, nothing that names a person."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from overread.errors import InvalidData

# What a code looks like: neither a sentence, a path nor a file name with its ending fits.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
ID_PATTERN = "[A-Za-z0-9_-]{1,64}"
# Of a reading: what every database counts by.
MOST_IMAGES = 2**31
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Review:
    """What a human said of an image.

    Args:
        true_label: the class that the human sees, whether or not the reader predicted it.
        time: of the answer, with its zone.

    Raises:
        InvalidData: the time has no zone.
    """

    true_label: str
    time: datetime

    def __post_init__(self) -> None:
        _require_zone(self.time)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageRow:
    """What was read from one image.

    Args:
        sha256: of the file's bytes, in hex digits.
        latency_ms: from taking up the image to its result.
        predicted_label: the class decided on; None, as everything after it, where the image could not be read.
        probabilities: of each class.
        positive: for two classes, whether the operating point is reached.
        threshold: that operating point.
        prediction_set: classes that cannot be ruled out.
        unfamiliarity: above 1 the image is unlike the training images.
        refer: reasons to ask a human, such as `uncertain`.
        projection: components of the pooled features, for watching drift.
        error: why it could not be read, as a code such as `UnreadableImage`; never a message, which may quote a name.
        questions: what is told of each finding or clinical cut, as `Question.to_dict` gives it; else None.
        predicted_labels: of each of several tasks; None where there is one only.
        frames: of an exam, how many were read; None of an image.
        best_frame: of an exam, the frame that gave most, as `Frame.to_dict` gives it, without the name of its file.
        review: the human's answer, if there is one.
        reading_id: of the reading that the image belongs to, as the next three filled in by the log.
        index: its place among the files of that reading.
        bundle: fingerprint of the bundle that read it.
        time: of the reading.

    Raises:
        InvalidData: no SHA-256, an error that is no code, both or neither of predicted label and error, or a number
            that is not finite.
    """

    sha256: str
    latency_ms: float
    predicted_label: str | None = None
    probabilities: Mapping[str, float] | None = None
    positive: bool | None = None
    threshold: float | None = None
    prediction_set: tuple[str, ...] = ()
    unfamiliarity: float | None = None
    refer: tuple[str, ...] = ()
    projection: tuple[float, ...] = ()
    error: str | None = None
    questions: Sequence[Mapping[str, Any]] | None = None
    predicted_labels: Mapping[str, str] | None = None
    frames: int | None = None
    best_frame: Mapping[str, Any] | None = None
    review: Review | None = None
    reading_id: str = ""
    index: int = 0
    bundle: str = ""
    time: datetime = _NEVER

    def __post_init__(self) -> None:
        if not _SHA256.fullmatch(self.sha256):
            raise InvalidData("an image row has no SHA-256: expected 64 hex digits of the file's bytes")
        if self.error is not None and not _CODE.fullmatch(self.error):
            raise InvalidData("the error of an image row is no code: expected one such as UnreadableImage, no message")
        if (self.error is None) == (self.predicted_label is None):
            raise InvalidData("an image row has both or neither of predicted label and error: give one of them")
        numbers = (*(self.probabilities or {}).values(), *self.projection, self.latency_ms)
        if not all(map(math.isfinite, (*numbers, self.unfamiliarity or 0, self.threshold or 0))):
            raise InvalidData("an image row holds a number that is not finite: give numbers that can be compared")
        _require_zone(self.time)

    @property
    def agrees(self) -> bool:
        """Whether a human has reviewed it and sees the class that was predicted."""
        return self.review is not None and self.review.true_label == self.predicted_label


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReadingRow:
    """One request: the images that were sent together, and the bundle that read them.

    Args:
        id: a random one, such as `uuid4().hex`.
        time: when it was asked for, with its zone.
        bundle: fingerprint of the bundle.
        images: in the order they were sent; they take reading, index, bundle and time from here.

    Raises:
        InvalidData: the id has other characters than letters, digits, hyphens and underscores, the time has no zone, or
            there is no image.
    """

    id: str
    time: datetime
    bundle: str
    images: tuple[ImageRow, ...]

    def __post_init__(self) -> None:
        _require_zone(self.time)
        if not is_id(self.id):
            raise InvalidData("the id of a reading is none: expected up to 64 letters and digits, such as uuid4().hex")
        if not self.images:
            raise InvalidData("a reading without an image cannot be logged: give one image or more")
        placed = (
            dataclasses.replace(image, reading_id=self.id, index=index, bundle=self.bundle, time=self.time)
            for index, image in enumerate(self.images)
        )
        object.__setattr__(self, "images", tuple(placed))


def is_id(text: str) -> bool:
    """Whether a reading can have this id."""
    return re.fullmatch(ID_PATTERN, text) is not None


def _require_zone(time: datetime) -> None:
    if time.tzinfo is None:
        raise InvalidData("a time of the reading log has no zone: give one such as datetime.now(UTC)")
