"""NIfTI volumes, compressed or not: header, order of slices, range of values and pixels."""

from __future__ import annotations

import contextlib
import gzip

from overread.errors import OverreadError
from overread.formats import format_of
from overread.formats.nifti.frames import Slice
from overread.formats.nifti.header import header_of
from overread.formats.nifti.label_map import is_label_map
from overread.formats.nifti.volume import read_volume
from overread.formats.source import in_memory

_MOST_PIXELS = 2**16
TOKENS = (
    b"n+1\0", b"n+2\0", b"ni1\0", b"\x5c\1\0\0", b"\0\0\1\x5c", b"\x1c\2\0\0", b"\0\0\2\x1c", b"\x1f\x8b\x08",
    b"\xff\xff\xff\x7f", b"\0\0\x80\x7f", b"\0\0\xc0\x7f", b"\x80\0\x18\0", b"\3\0\4\0\4\0\4\0",
)  # fmt: skip


def one_input(data: bytes) -> None:
    """Read a volume as it is, and packed."""
    for content in (data, gzip.compress(data, 1, mtime=0)):
        format_of(content[:512], "a.nii.gz")
        with contextlib.suppress(OverreadError):
            header_of(in_memory(content))
        with contextlib.suppress(OverreadError):
            volume = read_volume(in_memory(content), _MOST_PIXELS)
            is_label_map(volume)
            assert all(isinstance(note, str) for note in volume.notes)
            for index in {0, len(volume) - 1}:
                shown = Slice(volume, index)
                assert 0 < shown.pixels().size <= 3 * _MOST_PIXELS
                shown.grey_values()
                volume.layout.position_mm(index)
