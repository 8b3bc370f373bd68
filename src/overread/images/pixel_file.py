"""Prepared pixels in one `.npy` file, read and written by rows: memory does not grow with how many were touched."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from overread.errors import OutputUnwritable

DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class PixelFile:
    """`(n, height, width, channels)` uint8 on disk; indexed along n like an array, and each answer is a copy in memory.

    A memory map would count every page ever touched as the process's own: 2.5 GB for 50,000 images of 224 x 224.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no `.npy` file of uint8 in C order.
    """

    def __init__(self, path: Path) -> None:
        self._stream = path.open("rb", buffering=0)
        weakref.finalize(self, self._stream.close)
        np.lib.format.read_magic(self._stream)
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(self._stream)
        if is_fortran or dtype != np.uint8 or len(shape) != 4:
            raise ValueError(f"{path} holds no rows of pixels")
        self.path, self.shape, self.dtype = path, shape, dtype
        self._start, self._row_bytes = self._stream.tell(), int(np.prod(shape[1:], dtype=np.int64))
        self._every, self._lock = np.arange(shape[0]), threading.Lock()

    @classmethod
    def reserve(cls, path: Path, shape: tuple[int, ...]) -> PixelFile:
        """A file of zeros whose disk space is taken, so that a full disk is known before any work.

        Raises:
            OutputUnwritable: the folder cannot be written or its disk cannot hold the file.
        """
        needed = int(np.prod(shape, dtype=np.int64))
        with writing(path.parent, needed):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
                end = stream.tell() + needed
                if hasattr(os, "posix_fallocate"):
                    stream.flush()
                    os.posix_fallocate(stream.fileno(), 0, end)
                elif free_bytes(path.parent) < needed:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                stream.truncate(end)
            return cls(path)

    def write(self, first: int, rows: np.ndarray) -> None:
        """Put `(k, height, width, channels)` uint8 at rows `first` to `first + k`; threads may write at once.

        Raises:
            OutputUnwritable: the disk refuses.
        """
        with writing(self.path.parent, rows.nbytes), self.path.open("r+b", buffering=0) as stream:
            stream.seek(self._start + first * self._row_bytes)
            rest = rows.data.cast("B")
            while rest:
                rest = rest[stream.write(rest) :]

    def __len__(self) -> int:
        return len(self._every)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """The rows of an index, slice, list or mask, as NumPy takes them along the first axis."""
        chosen = self._every[rows]
        pixels = np.empty((*chosen.shape, *self.shape[1:]), np.uint8)
        for row, place in zip(chosen.reshape(-1).tolist(), pixels.reshape(-1, self._row_bytes), strict=True):
            if self._read(place, self._start + row * self._row_bytes) != self._row_bytes:
                raise OSError(errno.EIO, f"the file of prepared pixels became shorter while in use: {self.path}")
        return pixels

    def _read(self, place: np.ndarray, offset: int) -> int:
        if hasattr(os, "preadv"):  # a forked process shares the position that seek would set
            return os.preadv(self._stream.fileno(), [place.data], offset)
        with self._lock:
            self._stream.seek(offset)
            return self._stream.readinto(place.data) or 0

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self[:].astype(dtype or np.uint8, copy=False)


@contextlib.contextmanager
def writing(folder: Path, needed: int = 0) -> Iterator[None]:
    """Name what keeps a folder from being written.

    Raises:
        OutputUnwritable: for an OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            free = free_bytes(folder)
            reason = f"needs {needed} bytes and has {free} free: free some space or choose another folder"
        else:
            reason = f"cannot be written ({error.strerror}): name another in --store or the variable OVERREAD_STORE"
        raise OutputUnwritable(f"the folder for prepared pixels, {folder}, {reason}") from error


def free_bytes(folder: Path) -> int:
    """What is free on the disk of a folder that need not exist yet."""
    return shutil.disk_usage(next(above for above in (folder, *folder.absolute().parents) if above.exists())).free
