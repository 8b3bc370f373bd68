"""Reads the images that standard input brings and writes their readings to standard output, in a process to be lost."""

from __future__ import annotations

import dataclasses
import os
import pickle
import sys

import numpy as np

from overread.reading import Failure, Reading
from overread.scoring.named import from_cell


def _main() -> None:
    # What libraries print goes elsewhere.
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    reader, names, workers = pickle.load(sys.stdin.buffer)
    with output:
        sources = [from_cell(name, reader) for name in names]
        pickle.dump([_without_arrays(found) for found in reader.read_many(sources, workers=workers)], output)


def _without_arrays(found: Reading | Failure) -> Reading | Failure:
    if isinstance(found, Failure):
        return found
    nothing = np.empty(0)
    return dataclasses.replace(found, activation_map=nothing, pixels=nothing, projection=nothing)


if __name__ == "__main__":
    _main()
