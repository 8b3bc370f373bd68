"""One labelled image, and the names that a split and a patient go by."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path

from overread.errors import InvalidData
from overread.formats import Instance
from overread.machine.content.text import storable

SPLITS = ("train", "val", "test")
SPLIT_ALIASES = {
    "train": "train",
    "training": "train",
    "trainset": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "validate": "val",
    "valset": "val",
    "test": "test",
    "testing": "test",
    "testset": "test",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Case:
    """One labelled image or exam: where it is, what it shows, whose it is and on which side of the split it stands.

    An exam is images with one answer; its `instances` are their files and frames, `path` is the first of these, and
    `files` are their names. Of a single image there are none.

    `name` is the path within the data as the user knows it; `frame` says which frame of the file is meant, from 1 as
    DICOM counts, and is None where there is only one; `group` is what images that show one picture have in common, once
    they were looked for, and None where an image has no copy; `extra` holds the further columns of a CSV, and `rows`
    what those of the table say that name the image, where several do; `row` is the number of its row, and `exam` names
    the exam of an image of which the row is about others too, before these are gathered.

    Raises:
        InvalidData: the frame is no number from 1.
    """

    path: Path
    name: str
    label: str
    patient_id: str | None = None
    split: str | None = None
    frame: int | None = None
    group: str | None = None
    extra: Mapping[str, str] = dataclasses.field(default_factory=dict)
    rows: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    files: tuple[str, ...] = ()
    row: int | None = None
    exam: str | None = None

    def __post_init__(self) -> None:
        if self.frame is not None and (type(self.frame) is not int or self.frame < 1):
            raise InvalidData(f"a case has the frame {self.frame!r}; expected a whole number from 1, or none")

    @property
    def full_name(self) -> str:
        """The name, with the frame where one is named."""
        return self.name if self.frame is None else f"{self.name} (frame {self.frame})"

    @property
    def parts(self) -> tuple[Case, ...]:
        """The image itself, or a case for each instance of an exam, under its own name."""
        if not self.instances:
            return (self,)
        names = self.files or (self.name,) * len(self.instances)
        return tuple(
            dataclasses.replace(self, path=one.path, name=name, frame=one.frame, instances=(), files=(), exam=self.name)
            for one, name in zip(self.instances, names, strict=True)
        )

    @property
    def counts_as(self) -> str:
        """Who the image counts as, where people are counted: its patient, else its copies, else itself.

        Frames of one file stand for one person.
        """
        if self.group and not self.patient_id:
            return f"copies {self.group}"
        return counts_as(self.patient_id, self.name)


def counts_as(patient_id: str | None, image: str) -> str:
    """Name who an image counts as: its patient, else, where none is known, nobody but itself.

    Args:
        patient_id: None or "" for an unknown one.
        image: what tells it from all other images.
    """
    return f"patient {patient_id}" if patient_id else f"image {image}"


def pseudonym(patient_id: str | None) -> str:
    """A name for a patient that does not show the id it stands for; empty for no id."""
    if not patient_id:
        return ""
    return "p-" + hashlib.blake2b(storable(patient_id).encode(), digest_size=8, person=b"overread").hexdigest()
