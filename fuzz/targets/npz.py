"""The arrays of a bundle: `Reference.from_bytes` gives a measure that works, or `InvalidBundle`."""

from __future__ import annotations

import contextlib
import io
import zipfile

import numpy as np

from overread.bundle import Reference
from overread.decision import Task
from overread.errors import InvalidBundle
from overread.machine.content.arrays import read_arrays

TOKENS = (
    b"\x93NUMPY\x01\x00",
    b"'descr': '<f4'",
    b"'|O'",
    b"'fortran_order': True",
    b"'shape': (3,)",
    b"PK\x03\x04",
    b".npy",
)
_TASK = Task.of(("a", "b"))


def one_input(data: bytes) -> None:
    """Read the file; one that is no zip is taken for an array in it."""
    if not data.startswith(b"PK"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("limits.npy", data)
        data = stream.getvalue()
    with contextlib.suppress(ValueError):
        read_arrays(data)
    with contextlib.suppress(InvalidBundle):
        found = Reference.from_bytes(data, _TASK)
        traits = np.zeros((2, found.familiarity.features.mean.size + found.familiarity.look.mean.size), np.float32)
        with np.errstate(all="ignore"):
            found.familiarity.measure(traits)
        assert found.limit > 0
