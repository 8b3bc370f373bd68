"""A question that a reading answers by itself: whether a finding is there, or a clinical cut reached."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from overread.decision.cuts import FloatArray
from overread.decision.referral import Abstentions
from overread.decision.task import HALF, Task

UNSURE = "unsure"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """A finding or a cut, with the operating point that it is held against.

    Args:
        name: of the finding, or of the cut: "2 or more".
        probability: of yes, calibrated.
        threshold: the operating point; at or above it the answer is yes.
        answer: "present" or "absent" of a finding, "yes" or "no" of a cut; of both "unsure", where what cannot be ruled
            out does not bear out the operating point: a human should look.
        rare: whether one of its answers is never ruled out, for want of images to learn from; being unsure then refers
            no image.
    """

    name: str
    probability: float
    threshold: float
    answer: str
    rare: bool = False

    @property
    def reached(self) -> bool:
        """Whether the probability reaches the operating point, sure or not."""
        return self.probability >= self.threshold

    @property
    def unsure(self) -> bool:
        """Whether the reading is unsure of it."""
        return self.answer == UNSURE

    @property
    def doubtful(self) -> bool:
        """Whether a human should look."""
        return self.unsure and not self.rare

    def to_dict(self) -> dict[str, Any]:
        """What is told of it, as JSON values."""
        return {name: getattr(self, name) for name in ("name", "probability", "threshold", "answer")}


def questions_told(
    y_prob: FloatArray, abstentions: Abstentions, thresholds: Mapping[str, float]
) -> list[tuple[Question, ...]]:
    """What is told of each question of the task, for each of n images.

    Args:
        y_prob: `(n, K)`.
        abstentions: what speaks against the n readings.
        thresholds: the operating points by question.
    """
    task, rare = abstentions.task, rare_questions(abstentions.task, abstentions.always)
    asked = [(name, thresholds.get(name, HALF), task.score(y_prob, name)) for name in task.questions]
    return [
        most_certain_first(
            (
                _told(task, name, float(scores[i]), threshold, unsure=bool(unsure), rare=name in rare)
                for (name, threshold, scores), unsure in zip(asked, doubts, strict=True)
            ),
            task,
        )
        for i, doubts in enumerate(abstentions.unsure)
    ]


def rare_questions(task: Task, always: Collection[str]) -> tuple[str, ...]:
    """The questions of which an answer is never ruled out, and which by themselves refer no image.

    Args:
        task: whose questions.
        always: answers that are in every prediction set, as `Referral.always` gives them.
    """
    counted = task.counted(always)
    return tuple(name for name in task.questions if not counted[task.says(name) >= 0].any())


def most_certain_first(questions: Iterable[Question], task: Task) -> tuple[Question, ...]:
    """Findings that are there, then those that may be, then the others, each the most probable first.

    Cuts stay in their order, and each of several tasks has its own after one another.
    """
    by_name = {one.name: one for one in questions}
    if task.parts:
        own = ((part, task.of_part(name, by_name).values()) for name, part in task.parts.items())
        return tuple(one for part, found in own for one in most_certain_first(found, part))
    return tuple(by_name.values()) if task.exclusive else tuple(sorted(by_name.values(), key=_uncertainty))


def _told(task: Task, name: str, probability: float, threshold: float, *, unsure: bool, rare: bool) -> Question:
    answer = UNSURE if unsure else task.reply(name, yes=probability >= threshold)
    return Question(name=name, probability=probability, threshold=threshold, answer=answer, rare=rare)


def _uncertainty(found: Question) -> tuple[int, float]:
    return (1 if found.unsure else 0 if found.reached else 2, -found.probability)
