"""Frames in few numbers: the principal components of their standardised features, which attention learns from."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from overread.machine.files import require_space
from overread.training.exams.frame_traits import FrameTraits

Floats = npt.NDArray[np.float32]
# Of a phantom's 1,280 features so many told a lesion in a frame as well as all do, in a tenth of the time
# (November 2026).
_MOST_COLUMNS = 128
# From so many frames their directions are found.
_LOOKED_AT = 8192
# More are kept in a file.
_MOST_BYTES = 2**30
_PIECE = 4096


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """The frames of exams, `(n, r)` float32 each, from features by an affine map.

    Args:
        frames: those of each exam, in memory or on disk.
        mean: `(f,)` of the features.
        basis: `(f, r)`; columns are `(features - mean) @ basis`.
    """

    frames: tuple[Floats, ...]
    mean: npt.NDArray[np.float64]
    basis: npt.NDArray[np.float64]

    @classmethod
    def of(cls, traits: FrameTraits, rng: np.random.Generator, folder: Path) -> Columns:
        """Find the directions on frames of exams, and what each frame has of them.

        Args:
            traits: of the frames.
            rng: draws the frames that are looked at.
            folder: for a file of the columns, where they are too many for memory.

        Raises:
            OutputUnwritable: the disk cannot hold that file.
        """
        each = max(1, _LOOKED_AT // len(traits))
        seen = np.concatenate([_some(traits.features(i), each, rng) for i in range(len(traits))])
        mean, deviation = seen.mean(axis=0, dtype=np.float64), seen.std(axis=0, dtype=np.float64)
        deviation[deviation == 0] = 1
        standardised = ((seen - mean) / deviation).astype(np.float32)
        variances, vectors = np.linalg.eigh((standardised.T @ standardised / len(seen)).astype(np.float64))
        kept = slice(-1, -1 - min(_MOST_COLUMNS, int((variances > 1e-6 * variances.max()).sum())), -1)
        scale = np.sqrt(max(variances[kept].mean(), 1e-12))
        basis = vectors[:, kept] / deviation[:, None] / scale
        return cls(frames=_mapped(traits, mean, basis, folder), mean=mean, basis=basis)

    def only(self, places: npt.NDArray[np.intp]) -> Columns:
        """The same of some of the exams."""
        return dataclasses.replace(self, frames=tuple(self.frames[place] for place in places.tolist()))

    def drawn(self, most: int, rng: np.random.Generator) -> tuple[Floats, npt.NDArray[np.intp]]:
        """Up to so many frames of each exam, one after the other, and how many of each."""
        parts = [_some(frames, most, rng) for frames in self.frames]
        return np.concatenate(parts), np.array([len(part) for part in parts])

    def unfolded(self, kernel: npt.NDArray, bias: npt.NDArray) -> tuple[Floats, Floats]:
        """Kernel and bias of a layer on features that does what these do on columns."""
        own = self.basis @ kernel
        return own.astype(np.float32), (bias - self.mean @ own).astype(np.float32)


def _some(frames: npt.NDArray[np.float32], most: int, rng: np.random.Generator) -> Floats:
    if len(frames) <= most:
        return np.asarray(frames)
    return np.asarray(frames[np.sort(rng.choice(len(frames), most, replace=False))])


def _mapped(traits: FrameTraits, mean: npt.NDArray, basis: npt.NDArray, folder: Path) -> tuple[Floats, ...]:
    shape, ends = (int(traits.counts.sum()), basis.shape[1]), np.cumsum(traits.counts)
    if 4 * shape[0] * shape[1] > _MOST_BYTES:
        require_space(folder, 4 * shape[0] * shape[1])
        with tempfile.TemporaryFile(dir=folder) as stream:
            every: Floats = np.memmap(stream, np.float32, "w+", shape=shape)
    else:
        every = np.empty(shape, np.float32)
    centre, directions = mean.astype(np.float32), basis.astype(np.float32)
    for number, (end, count) in enumerate(zip(ends, traits.counts, strict=True)):
        features = traits.features(number)
        for start in range(0, count, _PIECE):
            piece = features[start : start + _PIECE] - centre
            every[end - count + start : end - count + start + len(piece)] = piece @ directions
    return tuple(np.split(every, ends[:-1]))
