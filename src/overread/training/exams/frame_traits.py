"""What a network makes of every frame of every exam, worked out once and kept beside decoded pixels."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from overread.bundle import Graph
from overread.decision import measure_traits
from overread.decision.familiarity import LOOK
from overread.errors import OutputUnwritable, OverreadError, UnreadableImages
from overread.formats import decoder_versions
from overread.images import DataSet
from overread.images.pixel_file import free_bytes, writing
from overread.machine.files import open_regular, replacing
from overread.machine.temporary import clear_abandoned
from overread.machine.workers import Progress, in_order
from overread.networks.backend import keras
from overread.networks.build import NetworkSpec

_FOLDER = "frames"
# One exam is decoded while the network reads another.
_AT_ONCE = 2
_CHECKSUM_BYTES, _PIECE = 4, 2**22
_LISTED = 10
_FRAMES = 4096


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FrameTraits:
    """The traits of all frames, `(n, t)` float32 for each exam, on disk; `FrameTraits.work_out` makes it.

    Args:
        paths: the file of each exam, in the order of the data set.
    """

    paths: tuple[Path, ...]

    @classmethod
    def work_out(
        cls,
        data_set: DataSet,
        graph: Graph,
        network: str,
        positions: Sequence[int],
        *,
        progress: Progress | None = None,
    ) -> FrameTraits:
        """Run every frame of exams through a network, or open what an earlier run kept and is as it was written.

        Args:
            data_set: the exams.
            graph: the network, whose features count and whose logits do not.
            network: what tells its features from those of another, as `features_digest` does.
            positions: of the exams in the data set, whose order those of the traits have.
            progress: called with the exams done and of all.

        Raises:
            UnreadableImages: frames give no pixels; it names their exams.
            OutputUnwritable: the folder cannot be written or its disk is full.
        """
        folder, store = data_set.store.path.parent / _FOLDER, data_set.store
        shared = [network, store.preprocessing.to_dict(), decoder_versions()]
        keys = [json.dumps([*shared, store.digests[data_set.rows[i]]], sort_keys=True) for i in positions]
        paths = tuple(folder / f"{hashlib.sha256(key.encode()).hexdigest()}.npy" for key in keys)
        clear_abandoned(folder)

        def place(number: int) -> str | None:
            try:
                if not _is_whole(paths[number]):
                    _write(paths[number], data_set, positions[number], graph)
            except OutputUnwritable:
                raise
            except OverreadError as error:
                return str(error)
            return None

        failures = {}
        for number, reason in enumerate(in_order(place, range(len(positions)), _AT_ONCE)):
            if reason is not None:
                failures[data_set.manifest.cases[positions[number]].full_name] = reason
            if progress is not None:
                progress(number + 1, len(positions))
        if failures:
            raise _unreadable(failures, len(positions))
        return cls(paths=paths)

    def __len__(self) -> int:
        return len(self.paths)

    def of(self, number: int) -> np.ndarray:
        """`(n, t)` of an exam; read from the disk as they are used."""
        found: np.ndarray = np.load(self.paths[number], mmap_mode="r", allow_pickle=False)
        return found

    def pieces(self, number: int) -> Iterator[np.ndarray]:
        """The same, some frames at a time."""
        found = self.of(number)
        yield from (np.asarray(found[start : start + _FRAMES]) for start in range(0, len(found), _FRAMES))

    def features(self, number: int) -> np.ndarray:
        """`(n, f)` the pooled features alone."""
        return self.of(number)[:, :-LOOK]

    @functools.cached_property
    def counts(self) -> np.ndarray:
        """`(exams,)` how many frames each has."""
        return np.array([len(self.of(number)) for number in range(len(self))])

    @functools.cached_property
    def means(self) -> np.ndarray:
        """`(exams, f)` float32 the means of the features of their frames."""
        means = [self.features(number).mean(axis=0, dtype=np.float64) for number in range(len(self))]
        return np.stack(means).astype(np.float32)


def features_digest(network: keras.Model, spec: NetworkSpec) -> str:
    """What tells the features of a network from those of another: all but its last layer."""
    digest = hashlib.sha256(json.dumps([spec.name, spec.second_look]).encode())
    for layer in network.layers[:-1]:
        for values in layer.get_weights():
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _unreadable(failures: dict[str, str], exams: int) -> UnreadableImages:
    listed = "; ".join(f"{name}: {reason}" for name, reason in list(failures.items())[:_LISTED])
    more = f"; and {len(failures) - _LISTED} more" if len(failures) > _LISTED else ""
    return UnreadableImages(
        f"{len(failures)} of {exams} exams have frames that cannot be read ({listed}{more}): repair these files or "
        "take them out of the data",
        failures,
    )


def _is_whole(path: Path) -> bool:
    try:
        found = path.stat()
        return _agrees(path, found.st_mtime_ns, found.st_size)
    except (OSError, ValueError):
        return False


@functools.lru_cache(maxsize=2**20)
def _agrees(path: Path, _written: int, size: int) -> bool:
    """Whether the content of a file has the checksum at its end; asked once of each that was written."""
    with open_regular(path) as stream:
        np.lib.format.read_magic(stream)
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
        if size != stream.tell() + int(np.prod(shape)) * dtype.itemsize + _CHECKSUM_BYTES:
            return False
        stream.seek(0)
        found, left = 0, size - _CHECKSUM_BYTES
        while left:
            piece = stream.read(min(_PIECE, left))
            found, left = zlib.crc32(piece, found), left - len(piece)
        return stream.read() == found.to_bytes(_CHECKSUM_BYTES, "big")


class _Summed:
    """A stream that keeps the checksum of what is written to it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.checksum = stream, 0

    def write(self, content: bytes) -> int:
        self.checksum = zlib.crc32(content, self.checksum)
        return self._stream.write(content)


def _write(path: Path, data_set: DataSet, position: int, graph: Graph) -> None:
    with data_set.exam(position) as exam, writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary, temporary.open("wb") as stream:
            summed = _Summed(stream)
            for number, pixels in enumerate(exam.chunks()):
                traits = np.ascontiguousarray(measure_traits(graph.run(pixels).features, pixels), "<f4")
                if not number:
                    shape = (len(exam), traits.shape[1])
                    _require_space(path.parent, traits.itemsize * shape[0] * shape[1])
                    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(summed, header)
                summed.write(traits.tobytes())
            stream.write(summed.checksum.to_bytes(_CHECKSUM_BYTES, "big"))


def _require_space(folder: Path, needed: int) -> None:
    if free_bytes(folder) < needed:
        raise OutputUnwritable(
            f"the folder for prepared pixels, {folder}, needs {needed} bytes and has {free_bytes(folder)} free: free "
            "some space or choose another folder with --store"
        )
