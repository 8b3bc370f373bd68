"""Decode a list of images into the file of a pixel store."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from overread.errors import MissingPath, UnreadableImage
from overread.formats import HEAD_LENGTH, format_of, is_coloured
from overread.formats.source import content_of
from overread.images.pixel_file import PixelFile
from overread.images.prepare import Preprocessing, as_channels, fit_pixels
from overread.machine.content.sealed import sealed
from overread.machine.files import write_json
from overread.machine.workers import Progress, in_chunks, in_order

PROBED_FOR_COLOUR, PROBED_SHARE = 64, 16
CHUNK_BYTES = 2**25


@dataclasses.dataclass(frozen=True)
class StoredImage:
    """A frame of a file, known by its content.

    Args:
        path: of the file.
        frame: its number; None where it is the only one.
        digest: SHA-256 of the file's bytes, with the frame where one is named; empty for a file that cannot be read.
        format: the name of its format, or empty.
    """

    path: Path
    frame: int | None
    digest: str
    format: str

    @classmethod
    def of(cls, path: Path, frame: int | None) -> StoredImage:
        """Read the file; whether it gives pixels is not asked."""
        try:
            content = content_of(path)
        except (MissingPath, UnreadableImage):
            return cls(path, frame, "", "")
        found = format_of(content[:HEAD_LENGTH], path)
        return cls(path, frame, _digest(content, frame), "" if found is None else found.name)

    def fitted(self, preprocessing: Preprocessing) -> np.ndarray:
        """Its pixels, as `fit_pixels` gives them of the content that it is known by.

        Raises:
            UnreadableImage: it gives none, or its file has changed.
            MissingPath: its file is gone.
        """
        content = content_of(self.path)
        if _digest(content, self.frame) != self.digest:
            raise UnreadableImage("changed while it was being read: leave it as it is and run the same command again")
        return fit_pixels(content, preprocessing, str(self.path), frame=self.frame)

    def reads(self, preprocessing: Preprocessing) -> bool:
        """Whether it gives pixels now."""
        try:
            self.fitted(preprocessing)
        except (UnreadableImage, MissingPath):
            return False
        return True


def _digest(content: bytes, frame: int | None) -> str:
    digest = hashlib.sha256(content)
    if frame is not None:
        digest.update(b"frame %d" % frame)
    return digest.hexdigest()


class _ColourFound(Exception):
    """A coloured image in a data set whose probe was grey."""


@dataclasses.dataclass(frozen=True)
class Build:
    """One making of a store: pixels under a name of their own, then a record that makes them count.

    Args:
        images: in the order of the rows.
        preprocessing: what is applied.
        target: the file of the pixels.
        workers: threads.
        progress: called with the number of images done and of all.
    """

    images: Sequence[StoredImage]
    preprocessing: Preprocessing
    target: Path
    workers: int
    progress: Progress | None

    def run(self, record_path: Path) -> None:
        """Write pixels and record; whatever stops it, no pixels are left behind."""
        channels = self.preprocessing.channels or self._probed_channels()
        try:
            try:
                pixels, failures = self._decode_all(channels)
            except _ColourFound:
                channels = 3
                pixels, failures = self._decode_all(channels)
            record = {
                "key": record_path.stem,
                "pixels": self.target.name,
                "bytes": self.target.stat().st_size,
                "preprocessing": dataclasses.replace(self.preprocessing, channels=channels).to_dict(),
                "failures": {str(index): reason for index, reason in failures.items()},
                "checksums": pixels.checksums,
            }
            write_json(record_path, sealed(record))
        except BaseException:
            with contextlib.suppress(OSError):
                self.target.unlink()
            raise

    def _probed_channels(self) -> int:
        # Of few images no more than a share: they are decoded again.
        probed = min(-(-len(self.images) // PROBED_SHARE), PROBED_FOR_COLOUR)
        spread = np.linspace(0, len(self.images) - 1, probed).astype(int)
        return 3 if any(in_order(self._shows_colour, spread.tolist(), self.workers)) else 1

    def _shows_colour(self, index: int) -> bool:
        try:
            return is_coloured(self.images[index].fitted(self.preprocessing))
        except (UnreadableImage, MissingPath):
            return False

    def _decode_all(self, channels: int) -> tuple[PixelFile, dict[int, str]]:
        shape = (len(self.images), self.preprocessing.height, self.preprocessing.width, channels)
        pixels = PixelFile.reserve(self.target, shape)
        must_be_grey = self.preprocessing.channels is None and channels == 1
        options = self.preprocessing if must_be_grey else dataclasses.replace(self.preprocessing, channels=channels)

        def place(chunk: range) -> list[str | None]:
            rows = np.zeros((len(chunk), *shape[1:]), np.uint8)
            reasons: list[str | None] = []
            for row, index in zip(rows, chunk, strict=True):
                try:
                    own = self.images[index].fitted(options)
                except (UnreadableImage, MissingPath) as error:
                    reasons.append(str(error))
                    continue
                if must_be_grey and is_coloured(own):
                    raise _ColourFound
                row[:] = as_channels(own, channels)
                reasons.append(None)
            pixels.write(chunk.start, rows)
            return reasons

        failures = {}
        most = CHUNK_BYTES // int(np.prod(shape[1:]))
        for index, reason in enumerate(in_chunks(place, len(self.images), self.workers, most)):
            if reason is not None:
                failures[index] = reason
            if self.progress is not None:
                self.progress(index + 1, len(self.images))
        return pixels, failures
