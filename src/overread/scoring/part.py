"""One part of an archive: its images are read, and its file is there whole or not at all."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Iterator, Sequence

from overread.errors import OverreadError
from overread.machine.files import replace_file
from overread.reading import Failure, Reader, Reading
from overread.reading.reader import CHUNK
from overread.reading.table import to_table
from overread.scoring.folder import ScoringFolder
from overread.scoring.named import from_cell, name_of_cell

_ENDED = "ended the process that read it, as a decoder that crashes or memory that runs out does: export it again"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a part: its images are read, or why it is still missing."""

    number: int
    images: int
    error: str = ""


def read_part(reader: Reader, folder: ScoringFolder, number: int, *, workers: int | None = None) -> Outcome:
    """Read the images of a part and write its file; one that is there is left as it is.

    A part that was begun before and is not there has perhaps ended its reader: it is read in a process of its own.

    Raises:
        OutputUnwritable: the file cannot be written.
    """
    names, begun = folder.names(number), folder.begun(number)
    if not folder.part(number).exists():
        if begun.exists():
            readings = read_apart(reader, names, workers)
        else:
            replace_file(begun, b"")
            readings = reader.read_many([from_cell(name, reader) for name in names], workers=workers)
        content, _ = to_table(readings, reader.bundle.task, folder.kind, of_exams=reader.reads_exams)
        replace_file(folder.part(number), content)
    begun.unlink(missing_ok=True)
    return Outcome(number=number, images=len(names))


def read_apart(reader: Reader, names: Sequence[str], workers: int | None) -> Iterator[Reading | Failure]:
    """Read images in a process of its own; where it ends, in two halves, down to the image that ends it."""
    # Not by multiprocessing, which would import the program or the notebook that calls; nor anything from the folder of
    # the moment, which may hold the archive (-P).
    process = subprocess.run(
        [sys.executable, "-P", "-m", "overread.scoring.apart"],
        input=pickle.dumps((reader, names, workers)),
        stdout=subprocess.PIPE,
        check=False,
    )
    if process.returncode == 0:
        yield from pickle.loads(process.stdout)
    elif process.returncode == 1:
        raise OverreadError("the process that reads apart from others fails: see what it says above")
    elif len(names) == 1:
        yield Failure(path=name_of_cell(names[0], reader), error=_ENDED)
    else:
        # Whole chunks, which give the same digits as in a part that is read at once.
        chunks = -(-len(names) // CHUNK)
        half = chunks // 2 * CHUNK or len(names) // 2
        yield from read_apart(reader, names[:half], workers)
        yield from read_apart(reader, names[half:], workers)
