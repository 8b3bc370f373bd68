"""Opening the test side: reading it with the bundle itself, and keeping count of who has read it before."""

from __future__ import annotations

from pathlib import Path

from overread.bundle import NO_RESULT, Bundle, Opening
from overread.errors import OverreadError
from overread.evaluation import AssessmentOptions
from overread.images import DataSet
from overread.reading import Reader
from overread.test_side.ledger import Ledger
from overread.test_side.outcome import Outcome, read_labelled


def known_before(data_set: DataSet, positions: list[int], *, study: str, began: str) -> tuple[str, ...]:
    """A warning if other training runs had opened this test set before this one began."""
    data = data_set.content_fingerprint(positions)
    # Earlier versions kept the ledger beside the pixels.
    known = [*Ledger(data_set.store.path.parent).openings(data), *Ledger().openings(data)]
    earlier = [opening for opening in known if opening.study != study and opening.time <= began]
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
    """Read the test side with the bundle itself, record that it was opened, and write what came out.

    It is recorded as soon as it is judged, or as that fails: whatever happens later, somebody may have seen the result.

    Returns:
        What came out, and a warning where the opening could not be recorded.
    """
    reader, study = Reader(bundle), bundle.data["study"]
    begun = Opening(data=data_set.content_fingerprint(positions), n=len(positions), result=NO_RESULT, study=study)
    try:
        outcome = read_labelled(reader, data_set, positions, options)
    except BaseException:
        _record(bundle, begun)
        raise
    unrecorded = _record(bundle, outcome.opening(study))
    outcome.write(out)
    return outcome, unrecorded


def _record(bundle: Bundle, opening: Opening) -> tuple[str, ...]:
    """Count an opening, and warn of each place where it could not be written."""
    unrecorded = []
    for place, record in (("on this machine", Ledger().note), ("in the bundle", bundle.record)):
        try:
            record(opening)
        except OverreadError:  # nothing that is wrong there may hide what was read
            unrecorded.append(
                f"that the test set was opened could not be recorded {place}: nothing can be written there"
            )
    return tuple(unrecorded)
