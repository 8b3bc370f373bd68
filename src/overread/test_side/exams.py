"""Test exams to look at: some that were read rightly and surely, with the frames that gave most."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from overread.evaluation import Predictions
from overread.images import DataSet
from overread.reading.exams.frame import ReadFrames
from overread.reading.exams.look import Look
from overread.reading.exams.picture import MOST_SHOWN
from overread.reading.reader import Reader
from overread.reading.reading import Reading

_MOST_EXAMS = 4


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class ShownExam:
    """An exam with looks at some of its frames.

    Args:
        truth: its label.
        reading: of it.
        looks: at the frames that gave most, the first first.
    """

    truth: str
    reading: Reading
    looks: tuple[Look, ...]

    @property
    def frames(self) -> ReadFrames:
        """All its frames."""
        return _frames(self.reading)


def shown_exams(
    reader: Reader, data_set: DataSet, positions: Sequence[int], predictions: Predictions
) -> tuple[ShownExam, ...]:
    """Of each of four classes at most the exam that was read rightly with the highest probability, looked at anew."""
    task, found = predictions.task, list[ShownExam]()
    y_true, y_prob = np.asarray(predictions.y_true), np.asarray(predictions.y_prob)
    right = task.is_right(y_true, predictions.decisions)
    for name in reversed(task.classes):
        of_class = np.flatnonzero(right & task.shows(y_true, name))
        if not of_class.size or len(found) == _MOST_EXAMS:
            continue
        row = int(of_class[np.argmax(task.score(y_prob[of_class], name))])
        with data_set.exam(positions[row]) as exam:
            reading = reader.read_open(predictions.cases[row], exam)
            looks = [reader.look(exam, frame.index) for frame in _frames(reading).top(MOST_SHOWN)]
        found.append(ShownExam(truth=task.label(y_true[row]), reading=reading, looks=tuple(looks)))
    return tuple(found)


def _frames(reading: Reading) -> ReadFrames:
    if not isinstance(reading.frames, ReadFrames):
        raise TypeError("a reading of an exam has frames")
    return reading.frames
