"""Arrays of numbers in an `.npz` file, read without believing what it declares; nothing is unpickled."""

from __future__ import annotations

import io
import math
import re
import zipfile

import numpy as np

from overread.machine.content.zips import ZIP_ERRORS, open_zip, read_entry

_MAGIC = b"\x93NUMPY"
_HEADER = re.compile(
    rb"\{'descr': '([<|][a-z]\d{1,2})', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}, ?)*(?:\d{1,18})?)\), \} *\n"
)
_KINDS = "biuf"


def read_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Read what `np.savez` wrote of booleans and numbers; the arrays are read-only.

    An array has as many bytes as its shape needs, or it is refused before memory is taken for it.

    Raises:
        ValueError: it is no such file.
    """
    try:
        with open_zip(io.BytesIO(content)) as archive:
            return {
                entry.filename.removesuffix(".npy"): _array(read_entry(archive, entry, len(content)))
                for entry in archive.infolist()
            }
    except (*ZIP_ERRORS, TypeError) as error:  # which a type that NumPy does not know raises
        raise ValueError(f"it is no file of arrays, or a damaged one ({type(error).__name__})") from None


def _array(content: bytes) -> np.ndarray:
    # Not by NumPy, which takes memory for whatever shape the header tells.
    size_bytes = 2 if content[6:7] == b"\x01" else 4
    start = 8 + size_bytes
    end = start + int.from_bytes(content[8:start], "little")
    header = _HEADER.fullmatch(content, start, end)
    if not content.startswith(_MAGIC) or header is None:
        raise zipfile.BadZipFile("an array has no header of NumPy")
    dtype = np.dtype(header[1].decode())
    shape = tuple(int(length) for length in re.findall(rb"\d+", header[3]))
    if dtype.kind not in _KINDS or math.prod(shape) * dtype.itemsize != len(content) - end:
        raise zipfile.BadZipFile("an array is of another size or type than its header tells")
    return np.frombuffer(content, dtype, offset=end).reshape(shape, order="F" if header[2] == b"True" else "C")
