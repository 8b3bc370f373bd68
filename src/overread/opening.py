"""Opening the test side: reading it with the bundle itself, and keeping count of who has read it before."""

from __future__ import annotations

from pathlib import Path

from overread.bundle import Bundle, note_in_ledger, read_ledger
from overread.errors import OutputUnwritable
from overread.evaluation import AssessmentOptions
from overread.images import DataSet
from overread.reading import Outcome, Reader, read_labelled
from overread.report import pages


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
    pages.draw_outcome(out / "figures", outcome)
    opening = outcome.opening(bundle.data["study"])
    try:
        note_in_ledger(data_set.store.path.parent, opening)
        bundle.record(opening)
    except OutputUnwritable:
        return outcome, ("that the test set was opened could not be recorded in the bundle: nothing can be written",)
    return outcome, ()
