"""Decode a data set once: a file of prepared images that later runs and other processes share."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import time
import types
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from overread.errors import InvalidData, InvalidOption, OutputUnwritable
from overread.formats import Instance, decoder_versions
from overread.images.pixel_build import Build, StoredImage, Target
from overread.images.pixel_file import PixelFile
from overread.images.prepare import Preprocessing
from overread.images.stored_exam import StoredExam
from overread.machine.content.sealed import unsealed
from overread.machine.files import read_regular
from overread.machine.places import STORED_PIXELS
from overread.machine.remote import FETCHERS, is_remote
from overread.machine.workers import Progress, in_chunks

STORE_FORMAT = 4
ABANDONED_AFTER_S = 24 * 3600


@dataclasses.dataclass(frozen=True, eq=False)
class PixelStore:
    """The prepared pixels of a list of images, read-only and complete; made by `PixelStore.open`.

    Args:
        pixels: `(n, height, width, channels)` uint8 on disk, in the order of the paths.
        digests: SHA-256 of each file's bytes in hex, with the frame where one is named; empty for a file that cannot be
            read.
        failures: index to reason for each image that gave no pixels; its row is zeros and must never be used.
        preprocessing: what was applied, `channels` resolved.
        path: the `.npy` file behind `pixels`.
        notes: what a user should know of how it was opened.
    """

    pixels: PixelFile
    digests: tuple[str, ...]
    failures: Mapping[int, str]
    preprocessing: Preprocessing
    path: Path
    notes: tuple[str, ...] = ()

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        preprocessing: Preprocessing,
        *,
        folder: Path,
        frames: Sequence[int | None] | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> PixelStore:
        """Prepare all images, or open the store that an earlier run made of the same bytes by the same decoders.

        The content of the files decides, not their names, and the versions of the libraries that decode the formats
        found: a reader of new images has those that are installed. A store with failures retries those files, since a
        decoder may have been installed, and is made anew when one reads; so is one that is no longer as it was written,
        which `notes` tells. Every row is held against its checksum now, and again each time that it is read. Several
        processes may open the same store at once.

        Args:
            paths: the image files, in the order of the rows.
            preprocessing: with `channels=None`, up to 64 images spread over the list are looked at, and the store is
                made anew in colour if a coloured one turns up later.
            frames: which frame of each file, from 1; None for the only one, as for all by default.
            folder: where stores are kept; made if absent. Files that a killed process left there go after a day.
            workers: threads; by default as many as processors, and more for remote files.
            progress: called with the number of images done and of all, for images decoded now.

        Raises:
            InvalidData: there are no paths.
            InvalidOption: `workers` is below 1.
            OutputUnwritable: the folder cannot be written or its disk cannot hold the store.
            MissingExtra: an image is DICOM and pydicom is not installed.
        """
        (store,) = cls.open_each(
            paths, [preprocessing], folder=folder, frames=frames, workers=workers, progress=progress
        )
        return store

    @classmethod
    def open_each(
        cls,
        paths: Sequence[Path],
        preprocessings: Sequence[Preprocessing],
        *,
        folder: Path,
        frames: Sequence[int | None] | None = None,
        exams: Sequence[Sequence[Instance]] | None = None,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> tuple[PixelStore, ...]:
        """Do what `open` does for each preprocessing; what has to be decoded for several is opened once.

        Args:
            paths, folder, frames, workers, progress: as for `open`.
            preprocessings: what each store holds.
            exams: the files and frames of each exam, whose overview is stored; none for an image.

        Raises:
            OverreadError: as `open`.
        """
        if not paths:
            raise InvalidData("there are no images to prepare: at least one path was expected")
        workers = _workers_for(paths) if workers is None else workers
        if workers < 1:
            raise InvalidOption(f"workers={workers}: choose 1 or more")
        places = list(zip(paths, frames or [None] * len(paths), exams or [()] * len(paths), strict=True))
        images = list(in_chunks(lambda chunk: [_stored_image(*places[i]) for i in chunk], len(places), workers))
        digests = tuple(image.digest for image in images)
        keys = {one: _key(one, digests, {image.format for image in images}) for one in preprocessings}
        _remove_abandoned(folder)
        found = {one: _stored(folder, key, digests, workers) for one, key in keys.items()}
        stores = {one: store for one, (store, _) in found.items()}
        missing = [
            Target(one, folder / f"{keys[one]}-{uuid.uuid4().hex}.npy", folder / f"{keys[one]}.json")
            for one, store in stores.items()
            if store is None or any(images[index].reads(one) for index in store.failures)
        ]
        if missing:
            Build(images, missing, workers, progress).run()
        for one in (target.preprocessing for target in missing):
            stores[one], _ = _stored(folder, keys[one], digests, workers)
        return tuple(_usable(stores[one], folder, was_damaged=found[one][1]) for one in preprocessings)


def _stored_image(path: Path, frame: int | None, exam: Sequence[Instance]) -> StoredImage | StoredExam:
    return StoredExam.of(exam) if exam else StoredImage.of(path, frame)


def _usable(store: PixelStore | None, folder: Path, *, was_damaged: bool) -> PixelStore:
    """The store, with a note where its pixels had to be made anew."""
    if store is None:
        raise OutputUnwritable(f"the pixel store just written to {folder} cannot be read back: check that disk")
    said = f"the decoded pixels in {folder} were damaged, so that the images were decoded anew: check that disk"
    return dataclasses.replace(store, notes=(said,) if was_damaged else ())


def _workers_for(paths: Sequence[Path]) -> int:
    """A thread a core, and more where most of the time is spent waiting for a store."""
    cores = os.cpu_count() or 1
    return max(cores, FETCHERS) if any(map(is_remote, paths)) else cores


def _key(preprocessing: Preprocessing, digests: tuple[str, ...], formats: Collection[str]) -> str:
    content = {
        "format": STORE_FORMAT,
        "preprocessing": preprocessing.to_dict(),
        # Of the formats found only: what decodes none of these images may change without decoding them anew.
        "decoders": decoder_versions(formats),
        "digests": digests,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _stored(folder: Path, key: str, digests: tuple[str, ...], workers: int) -> tuple[PixelStore | None, bool]:
    """The store of this key, or None; also whether there is a damaged one, whose pixels are removed."""
    try:
        content = read_regular(folder / f"{key}.json")
    except OSError:
        return None, False
    path = None
    try:
        record = unsealed(content)
        if record["key"] != key or STORED_PIXELS.fullmatch(record["pixels"]) is None:
            raise ValueError("the record is of another store")
        path = folder / record["pixels"]
        store = _opened(path, record, digests)
        if path.stat().st_size != record["bytes"] or not store.pixels.is_whole(workers):
            raise ValueError("the pixels are not as they were written")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if path is not None and not isinstance(error, OSError):
            with contextlib.suppress(OSError):
                path.unlink()
        return None, True
    return store, False


def _opened(path: Path, record: Mapping[str, Any], digests: tuple[str, ...]) -> PixelStore:
    preprocessing = Preprocessing.from_dict(record["preprocessing"])
    pixels = PixelFile(path, record["checksums"])
    if pixels.shape != (len(digests), preprocessing.height, preprocessing.width, preprocessing.channels):
        raise ValueError("the pixels have another shape")
    failures = {int(index): str(reason) for index, reason in record["failures"].items()}
    return PixelStore(pixels, digests, types.MappingProxyType(failures), preprocessing, path)


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left: our files of another day that no record names, and pixels of before.

    A file of tomorrow was written when the clock was wrong.
    """
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            match = STORED_PIXELS.fullmatch(path.name)
            if match is None or abs(time.time() - path.stat().st_mtime) < ABANDONED_AFTER_S:
                continue
            try:
                is_named = unsealed(read_regular(folder / f"{match['key']}.json"))["pixels"] == path.name
            except (OSError, ValueError, KeyError, TypeError):
                is_named = False
            if not is_named:
                path.unlink(missing_ok=True)
