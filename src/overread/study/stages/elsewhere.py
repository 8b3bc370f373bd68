"""Training in another process or on another machine: where its folder is kept while it is under way."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from overread.machine.places import RUN_RECORD
from overread.machine.remote import place
from overread.scale.kept import KeptFolder

# What tells that the others are whole.
_LAST = (RUN_RECORD,)


@contextlib.contextmanager
def kept(folder: Path, storage: str | None) -> Iterator[tuple[Path, list[Any]]]:
    """Where a training works, and the callbacks that keep what it has reached.

    Args:
        folder: of the training, seen alike by all processes where no storage is given.
        storage: the place in which the folder is kept after each epoch and in the end; what lies there is gone on with.
    """
    if storage is None:
        yield folder, []
        return
    from overread.training.states.keep import KeepEachEpoch

    with tempfile.TemporaryDirectory(prefix="overread-") as temporary:
        working = Path(temporary) / folder.name
        copy = KeptFolder(working, place(storage), _LAST)
        copy.bring()
        yield working, [KeepEachEpoch(copy.keep)]
        copy.keep()


def bring_home(folder: Path, storage: str | None) -> None:
    """Make the folder of a training that ended elsewhere as it is kept."""
    if storage is not None:
        KeptFolder(folder, place(storage)).bring()


def storage_of(storage: str | None, folder: Path, above: Path) -> str | None:
    """The place in a storage of a folder that lies in another."""
    return storage and f"{storage.rstrip('/')}/{folder.relative_to(above).as_posix()}"
