"""What a reader answered to the questions of its task, such as findings, and where humans corrected it."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.decision.task import Task
from overread.evaluation.estimates import Estimate
from overread.evaluation.uncertainty.proportions import proportions

if TYPE_CHECKING:
    from overread.reading_log.rows import ImageRow


@dataclasses.dataclass(frozen=True, kw_only=True)
class Corrections:
    """What humans said of the answers to one question; those that they left open don't count.

    Args:
        agreement: share of reviews that say the same, with Wilson's interval.
        added: reviews that say yes where the reader said no.
        removed: the other way round.
    """

    agreement: Estimate
    added: int
    removed: int

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {"agreement": self.agreement.to_dict(), "added": self.added, "removed": self.removed}


def count_answers(rows: Iterable[ImageRow]) -> dict[str, Counter[str]]:
    """How often each answer was given to each question."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for one in row.questions or ():
            found.setdefault(one["name"], Counter())[one["answer"]] += 1
    return dict(sorted(found.items()))


def score_of(row: ImageRow, name: str) -> float:
    """The probability of a question or a class; NaN where the row has none."""
    told = {one["name"]: one["probability"] for one in row.questions or ()}
    return float(told.get(name, (row.probabilities or {}).get(name, np.nan)))


def find_corrections(reviewed: Sequence[ImageRow], task: Task) -> dict[str, Corrections]:
    """Hold the answers to each question against those of the humans, whose labels are such as the task has."""
    if not reviewed:
        return {}
    seen = task.encode([row.review.true_label for row in reviewed if row.review])
    found = {}
    for name in task.questions:
        yes, known = task.shows(seen, name), task.known(seen, name)
        called = np.array([_reached(row, name) for row in reviewed], dtype=bool)
        found[name] = Corrections(
            agreement=proportions({"agreement": (yes == called, known)})["agreement"],
            added=int((known & yes & ~called).sum()),
            removed=int((known & ~yes & called).sum()),
        )
    return found


def agreements(reviewed: Sequence[ImageRow], task: Task | None) -> list[bool]:
    """Whether each human agrees, as far as he knows."""
    if task is None or not task.questions or not reviewed:
        return [row.agrees for row in reviewed]
    seen = task.encode([row.review.true_label for row in reviewed if row.review])
    decided = task.encode([str(row.predicted_label) for row in reviewed])
    return [bool(one) for one in task.is_right(seen, decided)]


def _reached(row: ImageRow, name: str) -> bool:
    told: Mapping[str, Any] = next((one for one in row.questions or () if one["name"] == name), {})
    return bool(told) and told["probability"] >= told["threshold"]
