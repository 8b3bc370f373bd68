"""A folder of this machine that is kept in a store which others reach, so that another machine can go on with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from overread.errors import OutputUnwritable, PlaceUnreachable
from overread.machine.files import read_regular, replace_file
from overread.machine.remote import is_remote, public_name

# The mark of a file in the store that is as no file of the folder.
_CUT_SHORT = (-1, -1)


class KeptFolder:
    """A folder and its copy in a store.

    Args:
        folder: of this machine.
        store: a path that `machine.remote.place` gives.
        last: files of the folder, by their relative names, that tell what the others are. Each is written when all else
            is there, and only then what is gone is removed: the copy is at every moment one that can be gone on with,
            or lacks them because the first was never finished.
    """

    def __init__(self, folder: Path, store: Path, last: Sequence[str] = ()) -> None:
        self._folder, self._store, self._last = folder, store, tuple(last)
        self._kept: dict[str, tuple[int, int]] = {}

    def bring(self) -> None:
        """Make the folder as its copy is; one that has no copy yet, or a first one that was cut short, is only made.

        Raises:
            OutputUnwritable: the copy cannot be read, or the folder not be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._told():
            copy = dict(sorted(_files_below(self._store)))
            if not copy.keys() >= {*self._last}:
                self._kept = dict.fromkeys(copy, _CUT_SHORT)
                return
            for name, path in copy.items():
                target = self._folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                replace_file(target, read_regular(path))
                self._kept[name] = _mark(target)

    def keep(self) -> None:
        """Make the copy as the folder is; what has not changed is not sent again.

        Raises:
            OutputUnwritable: the store cannot be written.
        """
        here = {path.relative_to(self._folder).as_posix(): path for path in _whole_files(self._folder)}
        with self._told():
            for name in sorted(here, key=self._rank):
                mark = _mark(here[name])
                if self._kept.get(name) != mark:
                    self._write(name, read_regular(here[name]))
                    self._kept[name] = mark
            for name in self._kept.keys() - here.keys():
                self._store.joinpath(*name.split("/")).unlink(missing_ok=True)
                del self._kept[name]

    def _rank(self, name: str) -> tuple[int, str]:
        return (self._last.index(name) + 1 if name in self._last else 0), name

    def _write(self, name: str, content: bytes) -> None:
        target = self._store.joinpath(*name.split("/"))
        if not is_remote(target):
            target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, content)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OutputUnwritable, PlaceUnreachable):
            raise
        except OSError as error:
            raise OutputUnwritable(
                f"{public_name(self._store)} cannot be read or written ({error.strerror}): give a --storage that every "
                "node of the cluster reaches"
            ) from None


def _whole_files(folder: Path) -> Iterator[Path]:
    """The files below a folder, without those that are being written."""
    return (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".tmp"))


def _files_below(folder: Path, above: str = "") -> Iterator[tuple[str, Path]]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for path in folder.iterdir():
            name = f"{above}{path.name}"
            if path.is_dir():
                yield from _files_below(path, f"{name}/")
            elif not path.name.endswith(".tmp"):
                yield name, path


def _mark(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size
