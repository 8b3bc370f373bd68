"""Prepared pixels in one `.npy` file, read and written by rows: memory does not grow with how many were touched."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import threading
import weakref
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from overread.errors import InvalidData, OutputUnwritable
from overread.machine.workers import in_chunks

_CHECKSUM = np.dtype(">u4")
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class PixelFile:
    """`(n, height, width, channels)` uint8 on disk; indexed along n like an array, and each answer is a copy in memory.

    A memory map would count every page ever touched as the process's own: 2.5 GB for 50,000 images of 224 x 224.

    Args:
        path: of the file.
        checksums: of its rows, as the property gives them, against which every row that is read is held; by default
            none is.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is no `.npy` file of uint8 in C order, or has another number of rows than checksums.
    """

    def __init__(self, path: Path, checksums: str | None = None) -> None:
        self._stream = path.open("rb", buffering=0)
        weakref.finalize(self, self._stream.close)
        np.lib.format.read_magic(self._stream)
        shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(self._stream)
        if is_fortran or dtype != np.uint8 or len(shape) != 4:
            raise ValueError(f"{path} holds no rows of pixels")
        self.path, self.shape, self.dtype = path, shape, dtype
        self._checksums = None if checksums is None else np.frombuffer(bytearray.fromhex(checksums), _CHECKSUM)
        if self._checksums is not None and len(self._checksums) != shape[0]:
            raise ValueError(f"{path} holds {shape[0]} rows and has checksums of {len(self._checksums)}")
        self._start, self._row_bytes = self._stream.tell(), int(np.prod(shape[1:], dtype=np.int64))
        self._every, self._lock = np.arange(shape[0]), threading.Lock()

    @classmethod
    def reserve(cls, path: Path, shape: tuple[int, ...]) -> PixelFile:
        """A file of zeros whose disk space is taken, so that a full disk is known before any work.

        Its checksums are those of the rows that are written to it.

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
            return cls(path, bytes(_CHECKSUM.itemsize * shape[0]).hex())

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
        if self._checksums is not None:
            self._checksums[first : first + len(rows)] = [zlib.crc32(row) for row in rows]

    @property
    def checksums(self) -> str:
        """The CRC-32 of each row, in hex; empty where they are not known."""
        return "" if self._checksums is None else self._checksums.tobytes().hex()

    def is_whole(self, workers: int) -> bool:
        """Whether every row is as it was written, read by so many threads."""

        def read(chunk: range) -> list[bool]:
            try:
                self[chunk.start : chunk.stop]
            except (InvalidData, OSError):
                return [False]
            return [True]

        agreeing = in_chunks(read, len(self), workers)
        return all(agreeing)

    def __len__(self) -> int:
        return len(self._every)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """The rows of an index, slice, list or mask, as NumPy takes them along the first axis.

        Raises:
            InvalidData: one is no longer as it was written.
        """
        chosen = self._every[rows]
        pixels = np.empty((*chosen.shape, *self.shape[1:]), np.uint8)
        for row, place in zip(chosen.reshape(-1).tolist(), pixels.reshape(-1, self._row_bytes), strict=True):
            is_read = self._read(place, self._start + row * self._row_bytes) == self._row_bytes
            if not is_read or (self._checksums is not None and zlib.crc32(place.data) != self._checksums[row]):
                raise InvalidData(
                    f"the decoded pixels of image {row + 1} in {self.path.parent} changed on the disk while they were "
                    "in use: check that disk and run the same command again, a training with --resume; they are then "
                    "decoded anew"
                )
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
            reason = f"needs {needed} bytes and has {free} free: free some space or choose another folder with --store"
        else:
            reason = f"cannot be written ({error.strerror}): name another in --store or the variable OVERREAD_STORE"
        raise OutputUnwritable(f"the folder for prepared pixels, {folder}, {reason}") from error


def free_bytes(folder: Path) -> int:
    """What is free on the disk of a folder that need not exist yet."""
    return shutil.disk_usage(next(above for above in (folder, *folder.absolute().parents) if above.exists())).free
