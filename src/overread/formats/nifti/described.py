"""What the header of a NIfTI file says of its voxels, checked before any of them takes memory."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import logging
import math
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

import numpy as np

from overread.errors import OverreadError, UnreadableImage
from overread.formats.nifti.sniff import is_compressed, version_of
from overread.formats.source import HEAD_LENGTH
from overread.machine.extras import require_extra

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

# Of one volume, of which a compressed one is held in memory; a CT of 1,000 slices of 512 x 512 has 0.5 GiB.
MOST_BYTES = 2**31
# Unpacked before the volume that is read, of a file of many.
_MOST_SKIPPED = 2**33
# Numbers that connectivity files (CIFTI) say their contents by, and those of vectors, matrices and meshes.
_NO_IMAGES = {**dict.fromkeys(range(3000, 3100), "surface data (CIFTI)"), 1005: "matrices", 1006: "a warp of space",
              1007: "vectors", 1008: "points", 1009: "triangles", 1010: "quaternions"}  # fmt: skip
_PIXEL_KINDS = "iufb"
_RGB = ("R", "G", "B")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Described:
    """What a header says.

    Args:
        shape: of one volume, three sides.
        volumes: how many the file holds one after another, as over time.
        dtype: of a voxel as stored, with its byte order; of colour with the fields R, G and B.
        offset: of the first voxel, in bytes from the start of the unpacked file.
        slope, intercept: a stored value times one plus the other is the value.
        affine: `(4, 4)` from the place of a voxel to millimetres to the right, to the front and up.
        has_orientation: whether the header states it; else one is assumed.
        compressed: whether all of that has to be unpacked.
        header: as nibabel has it.
    """

    shape: tuple[int, int, int]
    volumes: int
    dtype: np.dtype
    offset: int
    slope: float
    intercept: float
    affine: np.ndarray
    has_orientation: bool
    compressed: bool
    header: Nifti1Header

    @property
    def middle(self) -> int:
        """The volume that is read, from 0: the middle one, which is a true picture whatever the volumes are."""
        return self.volumes // 2

    @property
    def volume_bytes(self) -> int:
        """Of one volume as stored."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def start(self) -> int:
        """Where the volume that is read begins, in bytes from the start of the unpacked file."""
        return self.offset + self.middle * self.volume_bytes

    @property
    def is_colour(self) -> bool:
        """Whether voxels have colours."""
        return self.dtype.names is not None


def describe_volume(stream: BinaryIO) -> Described:
    """Read the header of a file that is at its start, where it is left.

    Raises:
        UnreadableImage: it cannot be used; no more memory was taken than the header has.
        MissingExtra: nibabel is not installed.
    """
    require_extra("volumes", ("nibabel",))
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    # Its remarks on odd headers would reach the terminal, and quote them.
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL + 1)
    head = stream.read(HEAD_LENGTH)
    stream.seek(0)
    version = version_of(head)
    if not version:
        raise UnreadableImage("is no NIfTI volume of one file, whatever its name: export it again as .nii.gz")
    with usable(), unzipped(stream, compressed=is_compressed(head)) as content:
        kind = Nifti1Header if version == 1 else Nifti2Header
        raw = content.read(kind.template_dtype.itemsize)
        if len(raw) < kind.template_dtype.itemsize:
            raise UnreadableImage("is truncated within its header: copy it again from where it came")
        header = kind(raw, check=False)
    stream.seek(0)
    with usable():
        return _checked(header, compressed=is_compressed(head))


@contextlib.contextmanager
def usable() -> Iterator[None]:
    """nibabel, gzip and numpy raise anything on a damaged header, and may quote it."""
    try:
        yield
    except (OverreadError, MemoryError):
        raise
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise UnreadableImage("is truncated or damaged (gzip): copy it again from where it came") from None
    except Exception as error:
        raise UnreadableImage(f"has a NIfTI header that cannot be used ({type(error).__name__})") from error


@contextlib.contextmanager
def unzipped(stream: BinaryIO, *, compressed: bool) -> Iterator[BinaryIO]:
    """The content of a stream that is at its start."""
    if not compressed:
        yield stream
        return
    with gzip.GzipFile(fileobj=stream, mode="rb") as content:
        yield cast(BinaryIO, content)


def _checked(header: Nifti1Header, *, compressed: bool) -> Described:
    sides = [int(side) for side in header.get_data_shape()]
    shown = " x ".join(map(str, sides)) or "no sides"
    if what := _NO_IMAGES.get(int(header["intent_code"])):
        raise UnreadableImage(f"holds {what} and no image: export the volume that shows the patient")
    if not 2 <= len(sides) <= 7 or min(sides) < 1:
        raise UnreadableImage(f"declares {shown} voxels: a volume of 2 to 4 sides of 1 or more was expected")
    if math.prod(sides[4:]) > 1:
        raise UnreadableImage(f"declares {shown} voxels, several volumes in two ways: export one of them")
    width, height, depth, volumes = (*sides, 1, 1)[:4]
    dtype = _dtype(header)
    slope, intercept = _scaling(header)
    affine, has_orientation = affine_of(header)
    offset = float(header["vox_offset"])
    offset = int(offset) if math.isfinite(offset) and offset >= header.single_vox_offset else header.single_vox_offset
    found = Described(
        shape=(width, height, depth), volumes=volumes, dtype=dtype, offset=offset, slope=slope, intercept=intercept,
        affine=affine, has_orientation=has_orientation, compressed=compressed, header=header,
    )  # fmt: skip
    if found.volume_bytes > MOST_BYTES or (compressed and found.start > _MOST_SKIPPED):
        raise UnreadableImage(
            f"declares {shown} voxels; at most {MOST_BYTES // 2**30} GiB a volume were expected: reduce it first"
        )
    return found


def _dtype(header: Nifti1Header) -> np.dtype:
    dtype = np.dtype(header.get_data_dtype())
    if dtype.names is not None and set(_RGB) <= set(dtype.names):
        return dtype
    if dtype.kind not in _PIXEL_KINDS or dtype.itemsize > 8:
        kind = "complex numbers" if dtype.kind == "c" else f"voxels of the kind {dtype.name}"
        raise UnreadableImage(f"holds {kind}, which are not read: save their magnitude as float32")
    return dtype


def _scaling(header: Nifti1Header) -> tuple[float, float]:
    """Slope and intercept; a slope of 0, or one that is no number, says that there is none."""
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not math.isfinite(slope) or header.get_data_dtype().names is not None:
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def affine_of(header: Nifti1Header) -> tuple[np.ndarray, bool]:
    """The affine of a header: its sform, else its qform, else its spacing alone; and whether it states one.

    What is no number, or flat, counts as not stated.
    """
    for code, read in (("sform_code", header.get_sform), ("qform_code", header.get_qform)):
        with contextlib.suppress(Exception):  # a quaternion that is none
            if int(header[code]) > 0 and _spans_space(found := np.asarray(read(), np.float64)):
                return found, True
    spacing = np.array([believed(float(value)) for value in header["pixdim"][1:4]])
    return np.diag([-spacing[0], spacing[1], spacing[2], 1.0]), False  # as nibabel has it


def believed(spacing: float) -> float:
    """A distance in millimetres; 1 for what can be none."""
    return abs(spacing) if math.isfinite(spacing) and 1e-6 < abs(spacing) < 1e6 else 1.0


def _spans_space(affine: np.ndarray) -> bool:
    sides = affine[:3, :3]
    lengths = np.linalg.norm(sides, axis=0)
    if not np.isfinite(affine).all() or lengths.min() < 1e-6 or lengths.max() > 1e6:
        return False
    return abs(float(np.linalg.det(sides / lengths))) > 1e-3
