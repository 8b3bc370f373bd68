"""Decode a list of images into the files of one pixel store or several."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from overread.errors import MissingPath, UnreadableImage
from overread.formats import HEAD_LENGTH, format_of, is_coloured
from overread.formats.source import content_of
from overread.images.pixel_file import PixelFile
from overread.images.prepare import Preprocessing, as_channels, fit_pixels
from overread.images.stored_exam import StoredExam
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

    def fitted(self, preprocessings: Sequence[Preprocessing]) -> list[np.ndarray]:
        """Its pixels, as `fit_pixels` gives them of the content that it is known by.

        Raises:
            UnreadableImage: it gives none, or its file has changed.
            MissingPath: its file is gone.
        """
        content = content_of(self.path)
        if _digest(content, self.frame) != self.digest:
            raise UnreadableImage("changed while it was being read: leave it as it is and run the same command again")
        return fit_pixels(content, preprocessings, str(self.path), frame=self.frame)

    def reads(self, preprocessing: Preprocessing) -> bool:
        """Whether it gives pixels now."""
        try:
            self.fitted([preprocessing])
        except (UnreadableImage, MissingPath):
            return False
        return True


def _digest(content: bytes, frame: int | None) -> str:
    digest = hashlib.sha256(content)
    if frame is not None:
        digest.update(b"frame %d" % frame)
    return digest.hexdigest()


@dataclasses.dataclass(frozen=True)
class Target:
    """A store to be made: pixels under a name of their own, then a record that makes them count.

    Args:
        preprocessing: what is applied.
        pixels: the file of the pixels.
        record: the file of the record.
    """

    preprocessing: Preprocessing
    pixels: Path
    record: Path


class _ColourFound(Exception):
    """A coloured image where the probe for a target was grey."""

    def __init__(self, target: Target) -> None:
        self.target = target


@dataclasses.dataclass(frozen=True)
class Build:
    """One making of stores of the same images, each of which is opened once.

    Args:
        images: in the order of the rows.
        targets: the stores; those whose preprocessing is the same once their channels are decided share their pixels.
        workers: threads.
        progress: called with the number of images done and of all.
    """

    images: Sequence[StoredImage | StoredExam]
    targets: Sequence[Target]
    workers: int
    progress: Progress | None

    def run(self) -> None:
        """Write pixels and records; whatever stops it, no pixels are left behind."""
        resolved = {target: self._probed(target) for target in self.targets}
        try:
            while True:
                try:
                    pixels, failures = self._decode_all(resolved)
                    break
                except _ColourFound as found:
                    self._remove_pixels()
                    resolved[found.target] = dataclasses.replace(found.target.preprocessing, channels=3)
            for target, preprocessing in resolved.items():
                own = pixels[preprocessing]
                record = {
                    "key": target.record.stem,
                    "pixels": own.path.name,
                    "bytes": own.path.stat().st_size,
                    "preprocessing": preprocessing.to_dict(),
                    "failures": {str(index): reason for index, reason in failures.items()},
                    "checksums": own.checksums,
                }
                write_json(target.record, sealed(record))
        except BaseException:
            self._remove_pixels()
            raise

    def _remove_pixels(self) -> None:
        for target in self.targets:
            with contextlib.suppress(OSError):
                target.pixels.unlink()

    def _probed(self, target: Target) -> Preprocessing:
        """With channels: those that are asked for, or that some of the images show."""
        if target.preprocessing.channels is not None:
            return target.preprocessing
        # Of few images no more than a share: they are decoded again.
        probed = min(-(-len(self.images) // PROBED_SHARE), PROBED_FOR_COLOUR)
        spread = np.linspace(0, len(self.images) - 1, probed).astype(int).tolist()
        shows_colour = functools.partial(self._shows_colour, preprocessing=target.preprocessing)
        channels = 3 if any(in_order(shows_colour, spread, self.workers)) else 1
        return dataclasses.replace(target.preprocessing, channels=channels)

    def _shows_colour(self, index: int, preprocessing: Preprocessing) -> bool:
        try:
            (pixels,) = self.images[index].fitted([preprocessing])
        except (UnreadableImage, MissingPath):
            return False
        return is_coloured(pixels)

    def _decode_all(
        self, resolved: Mapping[Target, Preprocessing]
    ) -> tuple[dict[Preprocessing, PixelFile], dict[int, str]]:
        """The pixels of each preprocessing, and the images that give none."""
        makers: dict[Preprocessing, Target] = {}
        # First those that left their channels open, which look for colour on behalf of those that are the same.
        for target in sorted(resolved, key=lambda target: target.preprocessing.channels is not None):
            makers.setdefault(resolved[target], target)
        files = {options: PixelFile.reserve(target.pixels, self._shape(options)) for options, target in makers.items()}
        # A grey store that left its channels open asks for an image in its own colour.
        asked = [target.preprocessing if options.channels == 1 else options for options, target in makers.items()]

        def place(chunk: range) -> list[str | None]:
            rows = [np.zeros((len(chunk), *file.shape[1:]), np.uint8) for file in files.values()]
            reasons: list[str | None] = []
            for number, index in enumerate(chunk):
                try:
                    fitted = self.images[index].fitted(asked)
                except (UnreadableImage, MissingPath) as error:
                    reasons.append(str(error))
                    continue
                for own, row, options, target in zip(fitted, rows, asked, makers.values(), strict=True):
                    if options.channels is None and is_coloured(own):
                        raise _ColourFound(target)
                    row[number] = as_channels(own, row.shape[-1])
                reasons.append(None)
            for file, row in zip(files.values(), rows, strict=True):
                file.write(chunk.start, row)
            return reasons

        failures = {}
        most = CHUNK_BYTES // sum(int(np.prod(file.shape[1:])) for file in files.values())
        for index, reason in enumerate(in_chunks(place, len(self.images), self.workers, most)):
            if reason is not None:
                failures[index] = reason
            if self.progress is not None:
                self.progress(index + 1, len(self.images))
        return files, failures

    def _shape(self, options: Preprocessing) -> tuple[int, ...]:
        return len(self.images), options.height, options.width, options.channels or 3
