"""Which test sets were opened on this machine, by whichever run, in a file that no cache holds."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from overread.bundle import Opening
from overread.errors import OutputUnwritable
from overread.machine.files import from_json, read_regular, to_json
from overread.machine.places import state_folder


@dataclasses.dataclass(frozen=True)
class Ledger:
    """The openings that a folder remembers, a line each; by default those of this user on this machine."""

    folder: Path = dataclasses.field(default_factory=state_folder)

    def openings(self, data: str) -> list[Opening]:
        """The openings of one test set, oldest first; lines that cannot be read are passed over."""
        return [opening for opening in self._lines() if opening.data == data]

    def note(self, opening: Opening) -> None:
        """Add an opening.

        Raises:
            OutputUnwritable: the folder cannot be written.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            half = b"\n" if self._content()[-1:].strip() else b""  # of a line, by a full disk: it stays by itself
            # Added and not rewritten, so that runs side by side lose none of each other's lines.
            with open(self._path, "ab", opener=_open_without_waiting) as stream:
                stream.write(half + f"{to_json(dataclasses.asdict(opening))}\n".encode())
        except OSError as error:
            raise OutputUnwritable(
                f"{self._path} cannot be written ({error.strerror}): give a folder that is writable in XDG_STATE_HOME"
            ) from error

    @property
    def _path(self) -> Path:
        return self.folder / "test_sets.jsonl"

    def _content(self) -> bytes:
        """What the file holds; nothing where it cannot be read."""
        try:
            return read_regular(self._path)
        except OSError:
            return b""

    def _lines(self) -> Iterator[Opening]:
        for line in self._content().split(b"\n"):
            try:
                yield Opening(**from_json(line))
            except (ValueError, TypeError):
                continue


def _open_without_waiting(name: str, flags: int) -> int:
    """Open a file to be written; a pipe that nobody reads is an error at once."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0), 0o666)
