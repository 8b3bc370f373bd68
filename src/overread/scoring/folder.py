"""The folder of the readings of an archive, on this machine or remote: request, plan and parts."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from overread.errors import InvalidData, InvalidOption, OutputExists, OutputUnwritable, UnfitFile
from overread.machine.content.values import from_values
from overread.machine.files import from_json, read_regular, read_rows, replace_file, to_json, write_rows
from overread.machine.remote import is_remote
from overread.machine.temporary import clear_abandoned
from overread.reading.table import PARTS

_RECORD, _PLAN = "scoring.json", "plan"
_NAMES = {
    "overread": "the version of overread",
    "bundle": "the bundle",
    "provider": "what ONNX Runtime computes with",
    "sources": "the images",
    "working_folder": "the folder from which they are named",
    "part_images": "the images of a part",
    "kind": "the kind of the parts",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """What a folder of readings holds.

    Args:
        overread: the version that reads.
        bundle: its fingerprint.
        provider: what ONNX Runtime computes with.
        sources: what the user named.
        working_folder: from where, if a name is relative.
        part_images: images of a part.
        kind: of the files of the parts.
        listed: images, once all that was named is planned.
        losses: what should have been images and could not be had.
    """

    overread: str
    bundle: str
    provider: str
    sources: tuple[str, ...]
    working_folder: str | None
    part_images: int
    kind: str
    listed: int | None = None
    losses: int = 0


@dataclasses.dataclass(frozen=True)
class ScoringFolder:
    """Where each file of the readings of an archive lies: `plan/00000001.csv` names the images of part 1, and so on.

    Args:
        path: of this machine, or a remote one.
        kind: of the files of the parts.
    """

    path: Path
    kind: str

    def names(self, number: int) -> list[str]:
        """The images of a part.

        Raises:
            InvalidData: the plan cannot be read.
        """
        path = self._plan(number)
        try:
            _, *rows = read_rows(io.StringIO(read_regular(path).decode(), newline=""))
            return [name for (name,) in rows]
        except (OSError, ValueError) as error:
            raise InvalidData(
                f"{path.name} of the plan cannot be read ({type(error).__name__}): give another --out"
            ) from None

    def write_names(self, number: int, names: Sequence[str]) -> None:
        """Plan a part."""
        content = io.StringIO(newline="")
        write_rows(content, [["path"], *([name] for name in names)])
        replace_file(self._plan(number), content.getvalue().encode())

    def part(self, number: int) -> Path:
        """The readings of a part."""
        return self.path / PARTS / f"{number:08d}.{self.kind}"

    def begun(self, number: int) -> Path:
        """The empty file that is there while a part is read, and after that where its reader was ended."""
        return self.path / _PLAN / f"{number:08d}.begun"

    def planned(self) -> int:
        """How many parts are planned."""
        return len(self._numbers(_PLAN, ".csv"))

    def missing(self) -> list[int]:
        """The parts that are planned and not read yet."""
        whole = self._numbers(PARTS, f".{self.kind}")
        return [number for number in range(1, self.planned() + 1) if number not in whole]

    def clear(self) -> None:
        """Remove what a reader that was ended in between has left of parts that are whole."""
        for number in self._numbers(_PLAN, ".begun") & self._numbers(PARTS, f".{self.kind}"):
            self.begun(number).unlink(missing_ok=True)

    def make(self) -> None:
        """Make the folders, and see that they can be written.

        Raises:
            OutputUnwritable: they cannot be made.
        """
        try:
            for name in (_PLAN, PARTS):
                (self.path / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputUnwritable(f"{self.path} cannot be made ({error.strerror}): choose another --out") from None

    def write(self, request: Request) -> None:
        """Record what is asked for."""
        content = to_json(dataclasses.asdict(request), indent=2) + "\n"
        replace_file(self.path / _RECORD, content.encode())

    def _plan(self, number: int) -> Path:
        return self.path / _PLAN / f"{number:08d}.csv"

    def _numbers(self, folder: str, suffix: str) -> set[int]:
        try:
            names = [path.name for path in (self.path / folder).iterdir()]
        except FileNotFoundError:  # a store has no empty folders
            return set()
        return {int(name[:8]) for name in names if name.endswith(suffix) and name[:8].isdigit()}


def recorded(path: Path) -> Request | None:
    """What was asked for in a folder; None in a new one.

    Raises:
        OutputExists: the folder holds something else.
        InvalidData: the record is damaged.
    """
    try:
        values: dict[str, Any] = from_json(read_regular(path / _RECORD))
        return from_values(Request, values)
    except FileNotFoundError:
        pass
    except NotADirectoryError:
        raise OutputExists(f"{path} is a file; expected a folder for the readings: choose another --out") from None
    except (ValueError, TypeError, AttributeError, UnfitFile):
        raise InvalidData(f"{_RECORD} in {path} is damaged: choose another --out") from None
    if not is_remote(path):
        clear_abandoned(path)
    if path.is_dir() and any(not one.is_dir() for one in path.rglob("*")):
        raise OutputExists(f"{path} holds files that are no readings of an archive: choose another --out")
    return None


def require_same(path: Path, asked: Request, former: Request) -> None:
    """Refuse to go on with other readings.

    Raises:
        InvalidOption: something differs; the message names it.
    """
    changed = [told for name, told in _NAMES.items() if getattr(asked, name) != getattr(former, name)]
    if changed:
        raise InvalidOption(
            f"{path} holds readings that differ in {', '.join(changed)}: go on with what they were begun with, or "
            "give another --out"
        )
