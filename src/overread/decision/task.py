"""What is told apart: the one place that knows what kinds of tasks have in common and where they differ.

Every other module asks the task of a study: which questions are judged, what the loss is held against, how logits
become probabilities and these a decision, and what a map shows. Another kind of task is one more class in `tasks`.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.numbers import is_text
from overread.errors import InvalidData, InvalidOption

T = TypeVar("T")
BoolArray = npt.NDArray[np.bool_]
# Of two classes, where no operating point was chosen.
HALF = 0.5
# How the probabilities of several images of a patient make one.
MEAN, HIGHEST = "mean", "max"
SMALLEST_PROBABILITY = 1e-7
SUM_TOLERANCE = 1e-3


class Choice(NamedTuple):
    """A choice that a network makes apart from others, for a calibration to be fitted on.

    Args:
        outputs: of the network that make it.
        truth: `(m,)` which alternative is true.
        scores: `(m, alternatives)` of which softmax makes probabilities.
        effect: `(its outputs, alternatives)` what 1 more in each logit adds to the scores.
    """

    outputs: slice
    truth: IntArray
    scores: FloatArray
    effect: FloatArray


@dataclasses.dataclass(frozen=True)
class Task(ABC):
    """What is told apart; `Task.of` makes the one that fits classes.

    Truth `y_true` and decisions are arrays with a row a case, of a form that the task knows: with one label a case,
    `(n,)` the index of the class. Ask `shows` instead of comparing them.

    Args:
        classes: two or more different names, in the order of the columns of `y_prob` `(n, K)`.

    Raises:
        InvalidOption: fewer than two names, one stands twice, is empty or holds a null character.
    """

    classes: tuple[str, ...]

    # By which files know it; None where the number of classes tells.
    kind: ClassVar[str | None] = None
    # What one of the classes is called, and several.
    noun: ClassVar[tuple[str, str]] = ("class", "classes")
    # What one of the judged questions is called, and several.
    judged_noun: ClassVar[tuple[str, str]] = ("class", "classes")
    # The column of labels in tables of the program's own form.
    heading: ClassVar[str] = "label"
    # The function of `keras.ops` that makes logits probabilities while training: softmax where the outputs are one
    # choice, sigmoid where each is one of its own.
    activation: ClassVar[str]
    # What is decided on, as a sentence has it.
    decided_on: ClassVar[str]
    # Whether each case is of exactly one class, so that its probabilities sum to 1.
    exclusive: ClassVar[bool]
    # Whether the classes have an order, from the first to the last.
    ordered: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        if len(self.classes) < 2 or len(set(self.classes)) != len(self.classes):
            raise InvalidOption(f"classes={self.classes!r} are not two or more different names: name each class once")
        if not all(name and is_text(name) for name in self.classes):
            raise InvalidOption("a class has no name, or one with a null character: name each class by a text")

    @staticmethod
    def of(classes: Sequence[str]) -> Task:
        """The task of telling these classes apart: of two, the second is the positive one."""
        from overread.decision.tasks.one_label import SeveralClasses, TwoClasses  # which build on this class

        return TwoClasses(tuple(classes)) if len(classes) == 2 else SeveralClasses(tuple(classes))

    def to_dict(self) -> dict[str, Any]:
        """The task as JSON values, by which files know it."""
        kind = {} if self.kind is None else {"kind": self.kind}
        return {**kind, "classes": list(self.classes), "positive": self.positive}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Task:
        """The task that `to_dict` gave; other values may stand beside its own.

        Raises:
            InvalidOption: it has no classes, or is of an unknown kind.
        """
        from overread.decision.tasks import task_from_dict  # which builds on this class

        return task_from_dict(values)

    @property
    def parts(self) -> Mapping[str, Task]:
        """The tasks that are told in one pass, by name; empty where there is one only."""
        return {}

    def cases_of(self, part: str, cases: npt.ArrayLike) -> IntArray:
        """A truth or decisions as one of the parts has it.

        Args:
            part: the name of a part.
            cases: of this task.
        """
        raise self._no_part(part)

    def probabilities_of(self, part: str, y_prob: npt.ArrayLike) -> FloatArray:
        """The probabilities of one of the parts, of `(n, K)` of all."""
        raise self._no_part(part)

    def told(self, part: str, y_true: npt.ArrayLike) -> BoolArray:
        """`(n,)` whether the truth tells anything of one of the parts."""
        raise self._no_part(part)

    def of_part(self, part: str, by_name: Mapping[str, T]) -> dict[str, T]:
        """Of what is given for classes, judged questions or answers that of one of the parts, by its own names."""
        raise self._no_part(part)

    def _no_part(self, part: str) -> InvalidOption:
        return InvalidOption(f"there is no part {part!r}: expected {' or '.join(self.parts) or 'a task of several'}")

    @property
    def title(self) -> str:
        """What is told apart, to head a page."""
        return " / ".join(self.classes)

    @property
    @abstractmethod
    def positive(self) -> str | None:
        """The class whose probability alone decides, held against a threshold; None where no class is."""

    @property
    @abstractmethod
    def judged(self) -> tuple[str, ...]:
        """The questions that are judged, each yes against no, by its `score` and its own threshold.

        Most are classes, each against the rest.
        """

    @property
    def questions(self) -> tuple[str, ...]:
        """Of what is judged, what a reading answers one by one, each by its own threshold and sure of it or not.

        Empty where the one decision on a case says it all.
        """
        return ()

    def reply(self, name: str, *, yes: bool) -> str:
        """The answer to a judged question, in a word."""
        return "yes" if yes else "no"

    @property
    @abstractmethod
    def outputs(self) -> int:
        """How many logits a network gives."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """`(outputs,)` what each logit speaks for."""
        return self.judged

    @property
    def answers(self) -> tuple[str, ...]:
        """What a prediction set may hold."""
        return self.classes

    @abstractmethod
    def says(self, name: str) -> IntArray:
        """`(answers,)` what each answer of a prediction set says to a judged question: 1 yes, 0 no, -1 neither."""

    def column(self, name: str) -> int:
        """The column of a class in `y_prob`."""
        return self.classes.index(name)

    def score(self, y_prob: npt.ArrayLike, name: str) -> FloatArray:
        """`(n,)` the probability of a class or of a judged question."""
        return np.asarray(y_prob, dtype=np.float64)[:, self.column(name)]

    def kin(self, counts: Sequence[int], enough: int) -> list[list[int]]:
        """The answers, by their place, whose cases set a threshold of prediction sets together: each by itself.

        Args:
            counts: `(answers,)` how many cases give each.
            enough: of them set a threshold that can be promised.
        """
        return [[place] for place in range(len(self.answers))]

    def counted(self, always: Collection[str]) -> BoolArray:
        """`(answers,)` which answers of a prediction set make an image uncertain: all.

        Args:
            always: those that are in every set, for want of cases.
        """
        return np.ones(len(self.answers), dtype=bool)

    @abstractmethod
    def named_in(self, label: str) -> tuple[str, ...]:
        """The classes that the label of a case names, known or not."""

    @abstractmethod
    def label_of(self, names: Sequence[str]) -> str:
        """The label of a case that shows these classes.

        Raises:
            InvalidOption: no case does.
        """

    def require_label(self, label: str, where: str) -> None:
        """Refuse a label that names an unknown class.

        Args:
            label: of a case.
            where: the case stands, as the error has it.

        Raises:
            InvalidData: it names one.
        """
        if not set(self.named_in(label)) <= set(self.classes):
            raise InvalidData(f"{where} has the unknown label {label!r}; expected one of {', '.join(self.classes)}")

    @abstractmethod
    def encode(self, labels: Sequence[str]) -> IntArray:
        """The truth of cases from their labels."""

    @abstractmethod
    def label(self, decided: Any) -> str:
        """The label of one case, from its row of a truth or a decision."""

    @abstractmethod
    def shows(self, cases: npt.ArrayLike, name: str) -> BoolArray:
        """`(n,)` whether each case of a truth or a decision is of a class, or answers a judged question with yes."""

    def known(self, y_true: npt.ArrayLike, name: str) -> BoolArray:
        """`(n,)` whether the truth tells each case's answer to a class or a judged question."""
        return np.ones(len(np.asarray(y_true)), dtype=bool)

    def indicators(self, cases: npt.ArrayLike) -> IntArray:
        """`(n, K)` 1 where a case of a truth or a decision is of a class, else 0."""
        return np.stack([self.shows(cases, name) for name in self.classes], axis=1).astype(np.int64)

    @abstractmethod
    def checked_cases(self, cases: npt.ArrayLike, n: int, *, what: str = "labels") -> IntArray:
        """A truth or decisions as an array, once they are found to be of n cases.

        Args:
            cases: what was given.
            n: the number of cases.
            what: they are called in an error.

        Raises:
            InvalidData: another shape or type, or a row that this task does not have.
        """

    def checked_probabilities(self, y_prob: npt.ArrayLike) -> FloatArray:
        """Probabilities as an array `(n, K)`, once they are found to be such.

        Raises:
            InvalidData: another shape, or a row that holds no probabilities.
        """
        values = np.asarray(y_prob, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.classes):
            raise InvalidData(
                f"y_prob has shape {values.shape}: give (n, {len(self.classes)}) probabilities, one column a class"
            )
        refuse_row(~np.isfinite(values).all(axis=1), values, "probabilities", "finite probabilities")
        outside = np.any((values < 0) | (values > 1 + SUM_TOLERANCE), axis=1)
        refuse_row(outside, values, "probabilities", "probabilities from 0 to 1, not logits")
        return values

    def thresholds_in_force(self, thresholds: Mapping[str, float] | None = None) -> dict[str, float]:
        """The thresholds that decide, by the name of the class: each as given, or 0.5; empty where none decides."""
        return {name: (thresholds or {}).get(name, HALF) for name in self.judged}

    @abstractmethod
    def targets(self, y_true: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """`(n, outputs)` what the loss is held against."""

    @abstractmethod
    def loss_weights(self, y_true: npt.ArrayLike, *, alike: bool = True) -> npt.NDArray[np.float32] | None:
        """What cases weigh in the loss: `(n,)`, or `(n, outputs)` where outputs weigh apart; their mean is 1.

        Args:
            y_true: the truth of n cases.
            alike: make classes count alike, or nearly. Without, what is not known weighs nothing and all else the
                same, and None says that nothing is weighed.
        """

    @abstractmethod
    def shares(self, y_true: npt.ArrayLike) -> FloatArray:
        """What `share_logits` asks for, of the cases that a network learnt from."""

    def share_logits(self, shares: npt.ArrayLike) -> FloatArray | None:
        """`(outputs,)` what the logits of a network that learnt by `loss_weights` lack of those at the true shares.

        None where the weights know no classes.

        Args:
            shares: as `shares` gives them, each above 0.
        """
        return None

    @abstractmethod
    def probabilities(self, logits: npt.ArrayLike) -> FloatArray:
        """`(n, K)` probabilities, in float64, of logits `(n, outputs)`."""

    @abstractmethod
    def choices(self, y_true: npt.ArrayLike, logits: FloatArray) -> tuple[Choice, ...]:
        """The choices that a network makes apart from one another.

        Args:
            y_true: of n cases.
            logits: `(n, outputs)`.
        """

    @abstractmethod
    def decide(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> IntArray:
        """Decide each case.

        Args:
            y_prob: `(n, K)`.
            thresholds: by the name of each judged class; one that is missing is 0.5.
        """

    def called(self, y_prob: npt.ArrayLike, thresholds: Mapping[str, float] | None = None) -> BoolArray:
        """`(n, questions)` whether each case reaches the threshold of each of the `questions`; 0.5 where none is given.

        Of ordered grades a case may reach that of a higher cut and not that of a lower one: each was chosen for what it
        gives by itself. Prediction sets leave no more than one of such answers standing, see `Abstentions.unsure`.
        """
        given, n = thresholds or {}, len(np.asarray(y_prob))
        reached = [self.score(y_prob, name) >= given.get(name, HALF) for name in self.questions]
        return np.array(reached, dtype=bool).reshape(len(self.questions), n).T

    @abstractmethod
    def truth_of_all(self, y_true: npt.ArrayLike) -> IntArray | None:
        """The truth of a patient of whom there are several images: ill where any of them is, the worst grade of all.

        Args:
            y_true: of his images, one or more.

        Returns:
            A row of a truth; None where the images say different things, of which none is worse.
        """

    def probabilities_of_all(self, y_prob: npt.ArrayLike, way: str) -> FloatArray:
        """`(K,)` what is said of a patient of whom several images were read.

        Args:
            y_prob: `(m, K)` of his images, one or more.
            way: "mean", or "max": of each finding, cut or positive class the highest.

        Raises:
            InvalidOption: another way, or "max" of several classes, whose highest are no probabilities together.
        """
        values = np.asarray(y_prob, dtype=np.float64)
        if way == HIGHEST:
            return self._highest(values)
        if way != MEAN:
            raise InvalidOption(f"by_patient={way!r} is unknown: expected {MEAN} or {HIGHEST}")
        return np.asarray(values.mean(axis=0))

    def _highest(self, y_prob: FloatArray) -> FloatArray:
        raise InvalidOption(
            f"the highest probabilities of {len(self.classes)} classes sum to more than 1, so images are put together "
            f"by the {MEAN}: give --by-patient {MEAN}"
        )

    @abstractmethod
    def is_right(self, y_true: npt.ArrayLike, decided: npt.ArrayLike) -> BoolArray:
        """`(n,)` whether the decision on each case is the truth, as far as it is known."""

    @abstractmethod
    def log_losses(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """`(n,)` the negative log likelihood of each case, its probability raised to 1e-7 where it is lower."""

    @abstractmethod
    def brier_scores(self, y_true: npt.ArrayLike, y_prob: FloatArray) -> FloatArray:
        """`(n,)` the squared error of the probabilities of each case."""

    def answered(self, cases: npt.ArrayLike) -> BoolArray:
        """`(n, answers)` which answers a truth or a decision gives."""
        return self.indicators(cases) == 1

    def strangeness(self, y_prob: npt.ArrayLike) -> FloatArray:
        """`(n, answers)` from 0 to 1, how little each answer fits: what thresholds of prediction sets are held against.

        Args:
            y_prob: `(n, K)`.
        """
        return np.asarray(1 - np.asarray(y_prob, dtype=np.float64))

    def closed(self, sets: BoolArray) -> BoolArray:
        """`(n, answers)` prediction sets with the answers that lie between those in them, where there is an order."""
        return sets

    def foremost(self, label: str, probabilities: Mapping[str, float]) -> str:
        """The class that a reading is mainly about: the most probable one that its label names, or of all if none."""
        return max(self.named_in(label) or self.classes, key=probabilities.__getitem__)

    @abstractmethod
    def evidence(self, activation_map: np.ndarray, name: str) -> np.ndarray:
        """The `(h, w)` evidence in logits for a class or a judged question, of a map `(h, w, outputs)`."""


def refuse_row(wrong: npt.ArrayLike, values: np.ndarray, what: str, expected: str) -> None:
    """Refuse arrays of which a row is wrong.

    Args:
        wrong: `(n,)` which rows are.
        values: `(n, ...)`.
        what: they are called in the error.
        expected: in their place.

    Raises:
        InvalidData: one is.
    """
    if np.any(wrong):
        row = int(np.argmax(wrong))
        raise InvalidData(f"row {row} (from 0) of the {what} has {values[row]}: give {expected}")
