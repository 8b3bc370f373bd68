"""How the voxels of a volume become slices that all look alike: which plane, in which direction, which side up.

Slices are those of the grid of voxels that lie closest to axial, coronal or sagittal; nothing is resampled. They are
shown as radiologists look at them, the patient's right on the left, and come as DICOM series do along the normal of
such planes: axial from the feet up, coronal from the front to the back, sagittal from the left to the right.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from overread.formats.nifti.described import Described

# Of the spacing between slices to that within them, from which on other planes than the acquired one show steps only.
ANISOTROPIC = 2.0
# What differs by less is no reason to resize; what differs by more is no spacing that can be believed.
_SAME, _UNBELIEVABLE = 1.02, 10.0
RIGHT, FRONT, UP = 0, 1, 2
_LETTERS = ("RL", "AP", "SI")


@dataclasses.dataclass(frozen=True)
class Plane:
    """Which slices: the axis that they follow each other on, those of their rows and columns, each with its direction.

    Args:
        name: as sentences have it.
        slices, rows, columns: an axis of space (to the right, to the front, up) and 1 along it or -1 against it.
        course: in words, from the first slice to the last.
    """

    name: str
    slices: tuple[int, int]
    rows: tuple[int, int]
    columns: tuple[int, int]
    course: str


AXIAL = Plane("axial", (UP, 1), (FRONT, -1), (RIGHT, -1), "from the feet up")
CORONAL = Plane("coronal", (FRONT, -1), (UP, -1), (RIGHT, -1), "from the front to the back")
SAGITTAL = Plane("sagittal", (RIGHT, 1), (UP, -1), (FRONT, -1), "from the left to the right")
_ACROSS = {UP: AXIAL, FRONT: CORONAL, RIGHT: SAGITTAL}


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Layout:
    """Where the slices of a volume lie in its voxels; `lay_out` makes it.

    Args:
        plane: of the slices.
        axes: the axis of the stored voxels that slices, rows and columns follow.
        flips: whether against its direction.
        counts: of slices, rows and columns.
        spacing_mm: likewise.
        codes: the directions of the stored axes, such as "LAS".
        obliqueness: degrees by which the stored axes lie off those of space, at most.
        affine: of the stored voxels.
    """

    plane: Plane
    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    counts: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    codes: str
    obliqueness: float
    affine: np.ndarray

    def arranged(self, voxels: np.ndarray) -> np.ndarray:
        """A view of `(i, j, k)` stored voxels as `(slices, rows, columns)`."""
        steps = tuple(slice(None, None, -1 if flip else None) for flip in self.flips)
        return voxels.transpose(self.axes)[steps]

    @property
    def square(self) -> tuple[int, int]:
        """Rows and columns once pixels are made square, by more of them along the axis that has fewer a millimetre."""
        rows, columns = self.counts[1:]
        ratio = self.spacing_mm[1] / self.spacing_mm[2]
        if not _SAME < max(ratio, 1 / ratio) <= _UNBELIEVABLE:
            return rows, columns
        return (round(rows * ratio), columns) if ratio > 1 else (rows, round(columns / ratio))

    def position_mm(self, index: int) -> float:
        """Of the middle of a slice, from 0, along the direction in which slices come."""
        place = (np.array([self.counts[self.axes.index(axis)] for axis in range(3)]) - 1) / 2
        place[self.axes[0]] = self.counts[0] - 1 - index if self.flips[0] else index
        axis, direction = self.plane.slices
        return float(direction * (self.affine[axis, :3] @ place + self.affine[axis, 3]))


def lay_out(found: Described) -> Layout:
    """Choose the plane: axial, or the one that was acquired where slices lie twice as far apart as pixels, or more."""
    sides = found.affine[:3, :3]
    spacing = np.linalg.norm(sides, axis=0)
    rotation = _nearest_rotation(sides / spacing)
    stored = _stored_axes(np.abs(rotation))
    counts = np.array(found.shape)
    widest = int(np.argmax(np.where(counts > 1, spacing, 0.0))) if counts.max() > 1 else 0
    others = np.delete(spacing, widest)
    is_thick = counts[widest] > 1 and spacing[widest] >= ANISOTROPIC * others.max()
    if (flat := np.flatnonzero(counts == 1)).size == 1:  # a single slice in space has one plane only
        widest, is_thick = int(flat[0]), True
    plane = _ACROSS[stored.index(widest)] if is_thick else AXIAL
    wanted = (plane.slices, plane.rows, plane.columns)
    axes = tuple(stored[axis] for axis, _ in wanted)
    flips = tuple(bool(direction * rotation[axis, stored[axis]] < 0) for axis, direction in wanted)
    return Layout(
        plane=plane,
        axes=(axes[0], axes[1], axes[2]),
        flips=(flips[0], flips[1], flips[2]),
        counts=(found.shape[axes[0]], found.shape[axes[1]], found.shape[axes[2]]),
        spacing_mm=(_rounded(spacing[axes[0]]), _rounded(spacing[axes[1]]), _rounded(spacing[axes[2]])),
        codes="".join(_LETTERS[stored.index(k)][int(rotation[stored.index(k), k] < 0)] for k in range(3)),
        obliqueness=_obliqueness(sides / spacing, stored),
        affine=found.affine,
    )


def _rounded(spacing: np.floating) -> float:
    """Without what single precision adds to it."""
    return float(f"{float(spacing):.6g}")


def _nearest_rotation(directions: np.ndarray) -> np.ndarray:
    """Perhaps with a mirror; so that a sheared affine gives the orientation that nibabel finds."""
    left, _, right = np.linalg.svd(directions, full_matrices=False)
    return np.asarray(left @ right)


def _stored_axes(closeness: np.ndarray) -> tuple[int, ...]:
    """The stored axis that lies closest to each axis of space, each once; the surest first."""
    stored = [-1, -1, -1]
    for k in np.argsort(-closeness.max(axis=0), kind="stable").tolist():
        axis = max((axis for axis in range(3) if stored[axis] < 0), key=lambda axis: float(closeness[axis, k]))
        stored[axis] = k
    return tuple(stored)


def _obliqueness(directions: np.ndarray, stored: tuple[int, ...]) -> float:
    least = min(abs(float(directions[axis, k])) for axis, k in enumerate(stored))
    return math.degrees(math.acos(min(1.0, least)))
