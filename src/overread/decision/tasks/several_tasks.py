"""Several tasks that one network answers in one pass, such as a grade of retinopathy and one of macular oedema."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray, T, Task
from overread.decision.tasks.one_label import OneLabel, TwoClasses
from overread.decision.tasks.questions import UNKNOWN, Questions
from overread.errors import InvalidData, InvalidOption

# Of labels: between the parts, and between the name of one and what it says.
BETWEEN, SAYS = "; ", ": "


@dataclasses.dataclass(frozen=True)
class SeveralTasks(Questions):
    """Tasks by name, each with classes, truth and decisions of its own; `SeveralTasks.together` makes it.

    Each class, question and answer goes by the name of its task and its own: `retinopathy: 2`. A label says what each
    task says, `retinopathy: 2; oedema: 1`, and leaves out a task of which nothing is known. Truth and decisions are
    `(n, columns)`: the columns of each task side by side, one where a case has one label; -1 where it is not known.

    Args:
        classes: of all tasks.
        named: the tasks by name; each of two classes, of grades or of findings.

    Raises:
        InvalidOption: fewer than two, one of another kind, or names that would run into one another.
    """

    named: tuple[tuple[str, Task], ...] = ()

    kind = "tasks"
    noun = ("answer", "answers")
    judged_noun = ("question", "questions")
    heading = "labels"
    decided_on = "each task by its own rule"
    exclusive = False

    @classmethod
    def together(cls, parts: Mapping[str, Task]) -> SeveralTasks:
        """The task of telling all of these at once."""
        classes = tuple(name + SAYS + one for name, part in parts.items() for one in part.classes)
        return cls(classes, tuple(parts.items()))

    def __post_init__(self) -> None:
        object.__setattr__(self, "named", tuple(self.named))
        if len(self.parts) < 2 or not all(isinstance(part, Questions | TwoClasses) for part in self.parts.values()):
            raise InvalidOption("expected two tasks or more, each of two classes, ordered grades or several findings")
        if any(text in name for name, part in self.named for one in (name, *part.classes) for text in (BETWEEN, SAYS)):
            raise InvalidOption(f"a task or class holds {BETWEEN!r} or {SAYS!r}: name it otherwise")
        super().__post_init__()

    @property
    def parts(self) -> Mapping[str, Task]:
        return dict(self.named)

    @property
    def title(self) -> str:
        return " / ".join(name for name, _ in self.named)

    @property
    def judged(self) -> tuple[str, ...]:
        return tuple(name + SAYS + one for name, part in self.named for one in part.judged)

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(name + SAYS + one for name, part in self.named for one in part.answers)

    def says(self, name: str) -> IntArray:
        part, one = self._split(name)
        found = np.full(len(self.answers), UNKNOWN)
        found[self._answers_of(part)] = self.parts[part].says(one)
        return found

    @property
    def outputs(self) -> int:
        return sum(part.outputs for part in self.parts.values())

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(name + SAYS + one for name, part in self.named for one in part.output_names)

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "parts": {name: part.to_dict() for name, part in self.named}}

    def cases_of(self, part: str, cases: npt.ArrayLike) -> IntArray:
        """Where nothing is known, -1 throughout."""
        found = np.asarray(cases)[:, self._columns(part, [_width(one) for one in self.parts.values()])]
        return found[:, 0] if isinstance(self.parts[part], OneLabel) else found

    def probabilities_of(self, part: str, y_prob: npt.ArrayLike) -> FloatArray:
        return np.asarray(y_prob, dtype=np.float64)[:, self.classes_of(part)]

    def classes_of(self, name: str) -> slice:
        """The columns of one of the tasks in `y_prob`."""
        return self._columns(name, [len(part.classes) for part in self.parts.values()])

    def told(self, part: str, y_true: npt.ArrayLike) -> BoolArray:
        found = self.cases_of(part, y_true).reshape(len(np.asarray(y_true)), -1)
        return np.asarray((found != UNKNOWN).any(axis=1))

    def of_part(self, part: str, by_name: Mapping[str, T]) -> dict[str, T]:
        split = {self._split(name): value for name, value in by_name.items()}
        return {one: value for (of, one), value in split.items() if of == part}

    def kin(self, counts: Sequence[int], enough: int) -> list[list[int]]:
        groups = []
        for name, part in self.named:
            own = self._answers_of(name)
            groups += [[own.start + place for place in group] for group in part.kin(counts[own], enough)]
        return groups

    def counted(self, always: Collection[str]) -> BoolArray:
        own = dict.fromkeys(always)
        return np.concatenate([part.counted(self.of_part(name, own)) for name, part in self.named])

    def named_in(self, label: str) -> tuple[str, ...]:
        said = told_by(label)
        return tuple(n + SAYS + one for n, part in self.named if n in said for one in part.named_in(said[n]))

    def label_of(self, names: Sequence[str]) -> str:
        own = {part: [one for name, one in map(self._split, names) if name == part] for part in self.parts}
        if sum(map(len, own.values())) != len(names):
            raise InvalidOption(f"a name is none of the answers: give some of {', '.join(self.classes)}")
        return BETWEEN.join(part + SAYS + self.parts[part].label_of(found) for part, found in own.items())

    def reply(self, name: str, *, yes: bool) -> str:
        part, one = self._split(name)
        return self.parts[part].reply(one, yes=yes)

    def require_label(self, label: str, where: str) -> None:
        said = told_by(label)
        if not said or not said.keys() <= self.parts.keys():
            raise InvalidData(
                f"{where} has the label {label!r}: expected {BETWEEN.join(name + SAYS + '...' for name in self.parts)}"
            )
        for name, own in said.items():
            self.parts[name].require_label(own, where)

    def encode(self, labels: Sequence[str]) -> IntArray:
        columns = []
        for name, part in self.named:
            said = [told_by(label).get(name) for label in labels]
            found = np.full((len(labels), _width(part)), UNKNOWN)
            told = [row for row, own in enumerate(said) if own is not None]
            found[told] = part.encode([own for own in said if own is not None]).reshape(len(told), _width(part))
            columns.append(found)
        return np.concatenate(columns, axis=1)

    def label(self, decided: Any) -> str:
        row = np.asarray(decided)[None]
        return BETWEEN.join(
            name + SAYS + part.label(self.cases_of(name, row)[0])
            for name, part in self.named
            if self.told(name, row)[0]
        )

    def score(self, y_prob: npt.ArrayLike, name: str) -> FloatArray:
        part, one = self._split(name)
        return self.parts[part].score(self.probabilities_of(part, y_prob), one)

    def shows(self, cases: npt.ArrayLike, name: str) -> BoolArray:
        part, one = self._split(name)
        return self.parts[part].shows(self.cases_of(part, cases), one) & self.known(cases, name)

    def known(self, y_true: npt.ArrayLike, name: str) -> BoolArray:
        part, one = self._split(name)
        return self.told(part, y_true) & self.parts[part].known(self.cases_of(part, y_true), one)

    def checked_cases(self, cases: npt.ArrayLike, n: int, *, what: str = "labels") -> IntArray:
        found, width = np.asarray(cases), sum(_width(part) for part in self.parts.values())
        if found.shape != (n, width):
            raise InvalidData(f"the {what} have shape {found.shape} for {n} cases: give {width} columns")
        for name, part in self.named:
            own = self.cases_of(name, found)[self.told(name, found)]
            part.checked_cases(own, len(own), what=what)
        return found.astype(np.int64)

    def checked_probabilities(self, y_prob: npt.ArrayLike) -> FloatArray:
        values = super().checked_probabilities(y_prob)
        for name, part in self.named:
            part.checked_probabilities(self.probabilities_of(name, values))
        return values

    def thresholds_in_force(self, thresholds: Mapping[str, float] | None = None) -> dict[str, float]:
        given = thresholds or {}
        return {
            name + SAYS + one: value
            for name, part in self.named
            for one, value in part.thresholds_in_force(self.of_part(name, given)).items()
        }

    def asked(self, y_true: npt.ArrayLike) -> IntArray:
        found = []
        for name, part in self.named:
            own = self.cases_of(name, y_true)
            asked = part.asked(own) if isinstance(part, Questions) else own[:, None]
            found.append(np.where(self.told(name, y_true)[:, None], asked, UNKNOWN))
        return np.concatenate(found, axis=1)

    def truth_of_all(self, y_true: npt.ArrayLike) -> IntArray:
        """Of each task, of the images that tell anything about it."""
        found = []
        for name, part in self.named:
            own = self.cases_of(name, y_true)[self.told(name, y_true)]
            joined = part.truth_of_all(own) if len(own) else None
            found.append(np.full(_width(part), UNKNOWN) if joined is None else joined.reshape(_width(part)))
        return np.concatenate(found)

    def probabilities_of_all(self, y_prob: npt.ArrayLike, way: str) -> FloatArray:
        parts = [part.probabilities_of_all(self.probabilities_of(name, y_prob), way) for name, part in self.named]
        return np.concatenate(parts)

    def probabilities(self, logits: npt.ArrayLike) -> FloatArray:
        values = np.asarray(logits)
        return np.concatenate(
            [part.probabilities(values[:, self._outputs_of(name)]) for name, part in self.named], axis=1
        )

    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        given = thresholds or {}
        decided = [
            part.decide(self.probabilities_of(name, y_prob), self.of_part(name, given)) for name, part in self.named
        ]
        return np.column_stack(decided)

    def is_right(self, y_true: npt.ArrayLike, decided: npt.ArrayLike) -> BoolArray:
        """Whether every task is, of which the truth is known."""
        return np.all(
            [
                part.is_right(self.cases_of(name, y_true), self.cases_of(name, decided)) | ~self.told(name, y_true)
                for name, part in self.named
            ],
            axis=0,
        )

    def log_losses(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """The sum over the tasks that are known."""
        return self._sum("log_losses", y_true, y_prob)

    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """The sum over the tasks that are known."""
        return self._sum("brier_scores", y_true, y_prob)

    def answered(self, cases: npt.ArrayLike) -> BoolArray:
        return np.concatenate(
            [part.answered(self.cases_of(name, cases)) & self.told(name, cases)[:, None] for name, part in self.named],
            axis=1,
        )

    def strangeness(self, y_prob: npt.ArrayLike) -> FloatArray:
        return np.concatenate([part.strangeness(self.probabilities_of(name, y_prob)) for name, part in self.named], 1)

    def closed(self, sets: BoolArray) -> BoolArray:
        return np.concatenate([part.closed(sets[:, self._answers_of(name)]) for name, part in self.named], axis=1)

    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        part, one = self._split(name)
        return self.parts[part].evidence(activation_map[..., self._outputs_of(part)], one)

    def _split(self, name: str) -> tuple[str, str]:
        part, _, one = name.partition(SAYS)
        return part, one

    def _outputs_of(self, name: str) -> slice:
        return self._columns(name, [part.outputs for part in self.parts.values()])

    def _answers_of(self, name: str) -> slice:
        return self._columns(name, [len(part.answers) for part in self.parts.values()])

    def _columns(self, name: str, widths: Sequence[int]) -> slice:
        if name not in self.parts:
            raise self._no_part(name)
        place = list(self.parts).index(name)
        start = sum(widths[:place])
        return slice(start, start + widths[place])

    def _sum(self, measure: str, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        found = [
            getattr(part, measure)(self.cases_of(name, y_true), self.probabilities_of(name, y_prob))
            * self.told(name, y_true)
            for name, part in self.named
        ]
        return np.asarray(np.sum(found, axis=0))


def told_by(label: str) -> dict[str, str]:
    """What the label of a case says by the names of the tasks; nothing where it is none of several tasks."""
    pairs = (text.partition(SAYS) for text in label.split(BETWEEN))
    return {name: own for name, says, own in pairs if says}


def _width(part: Task) -> int:
    return 1 if isinstance(part, OneLabel) else len(part.classes)
