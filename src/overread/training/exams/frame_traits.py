"""What a network makes of every frame of every exam, worked out once and kept beside decoded pixels."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from overread.bundle import Graph
from overread.decision import measure_traits
from overread.decision.familiarity import LOOK
from overread.formats import decoder_versions
from overread.images import DataSet
from overread.machine.files import replacing
from overread.machine.workers import Progress

_FOLDER = "frames"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FrameTraits:
    """The traits of all frames, `(n, t)` float32 for each exam, on disk; `FrameTraits.work_out` makes it.

    Args:
        paths: the file of each exam, in the order of the data set.
    """

    paths: tuple[Path, ...]

    @classmethod
    def work_out(
        cls, data_set: DataSet, graph: Graph, network: str, *, progress: Progress | None = None
    ) -> FrameTraits:
        """Run every frame of each exam through a network, or open what an earlier run kept.

        Args:
            data_set: the exams.
            graph: the network, whose features count and whose logits do not.
            network: what tells its features from those of another.
            progress: called with the exams done and of all.

        Raises:
            UnreadableImage: a frame gives no pixels.
        """
        folder, store = data_set.store.path.parent / _FOLDER, data_set.store
        shared = [network, store.preprocessing.to_dict(), decoder_versions()]
        paths = []
        for position, row in enumerate(data_set.rows.tolist()):
            key = hashlib.sha256(json.dumps([*shared, store.digests[row]], sort_keys=True).encode()).hexdigest()
            path = folder / f"{key}.npy"
            if not _is_whole(path):
                _write(path, data_set, position, graph)
            paths.append(path)
            if progress is not None:
                progress(position + 1, len(data_set.rows))
        return cls(paths=tuple(paths))

    def of(self, position: int) -> np.ndarray:
        """`(n, t)` of the exam at a position; read from the disk as they are used."""
        found: np.ndarray = np.load(self.paths[position], mmap_mode="r", allow_pickle=False)
        return found

    def features(self, position: int) -> np.ndarray:
        """`(n, f)` the pooled features alone."""
        return self.of(position)[:, :-LOOK]

    def mean_features(self, positions: Sequence[int]) -> np.ndarray:
        """`(k, f)` float32 the means over the frames of each exam."""
        return np.stack([self.features(position).mean(axis=0, dtype=np.float64) for position in positions]).astype(
            np.float32
        )


def _is_whole(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        return bool(np.load(path, mmap_mode="r", allow_pickle=False).shape[0])
    return False


def _write(path: Path, data_set: DataSet, position: int, graph: Graph) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with data_set.exam(position) as exam, replacing(path) as temporary, temporary.open("wb") as stream:
        first = 0
        for pixels in exam.chunks():
            traits = measure_traits(graph.run(pixels).features, pixels)
            if not first:
                header = {"descr": "<f4", "fortran_order": False, "shape": (len(exam), traits.shape[1])}
                np.lib.format.write_array_header_1_0(stream, header)
            stream.write(np.ascontiguousarray(traits, "<f4").data)
            first += len(pixels)
