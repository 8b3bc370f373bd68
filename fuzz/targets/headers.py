"""What `read_header` makes of a file of any format: it never raises, and a header costs no time."""

from __future__ import annotations

import atexit
import tempfile
from pathlib import Path

from overread.formats import kind_of_other, read_header

_FOLDER = tempfile.TemporaryDirectory()
_FILE = Path(_FOLDER.name, "image")
TOKENS = (
    b"DICM",
    b"\x28\0\x10\0US\2\0",
    b"\xff\xff\xff\xff\xfe\xff\0\xe0",
    b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"SQ\0\0",
    b"1.2.840.10008.1.2.1.99",
    b"IHDR",
    b"IDAT",
    b"iTXt",
    b"zTXt",
    b"iCCP",
    b"eXIf",
    b"acTL",
    b"VP8X",
    b"Exif\0\0",
    b"MPF\0",
    b"http://ns.adobe.com/xap/1.0/\0",
)
atexit.register(_FOLDER.cleanup)


def one_input(data: bytes) -> None:
    """Read the header of one file, and ask what kind of file it is."""
    with _FILE.open("wb") as stream:
        stream.write(data)
    header = read_header(_FILE)
    assert header.size_bytes == len(data)
    kind_of_other(_FILE)
