"""What a network tells apart and how it decides, in the sentences that model card and checklists share."""

from __future__ import annotations

from collections.abc import Callable

from overread.decision.task import Task
from overread.words import listed


def aim(task: Task) -> str:
    """Say what a network does."""
    if task.parts:
        return _by_part(task, aim)
    if not task.exclusive:
        return f"finds {listed(task.classes)}"
    if task.ordered:
        return f"grades images as {listed(task.classes, 'or')}, in this order"
    return f"tells apart {listed(task.classes)}"


def gives(task: Task) -> str:
    """Say of what it gives probabilities."""
    if task.parts:
        return _by_part(task, gives)
    if not task.exclusive:
        return f"of each of {listed(task.classes)} the probability that it is there"
    positive = f" ({task.positive} is the positive class)" if task.positive else ""
    ordered = f", which are ordered {task.noun[1]}" if task.ordered else ""
    return f"the probability of {listed(task.classes)}{positive}{ordered}"


def decided(task: Task, when: str) -> str:
    """Say how probabilities become a decision, where no class is the positive one.

    Args:
        task: what is told apart.
        when: the thresholds were chosen, in words.
    """
    if task.parts:
        return " ".join(f"{name}: {decided(part, when)}" for name, part in task.parts.items())
    if task.positive:
        return f"{task.positive} is called where its probability reaches a threshold that was chosen on {when}."
    one = task.judged_noun[0]
    if task.thresholds_in_force():
        return f"Each {one} is called where its probability reaches a threshold of its own, chosen on {when}."
    alone = f"{one} alone" if not task.questions else one
    return f"{task.decided_on.capitalize()} is decided on. A threshold for each {alone} was chosen on {when}."


def weighted(task: Task) -> str:
    """Say what cases weigh in the loss."""
    if not task.questions:
        return "Classes are weighted in the loss so that each counts alike, a case at most ten times another."
    return (
        "Of each question that an output answers the rarer answer weighs more in the loss, at most ten times as much."
    )


def _by_part(task: Task, say: Callable[[Task], str]) -> str:
    return "; ".join(f"{say(part)} ({name})" for name, part in task.parts.items())
