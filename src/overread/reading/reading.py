"""What is said of one image."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from overread.decision.referral import UNCERTAIN
from overread.decision.task import Task
from overread.decision.tasks.several_tasks import SAYS
from overread.errors import InvalidOption
from overread.reading.exams.frame import Frame, ReadFrames
from overread.reading.fields import as_json
from overread.reading.question import Question


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Reading:
    """What a bundle says of one image.

    Args:
        path: as it was named.
        task: what the bundle tells apart.
        predicted_label: the class decided on: of two by the operating point, of more the most probable, of ordered
            grades the median; or the findings at or above their operating points, and so for each of several tasks.
        probabilities: of each class, calibrated; they sum to 1 where an image is of exactly one.
        threshold: the operating point; None where no class's probability alone decides.
        activation_map: `(h, w, outputs)` float32, the evidence at each position in logits, whose mean is the logit
            (before calibration; of an ensemble, the mean of its members').
        pixels: `(height, width, channels)` uint8, the image as the network saw it.
        prediction_set: the answers of the task that cannot be ruled out at the coverage of `Bundle.referral`; none, one
            or several.
        unfamiliarity: how unlike the training images it is (see `Familiarity`), over the 99th percentile of validation
            images: above 1 it is unlike them. Of an ensemble, the mean of its networks'.
        refer: why a human should read it: "uncertain" (the prediction set is not exactly the predicted label) and
            "unfamiliar"; empty where nothing speaks against the reading.
        projection: `(k,)` float32, up to 16 whitened principal components of the features, to watch for drift; of
            an ensemble, those of its first network.
        questions: the findings or clinical cuts that are told one by one, the most certain findings first; empty where
            the predicted label says it all.
        frames: of an exam, its frames in order, as `ReadFrames`; none of an image. `activation_map` and `pixels` are
            those of the one with most evidence.
        notes: what a user should know of how an exam was opened: order, range, what was left out.
    """

    path: str
    task: Task
    predicted_label: str
    probabilities: Mapping[str, float]
    threshold: float | None
    activation_map: np.ndarray
    pixels: np.ndarray
    prediction_set: tuple[str, ...]
    unfamiliarity: float
    refer: tuple[str, ...]
    projection: np.ndarray
    questions: tuple[Question, ...] = ()
    frames: Sequence[Frame] = ()
    notes: tuple[str, ...] = ()

    @property
    def best_frame(self) -> Frame | None:
        """The frame of an exam that gave most to its answer, whose map and pixels these are; None of an image."""
        return self.frames[self.frames.shown] if isinstance(self.frames, ReadFrames) else None

    @functools.cached_property
    def parts(self) -> Mapping[str, Reading]:
        """What is said of each of several tasks, as if it were alone; empty where there is one only."""
        found, first = {}, 0
        for name, task in self.task.parts.items():
            found[name] = self._part(name, task, slice(first, first + task.outputs))
            first += task.outputs
        return found

    @property
    def predicted_labels(self) -> Mapping[str, str] | None:
        """The label of each of several tasks; None where there is one only."""
        return {name: part.predicted_label for name, part in self.parts.items()} or None

    @property
    def positive(self) -> bool | None:
        """Whether the positive class is the one decided on; None where the task has no positive class."""
        return None if self.task.positive is None else self.predicted_label == self.task.positive

    @property
    def probability(self) -> float:
        """The probability that the decision rests on: of the positive class, else of the one decided on."""
        return self.probabilities[self.task.positive or self.foremost]

    @property
    def foremost(self) -> str:
        """The class that the reading is mainly about: the one decided on."""
        return self.task.foremost(self.predicted_label, self.probabilities)

    @property
    def mapped(self) -> str:
        """What a map shows unless something else is named: the class decided on, or the highest cut that is reached."""
        for name, part in self.parts.items():
            return name + SAYS + part.mapped
        names = [one.name for one in self.questions]
        if not names or self.foremost in names:
            return self.foremost
        return ([one.name for one in self.questions if one.reached] or names[:1])[-1]

    def evidence(self, name: str | None = None) -> np.ndarray:
        """The `(h, w)` evidence for a class or a cut in logits, coarse as the last layer of the network.

        Args:
            name: of the class or cut; by default `mapped`.

        Raises:
            InvalidOption: the bundle has no such class.
        """
        name = self.mapped if name is None else name
        require_class(name, self.task)
        return self.task.evidence(self.activation_map, name)

    def to_dict(self) -> dict[str, Any]:
        """The reading as plain values, without arrays."""
        return as_json(self, path=self.path)

    def __repr__(self) -> str:
        refer = f", refer: {' and '.join(self.refer)}" if self.refer else ""
        probability = "" if self.questions else f", probability {self.probability:.3f}"
        return f"Reading({self.path!r}: {self.predicted_label}{probability}{refer})"

    def _repr_html_(self) -> str:
        """For notebooks: the image as the network saw it, and the decision in words."""
        # Loaded by notebooks only: a server that reads shows nothing.
        from overread.reading.notebook import reading_html

        return reading_html(self)

    def _part(self, name: str, task: Task, outputs: slice) -> Reading:
        own = self.task.of_part(name, dict.fromkeys(self.task.named_in(self.predicted_label)))
        label, held = task.label_of(tuple(own)), tuple(self.task.of_part(name, dict.fromkeys(self.prediction_set)))
        questions = self.task.of_part(name, {one.name: one for one in self.questions})
        refer = tuple(reason for reason in self.refer if reason != UNCERTAIN)
        if any(one.doubtful for one in questions.values()) if not task.exclusive else held != (label,):
            refer = (UNCERTAIN, *refer)
        probabilities, frames = self.task.of_part(name, self.probabilities), self.frames
        if isinstance(frames, ReadFrames):
            frames = frames.about(task, task.foremost(label, probabilities), outputs)
        return dataclasses.replace(
            self,
            task=task,
            predicted_label=label,
            probabilities=probabilities,
            frames=frames,
            threshold=None if task.positive is None else questions[task.positive].threshold,
            activation_map=self.activation_map[..., outputs],
            prediction_set=held,
            refer=refer,
            questions=tuple(
                dataclasses.replace(one, name=own) for own, one in questions.items() if own in task.questions
            ),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """An image that could not be read, and why."""

    path: str
    error: str

    def to_dict(self) -> dict[str, Any]:
        """The failure under the keys of a reading."""
        return as_json(None, path=self.path, error=self.error)


def require_class(name: str, task: Task) -> None:
    """Refuse the name of a class or judged question that a task does not have.

    Raises:
        InvalidOption: it is none.
    """
    known = tuple(dict.fromkeys((*task.classes, *task.questions)))
    if name not in known:
        raise InvalidOption(f"the bundle has no {task.noun[0]} {name!r}: expected one of {', '.join(known)}")
