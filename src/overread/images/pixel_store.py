"""Decode a data set once: a memory-mapped array of prepared images that later runs and other processes share."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import json
import os
import re
import shutil
import time
import types
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from overread.errors import InvalidData, InvalidOption, MissingPath, OutputUnwritable, UnreadableImage
from overread.files import write_json
from overread.images.prepare import Preprocessing, as_channels, fit_pixels, is_coloured

STORE_FORMAT = 1
PROBED_FOR_COLOUR = 64
ABANDONED_AFTER_S = 24 * 3600
OUR_NAMES = re.compile(r"\.?(?P<key>[0-9a-f]{64})(-[0-9a-f]{32}\.npy|\.json\.\d+\.tmp)")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True, eq=False)
class PixelStore:
    """The prepared pixels of a list of images, read-only and complete; made by `PixelStore.open`.

    Args:
        pixels: `(n, height, width, channels)` uint8, memory-mapped, in the order of the paths.
        digests: SHA-256 of each file's bytes in hex; empty for a file that cannot be read.
        failures: index to reason for each image that gave no pixels; its row is zeros and must never be used.
        preprocessing: what was applied, `channels` resolved.
        path: the `.npy` file behind `pixels`.
    """

    pixels: np.memmap
    digests: tuple[str, ...]
    failures: Mapping[int, str]
    preprocessing: Preprocessing
    path: Path

    @classmethod
    def open(
        cls,
        paths: Sequence[Path],
        preprocessing: Preprocessing,
        *,
        folder: Path,
        workers: int | None = None,
        progress: Progress | None = None,
    ) -> PixelStore:
        """Prepare all images, or map the store that an earlier run made of the same bytes and options.

        The content of the files decides, not their names. A store with failures retries those files, since a decoder
        may have been installed, and is made anew when one reads. Several processes may open the same store at once.

        Args:
            paths: the image files, in the order of the rows.
            preprocessing: with `channels=None`, 64 images spread over the list are looked at, and the store is made
                anew in colour if a coloured one turns up later.
            folder: where stores are kept; made if absent. Files that a killed process left there go after a day.
            workers: threads; all processors by default.
            progress: called with the number of images done and of all, for images decoded now.

        Raises:
            InvalidData: there are no paths.
            InvalidOption: `workers` is below 1.
            OutputUnwritable: the folder cannot be written or its disk cannot hold the store.
            MissingExtra: an image is DICOM and pydicom is not installed.
        """
        if not paths:
            raise InvalidData("there are no images to prepare: at least one path was expected")
        workers = (os.cpu_count() or 1) if workers is None else workers
        if workers < 1:
            raise InvalidOption(f"workers={workers}: choose 1 or more")
        digests = tuple(_in_order(_digest, paths, workers))
        key = _key(preprocessing, digests)
        _remove_abandoned(folder)
        store = _stored(folder, key, digests)
        if store is None or any(_reads(paths[index], preprocessing) for index in store.failures):
            build = _Build(paths, preprocessing, folder / f"{key}-{uuid.uuid4().hex}.npy", workers, progress)
            build.run(folder / f"{key}.json")
            store = _stored(folder, key, digests)
        if store is None:
            raise OutputUnwritable(f"the pixel store just written to {folder} cannot be read back: check that disk")
        return store


class _ColourFound(Exception):
    """A coloured image in a data set whose probe was grey."""


@dataclasses.dataclass(frozen=True)
class _Build:
    """One making of a store: pixels under a name of their own, then a record that makes them count."""

    paths: Sequence[Path]
    preprocessing: Preprocessing
    target: Path
    workers: int
    progress: Progress | None

    def run(self, record_path: Path) -> None:
        channels = self.preprocessing.channels or self._probed_channels()
        try:
            try:
                failures = self._decode_all(channels)
            except _ColourFound:
                channels = 3
                failures = self._decode_all(channels)
            record = {
                "pixels": self.target.name,
                "bytes": self.target.stat().st_size,
                "preprocessing": dataclasses.replace(self.preprocessing, channels=channels).to_dict(),
                "failures": failures,
            }
            write_json(record_path, record)
        except BaseException:
            with contextlib.suppress(OSError):
                self.target.unlink()
            raise

    def _probed_channels(self) -> int:
        spread = np.linspace(0, len(self.paths) - 1, min(len(self.paths), PROBED_FOR_COLOUR)).astype(int)
        return 3 if any(_in_order(self._shows_colour, spread.tolist(), self.workers)) else 1

    def _shows_colour(self, index: int) -> bool:
        try:
            return is_coloured(fit_pixels(self.paths[index], self.preprocessing))
        except (UnreadableImage, MissingPath):
            return False

    def _decode_all(self, channels: int) -> dict[int, str]:
        shape = (len(self.paths), self.preprocessing.height, self.preprocessing.width, channels)
        pixels = _reserved(self.target, shape)
        must_be_grey = self.preprocessing.channels is None and channels == 1

        def place(index: int) -> str | None:
            try:
                own = fit_pixels(self.paths[index], self.preprocessing)
            except (UnreadableImage, MissingPath) as error:
                return str(error)
            if must_be_grey and is_coloured(own):
                raise _ColourFound
            pixels[index] = as_channels(own, channels)
            return None

        failures = {}
        for index, reason in enumerate(_in_order(place, range(len(self.paths)), self.workers)):
            if reason is not None:
                failures[index] = reason
            if self.progress is not None:
                self.progress(index + 1, len(self.paths))
        with _writing(self.target.parent):
            pixels.flush()
        return failures


def _in_order(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Map in threads, in order, with a bounded number of items under way."""
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= 4 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def _digest(path: Path) -> str:
    with contextlib.suppress(OSError):
        if Path(path).is_file():
            with Path(path).open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
    return ""


def _key(preprocessing: Preprocessing, digests: tuple[str, ...]) -> str:
    content = {"format": STORE_FORMAT, "preprocessing": preprocessing.to_dict(), "digests": digests}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _reads(path: Path, preprocessing: Preprocessing) -> bool:
    try:
        fit_pixels(path, preprocessing)
    except (UnreadableImage, MissingPath):
        return False
    return True


def _stored(folder: Path, key: str, digests: tuple[str, ...]) -> PixelStore | None:
    """The complete store of this key; None when there is none, or a damaged one."""
    try:
        record = _record(folder / f"{key}.json")
        path = folder / record["pixels"]
        preprocessing = Preprocessing.from_dict(record["preprocessing"])
        failures = {int(index): str(reason) for index, reason in record["failures"].items()}
        if path.stat().st_size != record["bytes"]:
            return None
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    shape = (len(digests), preprocessing.height, preprocessing.width, preprocessing.channels)
    if pixels.shape != shape or pixels.dtype != np.uint8:
        return None
    return PixelStore(pixels, digests, types.MappingProxyType(failures), preprocessing, path)


def _record(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _reserved(path: Path, shape: tuple[int, ...]) -> np.memmap:
    """A writable map of zeros whose disk space is taken: writing to a map on a full disk would kill the process."""
    needed = int(np.prod(shape, dtype=np.int64))
    with _writing(path.parent, needed):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
            end = stream.tell() + needed
            if hasattr(os, "posix_fallocate"):
                stream.flush()
                os.posix_fallocate(stream.fileno(), 0, end)
            elif _free_bytes(path.parent) < needed:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            stream.truncate(end)
        pixels: np.memmap = np.load(path, mmap_mode="r+", allow_pickle=False)
        return pixels


@contextlib.contextmanager
def _writing(folder: Path, needed: int = 0) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            free = _free_bytes(folder)
            reason = f"needs {needed} bytes and has {free} free: free some space or choose another folder"
        else:
            reason = f"cannot be written ({error.strerror}): choose a folder that can"
        raise OutputUnwritable(f"the folder for prepared pixels, {folder}, {reason}") from error


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(next(above for above in (folder, *folder.absolute().parents) if above.exists())).free


def _remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left: our files older than a day that no record names."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            match = OUR_NAMES.fullmatch(path.name)
            if match is None or time.time() - path.stat().st_mtime < ABANDONED_AFTER_S:
                continue
            try:
                is_named = _record(path.with_name(f"{match['key']}.json"))["pixels"] == path.name
            except (OSError, ValueError, KeyError, TypeError):
                is_named = False
            if not is_named:
                path.unlink(missing_ok=True)
