"""Which columns a table of readings has for classes, questions and parts of a task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from overread.decision.task import Task
from overread.machine.remote import public_name

# Of the name of a column, before that of a class.
PROBABILITY = "probability_"
# And before that of a question.
ANSWER = "answer_"


class Column(NamedTuple):
    """A column of a table of readings.

    Args:
        name: over it.
        value: of a reading.
        kind: the type of its values in JSON.
        text: writes a value into a cell of the CSV.
    """

    name: str
    value: Callable[[Any], Any]
    kind: str
    text: Callable[[Any], str]


def six_digits(value: float) -> str:
    """A number as a cell of the CSV."""
    return f"{value:.6f}"


def class_columns(task: Task) -> list[Column]:
    """The probability of each class."""
    return [
        Column(f"{PROBABILITY}{name}", _of_mapping("probabilities", name), "number", six_digits)
        for name in task.classes
    ]


def question_columns(task: Task) -> list[Column]:
    """Of each question its threshold and answer, and its probability where no class has it."""
    return [
        column
        for name in task.questions
        for column in (
            *([] if name in task.classes else [_of_question("probability", name, "number", six_digits)]),
            _of_question("threshold", name, "number", six_digits),
            _of_question("answer", name, "string", str),
        )
    ]


def label_columns(task: Task) -> list[Column]:
    """The label of each of several tasks."""
    return [
        Column(f"predicted_label_{name}", _of_mapping("predicted_labels", name), "string", str) for name in task.parts
    ]


def frame_columns(task: Task) -> list[Column]:
    """Which frame of an exam gave most: its number, its file, and what it gave."""
    return [
        Column("best_frame", lambda found: found.best_frame.index + 1, "integer", str),
        Column("best_frame_path", lambda found: public_name(found.best_frame.origin.path), "string", str),
        Column("best_frame_share", lambda found: found.best_frame.share, "number", six_digits),
        Column("best_frame_evidence", lambda found: found.best_frame.evidence, "number", six_digits),
    ]


def _of_mapping(attribute: str, name: str) -> Callable[[Any], Any]:
    return lambda found: getattr(found, attribute)[name]


def _of_question(attribute: str, name: str, kind: str, text: Callable[[Any], str]) -> Column:
    def value(found: Any) -> Any:
        return next(getattr(one, attribute) for one in found.questions if one.name == name)

    return Column(f"{attribute}_{name}", value, kind, text)
