"""NIfTI as one of the image formats."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from overread.formats.exams.frames import TILE
from overread.formats.header import Header
from overread.formats.nifti.sniff import version_of
from overread.formats.picture import Picture, frame_index

if TYPE_CHECKING:
    from overread.formats.exams.frames import Frames, Instance


class Nifti:
    """Volumes of one file, NIfTI-1 or NIfTI-2, in either byte order, compressed by gzip or not.

    What reads them is loaded with the first of them.
    """

    name = "NIfTI"
    suffixes = (".nii", ".nii.gz")
    libraries = ("nibabel",)
    extra_modules = ("nibabel",)

    def sniff(self, head: bytes, name: str) -> bool:
        """Whether content says so, be it compressed."""
        return version_of(head) > 0

    def content_without_image(self, path: Path) -> str:
        """What a volume is that is no image, as a mask that is called so; empty for all else."""
        from overread.formats.nifti.label_map import is_mask

        with contextlib.suppress(Exception):  # what cannot be read is told where it is read
            return "mask" if is_mask(path) else ""
        return ""

    def header(self, stream: BinaryIO) -> Header:
        """What describes the slices, and which texts may name a person."""
        from overread.formats.nifti.header import header_of

        return header_of(stream)

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        """Open the volume, and give one of its slices when it is asked for."""
        from overread.formats.nifti.volume import Slice, read_volume

        volume = read_volume(stream, max_pixels)
        return Slice(volume, frame_index(len(volume), frame))

    def holds_exam(self, head: bytes, name: str) -> bool:
        """A volume always is one."""
        return True

    @contextlib.contextmanager
    def open_frames(
        self,
        instances: Sequence[Instance],
        *,
        microns: float | None,
        max_pixels: int,
        tile: tuple[int, int] = TILE,
    ) -> Iterator[Frames]:
        """Open volumes; each keeps its own range of values."""
        from overread.formats.nifti.frames import read_volumes

        yield read_volumes(instances, max_pixels)


NIFTI = Nifti()
