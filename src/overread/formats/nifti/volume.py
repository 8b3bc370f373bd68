"""An open volume: its voxels where they lie, in a file that is mapped or in memory once unpacked."""

from __future__ import annotations

import dataclasses
import functools
import io
import mmap
import os
from typing import BinaryIO

import numpy as np
from PIL import Image

from overread.errors import UnreadableImage
from overread.formats.nifti.described import Described, describe_volume, unzipped, usable
from overread.formats.nifti.layout import Layout, lay_out
from overread.formats.nifti.levels import Levels, find_levels, sampled
from overread.formats.picture import Fitted, GreyValues, as_stored, window

_PIECE = 2**20


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Volume:
    """A volume whose slices are read when they are asked for; `read_volume` makes it.

    Args:
        described: what its header says.
        layout: of its slices.
        voxels: `(slices, rows, columns)` as stored, a view.
    """

    described: Described
    layout: Layout
    voxels: np.ndarray

    def __len__(self) -> int:
        return len(self.voxels)

    @functools.cached_property
    def levels(self) -> Levels:
        """The range of its values; of colour that of bytes."""
        if self.described.is_colour:
            return Levels(low=0.0, high=255.0)
        return find_levels(self.sample())

    def sample(self) -> np.ndarray:
        """`(slices, rows, columns)` float32 of evenly spaced voxels, of a volume of grey."""
        return self._scaled(sampled(self.voxels))

    def values(self, index: int) -> np.ndarray:
        """`(rows, columns)` float32 of a slice with square pixels, NaN where there is none."""
        values = self._scaled(self.voxels[index])
        values[~np.isfinite(values)] = np.nan
        return _resized(values, self.layout.square)

    def colours(self, index: int) -> np.ndarray:
        """`(rows, columns, 3)` uint8 of a slice of a volume of colours, with square pixels."""
        stored = np.stack([self.voxels[index][name] for name in "RGB"], axis=2).astype(np.uint8)
        rows, columns = self.layout.square
        if stored.shape[:2] == (rows, columns):
            return stored
        return np.asarray(Image.fromarray(stored).resize((columns, rows), Image.Resampling.BILINEAR))

    def _scaled(self, stored: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            values = stored.astype(np.float64) * self.described.slope + self.described.intercept
            return values.astype(np.float32)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was decided in opening it."""
        found, layout, levels = self.described, self.layout, self.levels
        said = [f"{layout.plane.name} slices {layout.plane.course}, by the orientation {layout.codes}"]
        if layout.plane.name != "sagittal":
            said[0] += ", with the right of the patient on the left of the picture"
        if not found.has_orientation:
            said.append("the header states no orientation: left and right may be swapped")
        if layout.obliqueness >= 1:
            said.append(f"oblique by {layout.obliqueness:.0f} degrees: slices as they are stored, not resampled")
        if layout.square != layout.counts[1:]:
            across, along = (f"{spacing:.3g}" for spacing in layout.spacing_mm[1:])
            said.append(f"pixels of {across} x {along} mm are made square")
        if found.volumes > 1:
            said.append(f"of {found.volumes} volumes in one file the middle one, number {found.middle + 1}, is read")
        if not found.is_colour:
            said.append(f"values from {levels.low:.4g} to {levels.high:.4g} are shown from black to white")
        if levels.is_hounsfield:
            said.append("values look like Hounsfield units")
        return tuple(said)


@dataclasses.dataclass(frozen=True, eq=False)
class Slice:
    """The `Picture` of one slice of a volume.

    Args:
        volume: which stays open.
        index: of the slice, from 0.
    """

    volume: Volume
    index: int

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        """Show its values through the range of the volume; what is no number is black."""
        if self.volume.described.is_colour:
            return self.volume.colours(self.index)
        levels = self.volume.levels
        return window(self.volume.values(self.index), levels.low, levels.high)

    def grey_values(self) -> GreyValues | None:
        """Its values, with the range of the volume and, where they look like Hounsfield units, the windows of CT."""
        if self.volume.described.is_colour:
            return None
        levels = self.volume.levels
        return GreyValues(values=self.volume.values(self.index), windows=levels.windows, unit=levels.unit)


def read_volume(stream: BinaryIO, max_pixels: int) -> Volume:
    """Open the volume of a file that is at its start; afterwards the stream is not needed any more.

    A file that is not compressed is mapped, so that each slice takes the memory that it has; of a compressed one the
    volume that is read is unpacked into memory once, and of a file of many no other.

    Args:
        stream: the file.
        max_pixels: of a slice, above which it is refused.

    Raises:
        UnreadableImage: it gives no volume.
        MissingExtra: nibabel is not installed.
    """
    found = describe_volume(stream)
    with usable():
        layout = lay_out(found)
    rows, columns = layout.square
    if rows * columns > max_pixels:
        raise UnreadableImage(
            f"declares slices of {columns} x {rows} pixels; 1 to {max_pixels} were expected: reduce it first"
        )
    content, start = _content(stream, found)
    with usable():
        voxels: np.ndarray = np.ndarray(found.shape, found.dtype, content, start, order="F")
        return Volume(described=found, layout=layout, voxels=layout.arranged(voxels))


def _content(stream: BinaryIO, found: Described) -> tuple[bytes | bytearray | mmap.mmap, int]:
    """What holds the voxels, and where they begin in it."""
    if found.compressed:
        return _inflated(stream, found), 0
    size = stream.seek(0, os.SEEK_END)
    if size < found.start + found.volume_bytes:
        raise _truncated(found.start + found.volume_bytes, size)
    try:
        descriptor = stream.fileno()
    except (OSError, io.UnsupportedOperation):
        stream.seek(0)
        return stream.read(), found.start
    # It goes with the last view of it.
    return mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ), found.start


def _inflated(stream: BinaryIO, found: Described) -> bytearray:
    stream.seek(0)
    done = 0
    with usable(), unzipped(stream, compressed=True) as content:
        while done < found.start:
            piece = content.read(min(_PIECE, found.start - done))
            if not piece:
                raise _truncated(found.start + found.volume_bytes, done)
            done += len(piece)
        # Memory is taken as content comes, so that a header that lies takes none.
        voxels = bytearray()
        while len(voxels) < found.volume_bytes:
            piece = content.read(min(_PIECE, found.volume_bytes - len(voxels)))
            if not piece:
                raise _truncated(found.start + found.volume_bytes, done + len(voxels))
            voxels += piece
        content.read(1)  # of the last volume, its checksum is compared
    return voxels


def _truncated(declared: int, there: int) -> UnreadableImage:
    return UnreadableImage(
        f"is truncated: its header declares {declared:,} bytes and {there:,} are there; copy it again from where it "
        "came"
    )


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, in which what is no number stays apart from its neighbours."""
    if values.shape == size:
        return values
    missing = np.isnan(values)
    shape = (size[1], size[0])
    filled = np.where(missing, np.float32(0), values) if missing.any() else np.ascontiguousarray(values)
    resized = np.array(Image.fromarray(filled).resize(shape, Image.Resampling.BILINEAR))
    if missing.any():
        resized[np.asarray(Image.fromarray(missing).resize(shape, Image.Resampling.NEAREST))] = np.nan
    return resized
