"""Files of requests on the disk, for as long as an exam is read or looked at.

They lie under numbers, for no name of a file is written, in folders that only this user may enter; what a server that
was killed has left is cleared by the next one.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from overread.machine.content.text import storable
from overread.machine.places import cache_folder
from overread.machine.temporary import temporary_for

# Which format a file is of may be told by its name's end alone: .nii.gz, .svs.
_END = re.compile(r"(\.[A-Za-z0-9]{1,8}){1,2}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sent:
    """A file as it was sent, and where it lies.

    Args:
        name: for telling exams apart and for showing; never logged.
        path: where it lies.
        sha256: of its content.
        size_bytes: of it.
        zip_name: of the zip that it came in; None where it came by itself.
    """

    name: str
    path: Path
    sha256: str
    size_bytes: int
    zip_name: str | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """Of its name, the folders and the file."""
        return tuple(part for part in self.name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


class Tray:
    """What one request has sent, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: list[Sent] = []

    def take(self, name: str, pieces: Iterable[bytes]) -> None:
        """Lay a file down."""
        self.files.append(lay_down(self.folder / f"{len(self.files)}", name, pieces))

    @property
    def digests(self) -> list[bytes]:
        """SHA-256 of each file with its name, by which exams may be told apart."""
        return [hashlib.sha256(f"{file.sha256} {storable(file.name)}".encode()).digest() for file in self.files]

    def exam_folder(self, number: int, files: Iterable[Sent]) -> tuple[Path, list[Sent]]:
        """Bring the files of one exam into a folder of their own, which may outlast the tray."""
        folder = self.folder / f"exam-{number}"
        moved: list[Sent] = []
        folder.mkdir(mode=0o700)
        for file in files:
            # Those of a zip are numbered anew, and lie in another folder.
            place = folder / f"{len(moved)}{''.join(file.path.suffixes)}"
            moved.append(dataclasses.replace(file, path=file.path.rename(place)))
        return folder, moved


class Trays:
    """Where the trays of a server stand; nothing is made before the first is asked for."""

    def __init__(self) -> None:
        self._kept: set[Path] = set()

    @contextlib.contextmanager
    def tray(self) -> Iterator[Tray]:
        """One for a request; what nobody keeps is removed at its end, whatever happens."""
        root = temporary_for(cache_folder() / "exams")
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(dir=root))
        try:
            yield Tray(folder)
        finally:
            for inner in folder.iterdir():
                if inner not in self._kept:
                    _remove(inner)
            self._clear(folder)

    def keep(self, folder: Path) -> None:
        """Have the folder of an exam outlast its tray."""
        self._kept.add(folder)

    def remove(self, folder: Path) -> None:
        """Remove the folder of an exam."""
        self._kept.discard(folder)
        _remove(folder)
        self._clear(folder.parent)

    def _clear(self, folder: Path) -> None:
        with contextlib.suppress(OSError):  # another exam is kept there
            folder.rmdir()
            folder.parent.rmdir()


def lay_down(path: Path, name: str, pieces: Iterable[bytes], *, zip_name: str | None = None) -> Sent:
    """Write a file under a number, with the end of its name where that is harmless."""
    digest, size = hashlib.sha256(), 0
    end = _END.search(name[-18:])
    path = path.with_name(path.name + (end[0].lower() if end and name.endswith(end[0]) else ""))
    with path.open("wb") as stream:
        for piece in pieces:
            stream.write(piece)
            digest.update(piece)
            size += len(piece)
    return Sent(name=name, path=path, sha256=digest.hexdigest(), size_bytes=size, zip_name=zip_name)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
