"""Where the cases of a study are read from, and how what lies there is to be understood."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from overread.cases.exams.gathering import COLUMN, PATTERN, WAYS, Gathering
from overread.cases.relabel import read_mapping
from overread.errors import InvalidOption
from overread.machine.option import option
from overread.machine.remote import is_remote, place
from overread.words import listed

# In place of tables: labels are the names of class folders.
FOLDERS = "folders"
# What settles whether classes are grades.
ORDERED, UNORDERED = "--ordered", "--no-ordered"
_CHOICES = {
    "uncertain": ("ignore", "present", "absent"),
    "blank": ("ignore", "absent"),
    "labels_of": ("auto", "exam", "image"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """Where the cases of a study are read from; what is None or empty is found out.

    Args:
        data: a folder of images or a table of labels; by default the images, or the folder that the labels lie in.

    Raises:
        InvalidOption: nothing is named, or by something that is no text.
    """

    data: str = ""
    labels: tuple[str, ...] = option(
        (),
        "Table of labels (CSV, TSV or XLSX), one for each side of a split or one for all; may be repeated. "
        "'folders' takes the class folders where tables lie beside them.",
        panel="Labels",
        kind=list[str],
    )
    images: str | None = option(
        None,
        "Folder that the images of the tables lie in, or a pattern of their names, as '*_T1w.nii.gz'; by default the "
        "data.",
        panel="Labels",
    )
    image_column: str | None = option(
        None, "Column of the tables that names the image; of one exam, several as LEFT+RIGHT.", panel="Labels"
    )
    label_column: str | tuple[str, ...] | None = option(
        (),
        "Column that says what the image shows; of several with a 1 each the first and last, as MEL..UNK. Repeated, "
        "one network learns several tasks.",
        panel="Labels",
        kind=list[str],
    )
    patient_column: str | None = option(None, "Column that names the patient.", panel="Labels")
    split_column: str | None = option(None, "Column that says train, val or test.", panel="Labels")
    finding: str | None = option(
        None, "One of several findings that an image may show: it alone is told apart from all else.", panel="Labels"
    )
    uncertain: Literal["ignore", "present", "absent"] = option(
        "ignore",
        "What a finding of -1 is taken as: ignore (not known), present or absent.",
        panel="Labels",
        kind=str,
    )
    blank: Literal["ignore", "absent"] = option(
        "ignore",
        "What a finding of an empty cell is taken as: ignore (not known) or absent.",
        panel="Labels",
        kind=str,
    )
    ordered: bool | None = option(
        None, "The labels are grades with an order, or are not.", panel="Labels", flag="--ordered/--no-ordered"
    )
    grades: str | None = option(
        None, "The names of the grades, the lowest first, as 'none,mild,severe'.", panel="Labels"
    )
    cut: tuple[str, ...] = option(
        (),
        "Grade from which on a case counts as ill, judged as '2 or more'; by default each. May be repeated.",
        panel="Labels",
        kind=list[str],
    )
    cut_at: str | None = option(
        None,
        "Number from which on the label column, such as an age, is one class and below it the other; or median, of all "
        "cases.",
        panel="Labels",
    )
    mapping: Mapping[str, str] = option(
        None,
        "Labels by other names: 'old=new,old2=' merges classes or findings, and leaves out images or a finding; may be "
        "repeated.",
        panel="Labels",
        flag="--map --merge",
        kind=list[str] | None,
    )
    positive: str | None = option(None, "The positive class of two.", panel="Labels")
    patient_pattern: str | None = option(
        None,
        "Regular expression over file names (with a slash, over paths): its groups, or its match, name the patient.",
        panel="Labels",
    )
    exams: str | None = option(
        None,
        "What belongs to one exam: file (a volume or slide by itself), series or study (of DICOM), folder, patient, or "
        "a column of the table; by default a column exam_id, and volumes and slides by themselves.",
        panel="Exams",
    )
    exam_pattern: str | None = option(
        None,
        "Regular expression: its groups, or its match, name the exam; over the nearest part of the path that it fits, "
        "or with a slash over the path.",
        panel="Exams",
    )
    labels_of: Literal["auto", "exam", "image"] = option(
        "auto",
        "Whose labels the data tell: of the exam, or of each image; auto looks whether those of an exam agree.",
        panel="Exams",
        kind=str,
    )
    ignore_sides: bool = option(
        False, "Pool the sides that the data name and split anew.", panel="Labels", flag="--ignore-sides"
    )

    def __post_init__(self) -> None:
        labels = (self.labels,) if isinstance(self.labels, str | Path) else self.labels or ()
        object.__setattr__(self, "labels", tuple(_named(table, "labels") for table in labels))
        object.__setattr__(self, "images", self.images and _named(self.images, "images"))
        data = self.data or self.image_folder or (place(self.labels[0]).parent if self.labels else "")
        object.__setattr__(self, "data", _named(data, "data"))
        if not self.data:
            raise InvalidOption("no data are given: expected a folder of images or a table of labels")
        object.__setattr__(self, "mapping", dict(self.mapping or {}))
        for name in ("label_column", "cut"):
            object.__setattr__(self, name, _texts(getattr(self, name)))
        self._require_cut()
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise InvalidOption(
                    f"--{name.replace('_', '-')} {getattr(self, name)} is not known: expected {listed(choices, 'or')}"
                )

    def _require_cut(self) -> None:
        if self.cut_at is None:
            return
        if len(self.label_columns) != 1:
            raise InvalidOption("--cut-at cuts one column of numbers: name it with --label-column")
        # Not above: the command line reads the defaults here and should not wait for NumPy.
        from overread.cases.labelling.roles import as_number

        if self.cut_at != "median" and as_number(self.cut_at) is None:
            raise InvalidOption(f"--cut-at {self.cut_at} is no number: expected one such as 35, or median")

    @classmethod
    def of(cls, data: Source | str | Path) -> Source:
        """A source as it is, or that of a folder or table of which nothing else is said."""
        return data if isinstance(data, cls) else cls(data=str(data))

    @property
    def image_folder(self) -> str:
        """The folder that the images lie in, where one is named."""
        return "" if self.image_pattern else self.images or ""

    @property
    def image_pattern(self) -> str:
        """The pattern of the ends of their paths, where one is given."""
        return self.images if self.images and "*" in self.images else ""

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns that say what an image shows, one for each task; none where it is found out."""
        return _texts(self.label_column)

    @property
    def names_columns(self) -> bool:
        """True where the columns of a table are named, or one finding of it."""
        named = (self.image_column, self.patient_column, self.split_column)
        return self.names_label or any(name is not None for name in named)

    @property
    def names_label(self) -> bool:
        """True where it is said what a table tells apart."""
        return bool(self.label_column) or self.finding is not None

    @property
    def gathering(self) -> Gathering | None:
        """Which files are said to belong to one exam; None where nothing is said."""
        if self.exam_pattern is not None:
            return Gathering(by=PATTERN, pattern=self.exam_pattern)
        if self.exams is None:
            return None
        return Gathering(by=self.exams if self.exams in WAYS else COLUMN)

    def absolute(self) -> Source:
        """The same source from wherever it is read."""
        labels = (name if name == FOLDERS else str(place(name).absolute()) for name in self.labels)
        images = str(place(self.image_folder).absolute()) if self.image_folder else self.images
        return dataclasses.replace(self, data=str(place(self.data).absolute()), labels=tuple(labels), images=images)

    def settled(self, name: str, choice: str) -> Source:
        """The same source with one choice made, by the name of its field."""
        value: Any = choice
        if name in ("labels", "label_column"):
            value = (choice,)
        elif name == "ordered":
            value = choice == ORDERED
        elif name == "mapping":
            value = {**self.mapping, **read_mapping([choice])}
        return dataclasses.replace(self, **{name: value})


def _texts(values: str | Sequence[str] | None) -> tuple[str, ...]:
    return (values,) if isinstance(values, str) else tuple(values or ())


def _named(place: object, field: str) -> str:
    if not isinstance(place, str | Path) and not is_remote(place):
        raise InvalidOption(f"{field} is a {type(place).__name__}: expected a path, or the text of one")
    return str(place)
