"""Which test sets were opened on this machine, by whichever run, in a file that no cache holds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from overread.bundle import Opening
from overread.errors import OutputUnwritable
from overread.machine.files import read_regular
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
            # Added and not rewritten, so that runs side by side lose none of each other's lines.
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(dataclasses.asdict(opening)) + "\n")
        except OSError as error:
            raise OutputUnwritable(
                f"{self._path} cannot be written ({error.strerror}): give a folder that is writable in XDG_STATE_HOME"
            ) from error

    @property
    def _path(self) -> Path:
        return self.folder / "test_sets.jsonl"

    def _lines(self) -> Iterator[Opening]:
        try:
            lines = read_regular(self._path).decode("utf-8", "replace").split("\n")
        except OSError:
            return
        for line in lines:
            try:
                yield Opening(**json.loads(line))
            except (ValueError, TypeError):
                continue
