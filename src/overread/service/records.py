"""What goes in and out of the reading room: uploads, and the record of their reading."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from datetime import UTC, datetime
from typing import Any

from overread.reading import Failure, Reading

_LONGEST_NAME = 200


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
    """One image of a reading.

    Args:
        index: from 0, in the order sent; those within a zip in its place.
        name: as uploaded, made fit to show; never logged.
        sha256: of the file.
        latency_ms: from being taken in to being read, waiting included.
        result: what the bundle says, or why it says nothing.
        code: of a failure: `unreadable`, `too-large`, `timed-out`, `crashed`, `out-of-memory`; None for a reading.
        rendition: of the image for people, where one was asked for.
    """

    index: int
    name: str
    sha256: str
    latency_ms: float
    result: Reading | Failure
    code: str | None = None
    rendition: Any = None

    def to_dict(self) -> dict[str, Any]:
        """The image as JSON values, without pixels."""
        return {
            "index": self.index,
            "sha256": self.sha256,
            "latency_ms": round(self.latency_ms, 1),
            "code": self.code,
            "result": self.result.to_dict(),
            "review": None,
        }


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ReadingRecord:
    """The images of one request as a bundle read them; `bundle` is its fingerprint."""

    images: list[ImageRecord]
    bundle: str
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)
    created: datetime = dataclasses.field(default_factory=lambda: datetime.now(UTC))

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON values, without pixels."""
        return {
            "id": self.id,
            "created": self.created.isoformat(timespec="milliseconds"),
            "bundle": self.bundle,
            "images": [image.to_dict() for image in self.images],
        }


def shown(name: str) -> str:
    """A file name that does no harm where it is shown: no control or direction characters, no endless length."""
    clean = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in name)
    return clean[:_LONGEST_NAME] or "unnamed"


def request_digest(bundle: str, uploads: list[Upload]) -> str:
    """SHA-256 of what is asked, by which a repeated request is known; without the names."""
    digest = hashlib.sha256(bundle.encode())
    for upload in uploads:
        digest.update(hashlib.sha256(upload.content).digest())
    return digest.hexdigest()
