"""Several findings at once: each case shows any of them, or none, and some may not be known."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import SMALLEST_PROBABILITY, BoolArray, refuse_row
from overread.decision.tasks.questions import UNKNOWN, Questions, sigmoid
from overread.errors import InvalidData, InvalidOption

# Of labels: between findings, before one that is not known, and for a case that shows none.
BAR, DOUBT, NO_FINDING = "|", "?", "No Finding"
# Before the name of a finding, the answer that it is absent.
ABSENT = "no "
# More would be no heading any more.
MOST_IN_TITLE = 4


@dataclasses.dataclass(frozen=True)
class SeveralFindings(Questions):
    """Each case shows any of the classes, which are findings, or none.

    A label names the findings that are there and, with a question mark, those of which nobody knows:
    `Effusion|Mass|?Edema`; what it does not name is absent, and `No Finding` shows none. Truth and decisions are
    `(n, K)` integers: 1 present, 0 absent, -1 not known.

    Raises:
        InvalidOption: as `Task`; or a name holds a bar, begins with a question mark or says that there is no finding,
            also of the others.
    """

    kind = "findings"
    noun = judged_noun = ("finding", "findings")
    heading = "findings"
    decided_on = "each finding at or above its operating point"
    exclusive = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.classes:
            if BAR in name or name.startswith(DOUBT) or name == NO_FINDING:
                raise InvalidOption(
                    f"the finding {name!r} cannot stand in a list of findings: name it without {BAR} and a leading "
                    f"{DOUBT}, and other than {NO_FINDING}"
                )
            if ABSENT + name in self.classes:
                raise InvalidOption(f"{ABSENT + name!r} is a finding, and says that {name!r} is absent: leave it out")

    @property
    def title(self) -> str:
        return super().title if len(self.classes) <= MOST_IN_TITLE else f"{len(self.classes)} findings"

    @property
    def judged(self) -> tuple[str, ...]:
        return self.classes

    @property
    def outputs(self) -> int:
        return len(self.classes)

    @property
    def answers(self) -> tuple[str, ...]:
        """Each finding and then, in the same order, the absence of each."""
        return (*self.classes, *(ABSENT + name for name in self.classes))

    def says(self, name: str) -> IntArray:
        found = np.full(len(self.answers), UNKNOWN)
        found[[self.column(name), len(self.classes) + self.column(name)]] = 1, 0
        return found

    def reply(self, name: str, *, yes: bool) -> str:
        return "present" if yes else "absent"

    def label_of(self, names: Sequence[str]) -> str:
        if not set(names) <= set(self.classes):
            raise InvalidOption(f"a name is none of the findings: give any of {', '.join(self.classes)}, or none")
        return BAR.join(name for name in self.classes if name in names) or NO_FINDING

    def counted(self, always: Collection[str]) -> BoolArray:
        """But those of a finding that the reader is never sure of: it would refer every image."""
        held = np.array([name in always for name in self.answers]).reshape(2, -1)
        return np.tile(~held.any(axis=0), 2)

    def named_in(self, label: str) -> tuple[str, ...]:
        return tuple(name for name in label.split(BAR) if name not in ("", NO_FINDING) and not name.startswith(DOUBT))

    def require_label(self, label: str, where: str) -> None:
        super().require_label(BAR.join(name.removeprefix(DOUBT) for name in label.split(BAR)), where)

    def encode(self, labels: Sequence[str]) -> IntArray:
        found = np.zeros((len(labels), len(self.classes)), dtype=np.int64)
        for row, label in enumerate(labels):
            named = set(label.split(BAR))
            for column, name in enumerate(self.classes):
                found[row, column] = UNKNOWN if DOUBT + name in named else name in named
        return found

    def label(self, decided: Any) -> str:
        values = np.asarray(decided)
        present = [name for name, value in zip(self.classes, values, strict=True) if value == 1]
        doubtful = [DOUBT + name for name, value in zip(self.classes, values, strict=True) if value == UNKNOWN]
        return BAR.join((*present, *doubtful)) or NO_FINDING

    def shows(self, cases: npt.ArrayLike, name: str) -> BoolArray:
        return np.asarray(np.asarray(cases)[:, self.column(name)] == 1)

    def known(self, y_true: npt.ArrayLike, name: str) -> BoolArray:
        return np.asarray(np.asarray(y_true)[:, self.column(name)] != UNKNOWN)

    def checked_cases(self, cases: npt.ArrayLike, n: int, *, what: str = "labels") -> IntArray:
        found, expected = np.asarray(cases), "1 for a finding that is there, 0 for none, -1 where it is not known"
        if found.shape != (n, len(self.classes)):
            raise InvalidData(
                f"the {what} have shape {found.shape} for {n} cases of {len(self.classes)} findings: give {expected}"
            )
        if found.dtype.kind not in "biu":
            raise InvalidData(f"the {what} are {found.dtype}: give {expected}")
        refuse_row(~np.isin(found, (UNKNOWN, 0, 1)).all(axis=1), found, what, expected)
        return found.astype(np.int64)

    def asked(self, y_true: npt.ArrayLike) -> IntArray:
        return np.asarray(y_true, dtype=np.int64)

    def probabilities(self, logits: npt.ArrayLike) -> FloatArray:
        return sigmoid(logits)

    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        in_force = self.thresholds_in_force(thresholds)
        reached = np.asarray(y_prob, dtype=np.float64) >= [in_force[name] for name in self.classes]
        return reached.astype(np.int64)

    def truth_of_all(self, y_true: npt.ArrayLike) -> IntArray:
        """A finding is absent where all images are known not to show it."""
        labels = np.asarray(y_true)
        return np.where((labels == 1).any(axis=0), 1, np.where((labels == UNKNOWN).any(axis=0), UNKNOWN, 0))

    def _highest(self, y_prob: FloatArray) -> FloatArray:
        return np.asarray(y_prob.max(axis=0))

    def is_right(self, y_true: npt.ArrayLike, decided: npt.ArrayLike) -> BoolArray:
        truth = np.asarray(y_true)
        return np.asarray(((truth == np.asarray(decided)) | (truth == UNKNOWN)).all(axis=1))

    def log_losses(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """The mean over the findings that are known."""
        truth = np.asarray(y_true)
        return _known_mean(-np.log(np.maximum(np.where(truth == 1, y_prob, 1 - y_prob), SMALLEST_PROBABILITY)), truth)

    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """The mean over the findings that are known."""
        truth = np.asarray(y_true)
        return _known_mean(np.square(y_prob - (truth == 1)), truth)

    def answered(self, cases: npt.ArrayLike) -> BoolArray:
        found = np.asarray(cases)
        return np.concatenate([found == 1, found == 0], axis=1)

    def strangeness(self, y_prob: npt.ArrayLike) -> FloatArray:
        values = np.asarray(y_prob, dtype=np.float64)
        return np.concatenate([1 - values, values], axis=1)

    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        return np.asarray(activation_map[..., self.column(name)])


def _known_mean(values: FloatArray, truth: npt.NDArray[np.generic]) -> FloatArray:
    known = truth != UNKNOWN
    return np.asarray((values * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1))
