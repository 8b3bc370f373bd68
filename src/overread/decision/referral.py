"""Which readings are referred to a human, and why."""

from __future__ import annotations

import dataclasses

import numpy as np

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.task import BoolArray, Task

UNCERTAIN = "uncertain"
UNFAMILIAR = "unfamiliar"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Abstentions:
    """What speaks against the readings of n images.

    Args:
        task: what is told apart.
        sets: `(n, answers)`, the answers that cannot be ruled out.
        decided: the decisions on n images, as the task has them.
        unfamiliarity: `(n,)`, above 1 where an image is unlike the training images.
        called: `(n, questions)`, which of `Task.questions` are answered with yes, as `Task.called` gives it; by
            default those that the decisions do.
        always: answers that are in every set for want of cases, as `Referral.always` gives them.
    """

    task: Task
    sets: BoolArray
    decided: IntArray
    unfamiliarity: FloatArray
    called: BoolArray | None = None
    always: tuple[str, ...] = ()

    def of_part(self, name: str, rows: IntArray) -> Abstentions:
        """What speaks against what is said of one of several tasks.

        Args:
            name: of a part of the task.
            rows: the images that are asked for.
        """
        task = self.task
        answers, questions = (
            list(task.of_part(name, {one: column for column, one in enumerate(names)}).values())
            for names in (task.answers, task.questions)
        )
        # A task of two classes has a question here and none by itself.
        own = len(task.parts[name].questions)
        return Abstentions(
            task=task.parts[name],
            sets=self.sets[rows][:, answers],
            decided=task.cases_of(name, self.decided)[rows],
            unfamiliarity=self.unfamiliarity[rows],
            called=None if self.called is None else self.called[rows][:, questions[:own]],
            always=tuple(task.of_part(name, dict.fromkeys(self.always))),
        )

    @property
    def uncertain(self) -> BoolArray:
        """`(n,)`: the set is not exactly what was decided; findings that are never sure don't count."""
        counted = self.task.counted(self.always)
        return np.asarray((self.sets != self.task.answered(self.decided))[:, counted].any(axis=1))

    @property
    def yes(self) -> BoolArray:
        """`(n, questions)`: a question of the task is answered with yes."""
        if self.called is not None:
            return self.called
        shown = [self.task.shows(self.decided, name) for name in self.task.questions]
        return np.array(shown, dtype=bool).reshape(len(shown), len(self.sets)).T

    @property
    def unsure(self) -> BoolArray:
        """`(n, questions)`, in the order of `Task.questions`: the set does not bear out the answer to a question.

        An answer is sure where the set holds some answer that says so, and none that says the opposite. So a finding is
        unsure where its presence and its absence are both in the set, or neither, or the other one; a cut of ordered
        grades where the grades in the set do not all lie on the side that its operating point tells. No image is sure
        to reach a higher cut and not a lower one.
        """
        yes = self.yes
        sure = np.zeros_like(yes)
        for i, name in enumerate(self.task.questions):
            sure[:, i] = (self._may_be(name, 1) == yes[:, i]) & (self._may_be(name, 0) != yes[:, i])
        return ~sure

    @property
    def unfamiliar(self) -> BoolArray:
        """`(n,)`: the image is unlike the training images; NaN counts as unlike."""
        return np.asarray(~(self.unfamiliarity <= 1))

    @property
    def referred(self) -> BoolArray:
        """`(n,)`: there is a reason."""
        return self.uncertain | self.unfamiliar

    @property
    def reasons(self) -> list[tuple[str, ...]]:
        """The reasons of each image; empty where nothing speaks against its reading."""
        found = zip(self.uncertain.tolist(), self.unfamiliar.tolist(), strict=True)
        return [(UNCERTAIN,) * uncertain + (UNFAMILIAR,) * unfamiliar for uncertain, unfamiliar in found]

    def _may_be(self, name: str, answer: int) -> BoolArray:
        """`(n,)`: the set holds an answer that says yes (1) or no (0) to a question."""
        return np.asarray(self.sets[:, self.task.says(name) == answer].any(axis=1))
