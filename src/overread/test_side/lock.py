"""Opening the test side: reading it with the bundle itself, and keeping count of who has read it before."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from overread.bundle import Bundle, Opening
from overread.errors import OutputUnwritable
from overread.evaluation import AssessmentOptions
from overread.images import DataSet
from overread.machine.files import replace_file
from overread.reading import Reader
from overread.test_side.outcome import Outcome, read_labelled


def known_before(data_set: DataSet, positions: list[int], *, study: str, began: str) -> tuple[str, ...]:
    """A warning if other training runs had opened this test set before this one began."""
    ledger = read_ledger(data_set.store.path.parent, data_set.content_fingerprint(positions))
    earlier = [opening for opening in ledger if opening.study != study and opening.time <= began]
    if not earlier:
        return ()
    runs, times = len({opening.study for opening in earlier}), len(earlier)
    return (
        f"this test set had been opened {times} time{'s' * (times > 1)} by {runs} other training run{'s' * (runs > 1)} "
        f"on this machine, first on {min(opening.time for opening in earlier)[:10]}: if their results guided this one, "
        "its figures flatter; say so, or test on images that nobody has read yet",
    )


def open_test_side(
    bundle: Bundle, data_set: DataSet, positions: list[int], out: Path, options: AssessmentOptions
) -> tuple[Outcome, tuple[str, ...]]:
    """Read the test side with the bundle itself, write what came out, and record that it was opened."""
    outcome = read_labelled(Reader(bundle), data_set, positions, options)
    outcome.write(out)
    opening = outcome.opening(bundle.data["study"])
    try:
        note_in_ledger(data_set.store.path.parent, opening)
        bundle.record(opening)
    except OutputUnwritable:
        return outcome, ("that the test set was opened could not be recorded in the bundle: nothing can be written",)
    return outcome, ()


_LEDGER = "test_sets.jsonl"


def read_ledger(folder: Path, data: str) -> list[Opening]:
    """The openings of one test set that this machine remembers; lines that cannot be read are passed over."""
    return [opening for opening in _ledger(folder) if opening.data == data]


def note_in_ledger(folder: Path, opening: Opening) -> None:
    """Remember an opening on this machine.

    Raises:
        OutputUnwritable: the folder cannot be written.
    """
    lines = (json.dumps(dataclasses.asdict(known)) for known in (*_ledger(folder), opening))
    replace_file(folder / _LEDGER, ("\n".join(lines) + "\n").encode())


def _ledger(folder: Path) -> Iterable[Opening]:
    path = folder / _LEDGER
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            yield Opening(**json.loads(line))
        except (ValueError, TypeError):
            continue
