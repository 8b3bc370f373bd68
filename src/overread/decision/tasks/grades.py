"""Ordered grades: each case is of one, and a wrong one is the worse the further off it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import HALF, BoolArray
from overread.decision.tasks.one_label import OneLabel
from overread.decision.tasks.questions import UNKNOWN, Questions, sigmoid
from overread.errors import InvalidOption


@dataclasses.dataclass(frozen=True)
class OrderedGrades(Questions, OneLabel):
    """Each case is of one of the classes, which are grades, from the lowest to the highest.

    Output k says how sure a case of grade k or more is of more than k (continuation ratios), so that the probabilities
    of "k or more" can only fall as k rises. What is judged is each clinical cut, such as "2 or more": at that grade or
    above. The grade decided on is the median: half of the probability lies at or below it.

    Args:
        classes: the grades.
        cuts: indices of the grades from which on a case counts as ill, 1 to K - 1, rising; by default all.

    Raises:
        InvalidOption: as `Task`, or the cuts are none of these.

    References:
        Tutz G. Sequential models in categorical regression. Comput Stat Data Anal 1991;11:275-295.
            doi:10.1016/0167-9473(91)90086-H
        Shi X, Cao W, Raschka S. Deep neural networks for rank-consistent ordinal regression based on conditional
            probabilities. Pattern Anal Appl 2023;26:941-955. doi:10.1007/s10044-023-01181-9
    """

    cuts: tuple[int, ...] = ()

    kind = "grades"
    noun = ("grade", "grades")
    judged_noun = ("cut", "cuts")
    decided_on = "the median grade"
    exclusive = True
    ordered = True

    def __post_init__(self) -> None:
        super().__post_init__()
        possible = range(1, len(self.classes))
        object.__setattr__(self, "cuts", tuple(self.cuts) or tuple(possible))
        if list(self.cuts) != sorted(set(self.cuts) & set(possible)) or set(self.judged) & set(self.classes):
            raise InvalidOption(
                f"cuts={self.cuts!r} are no rising indices of the grades {', '.join(self.classes)}: give those from "
                f"which on a case counts as ill, 1 to {len(self.classes) - 1}"
            )

    @property
    def title(self) -> str:
        return f"Grades {self.classes[0]} to {self.classes[-1]}"

    @property
    def judged(self) -> tuple[str, ...]:
        return tuple(map(self._or_more, self.cuts))

    @property
    def outputs(self) -> int:
        return len(self.classes) - 1

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(map(self._or_more, range(1, len(self.classes))))

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "cuts": list(self.cuts)}

    def score(self, y_prob: npt.ArrayLike, name: str) -> FloatArray:
        values = np.asarray(y_prob, dtype=np.float64)
        if name not in self.judged:
            return super().score(values, name)
        return np.minimum(values[:, self._cut(name) :].sum(axis=1), 1.0)

    def shows(self, cases: npt.ArrayLike, name: str) -> BoolArray:
        if name not in self.judged:
            return super().shows(cases, name)
        return np.asarray(np.asarray(cases) >= self._cut(name))

    def thresholds_in_force(self, thresholds: Mapping[str, float] | None = None) -> dict[str, float]:
        """Those of the cuts decide on the cuts alone, not on the grade."""
        return {}

    # On five grades of retinopathy linear heads had a quadratic kappa of .67 so, and of .62 to .64 with a softmax
    # (benchmarks/findings_and_grades.py, November 2026).
    def asked(self, y_true: npt.ArrayLike) -> IntArray:
        """Whether a case of grade k or more is of more than k; a case of less leaves that open."""
        grade, steps = np.asarray(y_true)[:, None], np.arange(self.outputs)
        return np.where(grade < steps, UNKNOWN, grade > steps)

    def probabilities(self, logits: npt.ArrayLike) -> FloatArray:
        at_least = np.cumprod(sigmoid(logits), axis=1)
        bounds = np.column_stack([np.ones(len(at_least)), at_least, np.zeros(len(at_least))])
        return np.asarray(bounds[:, :-1] - bounds[:, 1:])

    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        at_most = np.cumsum(np.asarray(y_prob, dtype=np.float64), axis=1)
        return np.asarray((at_most[:, :-1] < HALF).sum(axis=1), dtype=np.int64)

    def truth_of_all(self, y_true: npt.ArrayLike) -> IntArray:
        return np.asarray(np.asarray(y_true).max())

    def _highest(self, y_prob: FloatArray) -> FloatArray:
        """Of each grade or more, which falls as the grade rises."""
        at_least = np.flip(np.cumsum(np.flip(y_prob, axis=1), axis=1), axis=1).max(axis=0)
        at_least[0] = 1
        return np.maximum(at_least - np.append(at_least[1:], 0), 0)

    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        return np.asarray(self._squared(y_true, y_prob).sum(axis=1))

    def strangeness(self, y_prob: npt.ArrayLike) -> FloatArray:
        """The larger of the probabilities of more and of less: it only rises away from the median."""
        values = np.asarray(y_prob, dtype=np.float64)
        at_most = np.cumsum(values, axis=1)
        return np.clip(np.maximum(1 - at_most, at_most - values), 0.0, 1.0)

    def closed(self, sets: BoolArray) -> BoolArray:
        """Grades between two that are not ruled out are not ruled out either."""
        from_below = np.logical_or.accumulate(sets, axis=1)
        from_above = np.logical_or.accumulate(sets[:, ::-1], axis=1)[:, ::-1]
        return np.asarray(from_below & from_above)

    def kin(self, counts: Sequence[int], enough: int) -> list[list[int]]:
        """A grade of too few cases goes with its neighbours, until they are enough."""
        groups = [[grade] for grade in range(len(self.classes))]
        while len(groups) > 1:
            sizes = [sum(counts[grade] for grade in group) for group in groups]
            smallest = int(np.argmin(sizes))
            if sizes[smallest] >= enough:
                break
            beside = [place for place in (smallest - 1, smallest + 1) if 0 <= place < len(groups)]
            other = min(beside, key=sizes.__getitem__)
            low, high = sorted((smallest, other))
            groups[low : high + 1] = [groups[low] + groups[high]]
        return groups

    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        """For a cut what speaks for each step up to it; for a grade that, less what speaks for a step beyond it."""
        cut = self._cut(name) if name in self.judged else self.column(name)
        found = activation_map[..., :cut].sum(axis=2)
        if name not in self.judged and cut < self.outputs:
            found = found - activation_map[..., cut]
        return np.asarray(found)

    def _or_more(self, cut: int) -> str:
        return f"{self.classes[cut]} or more"

    def _cut(self, name: str) -> int:
        return self.cuts[self.judged.index(name)]
