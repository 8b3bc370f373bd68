"""The test side: opened once, counted where nobody clears a cache, and what came out."""

from overread.test_side.ledger import Ledger
from overread.test_side.lock import known_before, open_test_side
from overread.test_side.mistakes import Mistake
from overread.test_side.outcome import Outcome, read_labelled
from overread.test_side.predictions_file import evaluation_in, read_predictions, write_predictions

__all__ = [
    "Ledger",
    "Mistake",
    "Outcome",
    "evaluation_in",
    "known_before",
    "open_test_side",
    "read_labelled",
    "read_predictions",
    "write_predictions",
]
