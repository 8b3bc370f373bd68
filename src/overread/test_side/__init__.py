"""The test side: opened once, counted where nobody clears a cache, and what came out."""

from overread.test_side.lock import known_before, note_in_ledger, open_test_side, read_ledger
from overread.test_side.outcome import Outcome, read_labelled, read_predictions, write_predictions

__all__ = [
    "Outcome",
    "known_before",
    "note_in_ledger",
    "open_test_side",
    "read_labelled",
    "read_ledger",
    "read_predictions",
    "write_predictions",
]
