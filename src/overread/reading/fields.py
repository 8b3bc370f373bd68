"""The fields of a reading, each described once: JSON, CSV, data frame, schema, log and page take them from here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from overread.decision.referral import UNCERTAIN, UNFAMILIAR


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that a reading says of an image, and a failure does not.

    Args:
        name: the attribute of a `Reading`, the key in JSON, the column in CSV and log.
        description: what it tells.
        schema: of its value in JSON.
        example: of its value in JSON.
        text: writes a value into a cell of the CSV.
        each: of a value by class, the start of the name of each class's column; None for a value that is one cell.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    example: Any
    text: Callable[[Any], str] = str
    each: str | None = None

    def columns(self, classes: Sequence[str]) -> list[str]:
        """The columns of a table that hold it."""
        return [self.name] if self.each is None else [f"{self.each}_{name}" for name in classes]

    def values(self, found: Any, classes: Sequence[str]) -> list[Any]:
        """Its values in these columns, of a reading or of None, which has none."""
        value = getattr(found, self.name, None)
        if self.each is None:
            return [value]
        return [None if value is None else value[name] for name in classes]

    def cells(self, found: Any, classes: Sequence[str]) -> list[str]:
        """Its values as text, empty where there is none."""
        return ["" if value is None else self.text(value) for value in self.values(found, classes)]


def _six_digits(value: float) -> str:
    return f"{value:.6f}"


FIELDS = (
    Field(
        name="predicted_label",
        description=(
            "The class decided on: of two by the operating point, of more the most probable. Where refer holds "
            "unfamiliar, show no class: tell that the image was not read, since it is unlike the training images."
        ),
        schema={"type": "string"},
        example="PNEUMONIA",
    ),
    Field(
        name="probabilities",
        description="Calibrated, by class; they sum to 1.",
        schema={
            "type": "object",
            "minProperties": 2,
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        },
        example={"NORMAL": 0.031, "PNEUMONIA": 0.969},
        text=_six_digits,
        each="probability",
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
        description="The operating point; null for more than two classes.",
        schema={"type": ["number", "null"]},
        example=0.62,
        text=_six_digits,
    ),
    Field(
        name="prediction_set",
        description="What the image could be: the classes that cannot be ruled out at the coverage of the bundle.",
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
)


def column_names(classes: Sequence[str]) -> list[str]:
    """The columns of a table of readings by a bundle with these classes."""
    return ["path", *(name for field in FIELDS for name in field.columns(classes)), "error"]


def as_json(found: Any, *, path: str | None, error: str | None = None) -> dict[str, Any]:
    """A reading, or its row in the log, as JSON values; every field is None where found is None, as of a failure."""
    said = {field.name: _plain(getattr(found, field.name, None)) for field in FIELDS}
    return {"path": path, **said, "error": error}


def reading_schema() -> dict[str, Any]:
    """The JSON schema of a reading or failure: a line of `overread predict --json`, and `result` in the API."""
    path = {
        "description": "The image as it was named; null from the reading log, which keeps no names.",
        "type": ["string", "null"],
    }
    read = {field.name: {"description": field.description, **field.schema} for field in FIELDS}
    failed = {field.name: {"type": "null"} for field in FIELDS}
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


def _object(title: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    names = list(properties)
    return {
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "required": names,
        "properties": properties,
    }


def _plain(value: Any) -> Any:
    """A value as `json` writes and gives it back."""
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value
