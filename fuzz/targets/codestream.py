"""What JPEG, JPEG-LS, JPEG 2000 and TIFF say of their own size."""

from __future__ import annotations

import contextlib
import io

from overread.errors import UnreadableImage
from overread.formats.codestreams.jpeg import declared_by_jpeg, require_few_scans
from overread.formats.codestreams.jpeg2000 import declared_by_jpeg2000
from overread.formats.dicom.sniff import starts_as_dicom
from overread.formats.raster.tiff import directories

TOKENS = (
    *(
        bytes([0xFF, marker])
        for marker in (0xC0, 0xC1, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xF7, 0xF8, 0x4F)
    ),
    b"\xff\x4f\xff\x51",
    b"jp2c",
    b"free",
    b"II*\0",
    b"MM\0+",
)


def one_input(data: bytes) -> None:
    """Parse one input as each of them."""
    with contextlib.suppress(UnreadableImage):
        require_few_scans(data)
        assert declared_by_jpeg(data).height > 0
    with contextlib.suppress(UnreadableImage):
        found = declared_by_jpeg2000(data)
        assert min(found.width, found.height) > 0
    with contextlib.suppress(UnreadableImage):
        assert directories(io.BytesIO(data))
    starts_as_dicom(data[:512])
