"""The fields of a reading, each described once: JSON, CSV, data frame, schema, log and page take them from here."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping
from typing import Any

from overread.decision.referral import UNCERTAIN, UNFAMILIAR
from overread.decision.task import Task
from overread.reading.columns import (
    Column,
    class_columns,
    frame_columns,
    label_columns,
    question_columns,
    six_digits,
)
from overread.reading.exams.frame import Frame, ReadFrames
from overread.reading.question import UNSURE, Question


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that a reading says of an image, and a failure does not.

    Args:
        name: the attribute of a `Reading`, the key in JSON, the column in CSV and log.
        description: what it tells.
        schema: of its value in JSON.
        example: of its value in JSON.
        of_all: whether the readings of every task have it.
        of_exams: whether those of exams alone have it.
        text: writes a value into a cell of the CSV.
        spread: over how many columns a value goes, by task; None for a value that is one cell.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    example: Any
    of_all: bool = True
    of_exams: bool = False
    text: Callable[[Any], str] = str
    spread: Callable[[Task], list[Column]] | None = None

    def columns(self, task: Task | None) -> list[Column]:
        """The columns of a table that hold it, of readings by a bundle with this task; None where nothing was read."""
        if self.spread is not None:
            return [] if task is None else self.spread(task)
        kind = self.schema["type"]
        return [
            Column(self.name, operator.attrgetter(self.name), kind if isinstance(kind, str) else kind[0], self.text)
        ]


_QUESTION_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "probability", "threshold", "answer"],
    "properties": {
        "name": {"type": "string"},
        "probability": {"type": "number", "minimum": 0, "maximum": 1},
        "threshold": {"type": "number"},
        "answer": {"enum": ["present", "absent", "yes", "no", UNSURE]},
    },
}

_FRAME_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["number", "share", "evidence"],
    "properties": {
        "number": {"type": "integer", "minimum": 1},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "evidence": {"type": "number"},
        "path": {"type": "string"},
        "frame": {"type": "integer", "minimum": 1},
        "position_mm": {"type": "number"},
        "box": {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4},
    },
}

FIELDS = (
    Field(
        name="predicted_label",
        description=(
            "The class decided on: of two by the operating point, of more the most probable, of ordered grades the "
            "median; of several findings those at or above their operating points, with bars between them. Where refer "
            "holds unfamiliar, show no class: tell that the image was not read, since it is unlike the training images."
        ),
        schema={"type": "string"},
        example="PNEUMONIA",
    ),
    Field(
        name="probabilities",
        description="Calibrated, by class; they sum to 1, but not of several findings or tasks.",
        schema={
            "type": "object",
            "minProperties": 2,
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        },
        example={"NORMAL": 0.031, "PNEUMONIA": 0.969},
        spread=class_columns,
    ),
    Field(
        name="positive",
        description="Of two classes, whether the probability of the positive one reaches the operating point.",
        schema={"type": ["boolean", "null"]},
        example=True,
        text=lambda value: str(value).lower(),
    ),
    Field(
        name="threshold",
        description="The operating point of two classes; null for anything else, see questions.",
        schema={"type": ["number", "null"]},
        example=0.62,
        text=six_digits,
    ),
    Field(
        name="prediction_set",
        description=(
            "What the image could be: the classes that cannot be ruled out at the coverage of the bundle. Of several "
            "findings, each, and the absence of each as 'no ...'."
        ),
        schema={"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        example=["PNEUMONIA"],
        text=";".join,
    ),
    Field(
        name="unfamiliarity",
        description="Above 1 the image is unlike the training images.",
        schema={"type": "number", "minimum": 0},
        example=0.41,
        text=lambda value: f"{value:.4f}",
    ),
    Field(
        name="refer",
        description=(
            "Why a human should read the image; empty where nothing speaks against the reading. With unfamiliar the "
            "image counts as not read; with uncertain show prediction_set, what the image could be, beside the class."
        ),
        schema={"type": "array", "items": {"enum": [UNCERTAIN, UNFAMILIAR]}, "uniqueItems": True},
        example=[],
        text=";".join,
    ),
    Field(
        name="questions",
        description=(
            "Of several findings or ordered grades: each finding, the most certain one first, or each clinical cut, "
            "with its probability and its own operating point. Where the answer is unsure, a human should look; a "
            "finding that is unsure in every image, for want of validation images, refers none."
        ),
        schema={"type": "array", "items": _QUESTION_SCHEMA, "minItems": 1},
        example=[{"name": "Effusion", "probability": 0.81, "threshold": 0.42, "answer": "present"}],
        of_all=False,
        spread=question_columns,
    ),
    Field(
        name="predicted_labels",
        description="Of several tasks in one pass: the label of each.",
        schema={"type": "object", "minProperties": 2, "additionalProperties": {"type": "string"}},
        example={"retinopathy": "2", "oedema": "1"},
        of_all=False,
        spread=label_columns,
    ),
    Field(
        name="frames",
        description="Of an exam: how many frames, slices or tiles were read. Its path is the name of the exam.",
        schema={"type": "integer", "minimum": 1},
        example=40,
        of_all=False,
        of_exams=True,
        spread=lambda task: [Column("frames", lambda found: len(found.frames), "integer", str)],
    ),
    Field(
        name="best_frame",
        description=(
            "Of an exam: the frame that gave most to the answer, whose map is shown. Its number counts from 1. Its "
            "share is its part in the pooling, and those of all frames sum to 1; its evidence is what it gave to the "
            "logit of the class decided on, before calibration, and that of all frames sums to the logit. Then its "
            "file, the number of the frame in it, its place along the slices, and of a slide the tile's left, top, "
            "width and height in pixels of the largest level, as far as there are such."
        ),
        schema=_FRAME_SCHEMA,
        example={"number": 23, "share": 0.025, "evidence": 0.31, "path": "brain.nii.gz", "frame": 23},
        of_all=False,
        of_exams=True,
        spread=frame_columns,
    ),
    Field(
        name="notes",
        description="Of an exam: how its files were understood, as order, range, and what was left out.",
        schema={"type": "array", "items": {"type": "string"}},
        example=["40 slices in the order of their positions"],
        of_all=False,
        of_exams=True,
        text="; ".join,
    ),
)


def reading_columns(task: Task | None, *, of_exams: bool = False) -> list[Column]:
    """The columns of what readings of this task say; those that every task has where nothing was read."""
    return [column for field in FIELDS if of_exams or not field.of_exams for column in field.columns(task)]


def column_names(task: Task | None, *, of_exams: bool = False) -> list[str]:
    """The columns of a table of readings by a bundle with this task."""
    return ["path", *(column.name for column in reading_columns(task, of_exams=of_exams)), "error"]


def as_json(found: Any, *, path: str | None, error: str | None = None) -> dict[str, Any]:
    """A reading, or its row in the log, as JSON values; every field is None where found is None, as of a failure."""
    said = {field.name: json_value(getattr(found, field.name, None)) for field in FIELDS}
    told = {field.name for field in FIELDS if field.of_all or said[field.name]}
    return {"path": path, **{name: value for name, value in said.items() if name in told}, "error": error}


def reading_schema() -> dict[str, Any]:
    """The JSON schema of a reading or failure: a line of `overread predict --json`, and `result` in the API."""
    path = {
        "description": "The image as it was named; null from the reading log, which keeps no names.",
        "type": ["string", "null"],
    }
    read = {field.name: {"description": field.description, **field.schema} for field in FIELDS}
    failed = {field.name: {"type": "null"} for field in FIELDS if field.of_all}
    error = {"description": "Why, and what to do.", "type": "string", "minLength": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Reading",
        "description": "What a bundle says of one image, or why it says nothing.",
        "oneOf": [
            _object("Reading of an image", {"path": path, **read, "error": {"type": "null"}}),
            _object("Image that could not be read", {"path": path, **failed, "error": error}),
        ],
    }


def json_value(value: Any) -> Any:
    """A value as `json` writes and gives it back."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Question | Frame):
        return value.to_dict()
    if isinstance(value, ReadFrames):
        return len(value)
    return [json_value(one) for one in value] if isinstance(value, tuple) else value


def _object(title: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    some = {field.name for field in FIELDS if not field.of_all}
    return {
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": [name for name in properties if name not in some],
        "properties": properties,
    }
