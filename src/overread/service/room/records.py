"""What goes in and out of the reading room: uploads, and the record of their reading."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from overread.machine.terminal import shown
from overread.reading import Failure, Reading
from overread.reading.fields import FIELDS, as_json
from overread.reading_log import ImageRow, ReadingRow
from overread.service.room.rendition import Rendition

_LONGEST_NAME = 200
# What the log has of a reading under the same name and in the same form.
_KEPT_AS_THEY_ARE = [field for field in FIELDS if field.name != "questions" and not field.of_exams]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Upload:
    """A file as it was sent.

    Args:
        name: for showing only, and never logged.
        content: of the file.
    """

    name: str
    content: bytes


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ImageRecord:
    """One image, or exam, of a reading.

    Args:
        index: from 0, in the order sent; those within a zip in its place.
        name: as uploaded, made fit to show; never logged.
        sha256: of the file.
        latency_ms: from being taken in to being read, waiting included.
        result: what the bundle says, or why it says nothing.
        code: of a failure: `unreadable`, `too-large`, `timed-out`, `crashed`, `out-of-memory`, `interrupted`; None for
            a reading.
        rendition: of the image for people, where one was asked for.
    """

    index: int
    name: str
    sha256: str
    latency_ms: float
    result: Reading | Failure
    code: str | None = None
    rendition: Rendition | None = None

    def to_dict(self, *, each: bool = False) -> dict[str, Any]:
        """The image as JSON values, without pixels; it has no frames to be told each."""
        return _item(self.index, self.name, self.sha256, self.latency_ms, self.code, self.result.to_dict(), None)

    def row(self) -> ImageRow:
        """What the log keeps of it."""
        if isinstance(self.result, Failure):
            return ImageRow(sha256=self.sha256, latency_ms=self.latency_ms, error=self.code)
        found = self.result
        return ImageRow(
            sha256=self.sha256,
            latency_ms=self.latency_ms,
            projection=tuple(map(float, found.projection)),
            questions=[one.to_dict() for one in found.questions] or None,
            **{field.name: getattr(found, field.name) for field in _KEPT_AS_THEY_ARE},
            **_of_exam(found),
        )


def _of_exam(found: Reading) -> dict[str, Any]:
    """What the log keeps of an exam: its frames and the best of them, without the name of its file."""
    if found.best_frame is None:
        return {}
    told = {name: value for name, value in found.best_frame.to_dict().items() if name != "path"}
    return {"frames": len(found.frames), "best_frame": told}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ReadingRecord:
    """The images of one request as a bundle read them; `bundle` is its fingerprint."""

    images: Sequence[ImageRecord]
    bundle: str
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    created: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))

    def to_dict(self, *, each: bool = False) -> dict[str, Any]:
        """The record as JSON values, without pixels; with each frame of its exams, where that is wanted."""
        return _record(self.id, self.created, self.bundle, [image.to_dict(each=each) for image in self.images])

    def row(self) -> ReadingRow:
        """What the log keeps of it."""
        images = tuple(image.row() for image in self.images)
        return ReadingRow(id=self.id, time=self.created, bundle=self.bundle, images=images)


def logged(row: ReadingRow) -> dict[str, Any]:
    """A reading of the log under the keys of `ReadingRecord.to_dict`; it has no names, and a code for each failure."""
    return _record(row.id, row.time, row.bundle, [_logged_image(image) for image in row.images])


def _logged_image(image: ImageRow) -> dict[str, Any]:
    error = None if image.error is None else f"could not be read ({image.error})"
    result = as_json(None if error else image, path=None, error=error)
    review = None if image.review is None else {"true_label": image.review.true_label, "time": _iso(image.review.time)}
    return _item(image.index, None, image.sha256, image.latency_ms, image.error, result, review)


def _item(
    index: int, name: str | None, sha256: str, latency_ms: float, code: str | None, result: Any, review: Any
) -> dict[str, Any]:
    return {
        "index": index,
        "name": name,
        "sha256": sha256,
        "latency_ms": round(latency_ms, 1),
        "code": code,
        "result": result,
        "review": review,
    }


def _record(identity: str, created: datetime, bundle: str, images: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": identity, "created": _iso(created), "bundle": bundle, "images": images}


def _iso(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds")


def name_of(upload: Upload) -> str:
    """What to call an upload where it is shown: it does no harm there and is not endless."""
    return shown(upload.name)[:_LONGEST_NAME] or "unnamed"


def request_digest(bundle: str, digests: Iterable[bytes]) -> str:
    """SHA-256 of what is asked, by which a repeated request is known.

    Args:
        bundle: fingerprint of the one that reads.
        digests: SHA-256 of each file, in the order sent.
    """
    digest = hashlib.sha256(bundle.encode())
    for one in digests:
        digest.update(one)
    return digest.hexdigest()
