"""The folder of a run: where each file of it lies, whether it may be used, and its record."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from overread.errors import InvalidData, InvalidOption, OutputExists, OutputUnwritable
from overread.machine.files import from_json, read_regular, write_json
from overread.machine.places import RUN_RECORD
from overread.machine.remote import local_place
from overread.machine.temporary import clear_abandoned, temporary_for

if TYPE_CHECKING:
    from overread.run.record import Run

Existing = Literal["refuse", "resume", "replace"]
AnyRun = TypeVar("AnyRun", bound="Run")


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """The folder of a run; each property is where one of its files lies, whether it is there or not."""

    path: Path

    @classmethod
    def open(cls, path: str | Path, existing: Existing = "refuse") -> RunFolder:
        """Make the folder of a run, or take the one that is there as the user allows.

        Args:
            path: where a run's results go.
            existing: what to do with a folder that holds something: refuse it, resume the run in it, or replace it,
                which is done to a folder of ours only.

        Raises:
            OutputExists: it holds something and may not be used.
            OutputUnwritable: it cannot be made or written.
        """
        folder = cls(local_place(path))
        if folder.path.is_file():
            raise OutputExists(f"{path} is a file; expected a folder for the results: choose another --out")
        for below in (folder.path, folder.private):
            clear_abandoned(below)
        if folder.path.is_dir() and any(folder.path.iterdir()) and not folder.is_barely_begun:
            if existing == "refuse":
                raise OutputExists(f"{path} holds results already: choose another --out, or --force to replace them")
            if not folder.is_ours:
                raise OutputExists(f"{path} holds files that are no results of overread: choose another --out")
            if existing == "replace":
                folder._remove()
        try:
            folder.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputUnwritable(f"{path} cannot be made ({error.strerror}): choose another --out") from None
        probe = temporary_for(folder.path / "probe")
        try:
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise OutputUnwritable(f"{path} cannot be written ({error.strerror}): choose another --out") from None
        return folder

    @property
    def record(self) -> Path:
        """What the run is; the file that makes a folder one of ours."""
        return self.path / RUN_RECORD

    @property
    def private(self) -> Path:
        """The folder of what names places on the user's computer, and with them often persons; not to be handed on."""
        return self.path / "private"

    @property
    def places(self) -> Path:
        """The paths that the record leaves out."""
        return self.private / "places.json"

    @property
    def images(self) -> Path:
        """Which image goes by which number in pages, documents and records."""
        return self.private / "images.csv"

    @property
    def report(self) -> Path:
        """The page to open first."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        """The folder of its figures."""
        return self.path / "figures"

    @property
    def audit(self) -> Path:
        """What the audit found."""
        return self.path / "audit.json"

    @property
    def manifest(self) -> Path:
        """The cases with their sides."""
        return self.path / "manifest.csv"

    @property
    def precision(self) -> Path:
        """The precision that training began with."""
        return self.path / "precision.json"

    @property
    def start(self) -> Path:
        """Which weights training started from."""
        return self.path / "start.json"

    @property
    def pooling(self) -> Path:
        """How the frames of exams are pooled."""
        return self.path / "pooling.json"

    @property
    def log(self) -> Path:
        """A row for each epoch."""
        return self.path / "log.csv"

    @property
    def tensorboard(self) -> Path:
        """The folder that TensorBoard reads."""
        return self.path / "tensorboard"

    @property
    def checkpoints(self) -> Path:
        """The folder of what training goes on from."""
        return self.path / "checkpoints"

    @property
    def bundle(self) -> Path:
        """The folder of the bundle."""
        return self.path / "bundle"

    @property
    def checklists(self) -> Path:
        """The reporting checklists, filled in where the run knows the answer."""
        return self.path / "checklists.md"

    @property
    def robustness(self) -> Path:
        """What changed validation images cost."""
        return self.path / "robustness.json"

    @property
    def test(self) -> RunFolder:
        """The evaluation of the test side."""
        return RunFolder(self.path / "test")

    @property
    def metrics(self) -> Path:
        """The figures of an evaluation."""
        return self.path / "metrics.json"

    @property
    def predictions(self) -> Path:
        """What was said of each case of an evaluation."""
        return self.path / "predictions.csv"

    @property
    def comparison(self) -> Path:
        """The figures of a comparison."""
        return self.path / "comparison.json"

    @property
    def crossvalidation(self) -> Path:
        """The figures of a cross-validation."""
        return self.path / "crossvalidation.json"

    @property
    def monitoring(self) -> Path:
        """What was found in a reading log."""
        return self.path / "monitoring.json"

    @property
    def time(self) -> Path:
        """How a run spent the time that it was given, and what it tried in it."""
        return self.path / "time.json"

    def trial(self, number: int) -> RunFolder:
        """Log and checkpoints of one training of a run in a given time, numbered from 1."""
        return RunFolder(self.path / "networks" / f"trial-{number}")

    def network(self, number: int) -> RunFolder:
        """Log and checkpoints of the network that left out one fold, numbered from 1."""
        return RunFolder(self.path / "networks" / f"fold-{number}")

    @property
    def out_of_fold(self) -> RunFolder:
        """What was said of each image by the network that never saw its patient, and what that is worth."""
        return RunFolder(self.path / "out-of-fold")

    def fold(self, seed: int, number: int) -> RunFolder:
        """The training run of one fold of a cross-validation, numbered from 1."""
        return RunFolder(self.path / f"seed-{seed}" / f"fold-{number}")

    def pooled_predictions(self, seed: int) -> Path:
        """What was said of each case by the networks of one seed that had not seen it."""
        return self.path / f"predictions-seed-{seed}.csv"

    @property
    def is_ours(self) -> bool:
        """Whether a run began here."""
        return self.record.is_file()

    @property
    def is_barely_begun(self) -> bool:
        """Whether a run was killed before its record was there, when all that it had written were the paths."""
        return not self.is_ours and {*self.path.rglob("*")} <= {self.private, self.places}

    @property
    def is_finished(self) -> bool:
        """Whether a training run or a cross-validation came to its end here."""
        return self.is_ours and bool(_read(self.record).get("finished"))

    def write(self, run: Run) -> None:
        """Record what the run is; the paths that it names go to a private file.

        Raises:
            OutputUnwritable: it cannot be written.
        """
        if places := run.places():
            self.open_private()
            write_json(self.places, places, private=True)
        write_json(self.record, run.to_dict())

    def open_private(self) -> None:
        """Make the private folder, which only the user may enter.

        Raises:
            OutputUnwritable: it cannot be made.
        """
        try:
            self.private.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise OutputUnwritable(f"{self.private} cannot be made ({error.strerror}): choose another --out") from None

    def read(self, kind: type[AnyRun]) -> AnyRun:
        """The run that is recorded here.

        Raises:
            InvalidData: the record is missing, damaged or of another kind of run.
        """
        try:
            return kind.from_dict(self._values())
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self.damaged() from None

    def damaged(self) -> InvalidData:
        """The error for a record that cannot be used."""
        return InvalidData(
            f"{self.path} does not hold the run that was expected, or its {self.record.name} is damaged: bring back a "
            "copy of it, choose another --out, or begin anew with --force"
        )

    def _remove(self) -> None:
        """Remove all that is here, the record last, so that what is left when this is ended is ours still."""
        for path in sorted(self.path.iterdir(), key=lambda path: path == self.record):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def require_same(self, asked: Mapping[str, Any], recorded: Mapping[str, Any]) -> None:
        """Refuse to go on with a run that is another: of what both name, everything must be the same.

        Raises:
            InvalidOption: something differs; the message names it.
        """
        changed = [name for name, value in asked.items() if recorded.get(name, value) != value]
        if changed:
            raise InvalidOption(
                f"{self.path} holds a run that differs in {', '.join(changed)}: resume it with the same options and "
                "data, or give another --out"
            )

    def _values(self) -> dict[str, Any]:
        """The record, and in it the paths where they are known; an earlier version left them there."""
        values, places = _read(self.record), _read(self.places)
        for name, found in places.items():
            values[name] = {**(values.get(name) or {}), **found} if isinstance(found, dict) else found
        return values


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(from_json(read_regular(path)))
    except (OSError, ValueError, TypeError):
        return {}
