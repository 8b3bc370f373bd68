"""Which images a study has: a table of path, label, patient and split, read from a folder or a CSV."""

from __future__ import annotations

import csv
import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from overread.cases.case import Case
from overread.cases.folder import read_folder
from overread.cases.table import is_manifest, read_table, table_of
from overread.decision import IntArray, Task
from overread.errors import InvalidData, InvalidOption
from overread.machine.frames import data_frame
from overread.words import count

if TYPE_CHECKING:
    import pandas

# A class with such a name is taken as the negative one of two.
_NEGATIVE_NAME = re.compile(
    r"(normal|healthy|negative|neg|benign|controls?|absent|clear|none|0|false|no|(no|non|not|without)[ _-].*)",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Manifest:
    """The cases of a study and its classes.

    `classes` is in the order of the network's outputs. With two classes the second is the positive one: the one
    named by the user; else, when exactly one class has a name such as Normal, Healthy, Negative or No disease,
    the other; else the one that sorts last. `notes` tells what was decided while reading.

    Raises:
        InvalidData: no case, fewer than two classes, or a case with an unknown label.
    """

    cases: tuple[Case, ...]
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.cases:
            raise InvalidData("the data hold no image: expected at least one of each class")
        if len(self.classes) < 2:
            raise InvalidData(
                f"found one class only ({', '.join(self.classes)}), expected two or more: "
                "put the images of each class in a folder of its own"
            )
        for number, case in enumerate(self.cases, start=1):
            if case.label not in self.classes:
                raise InvalidData(
                    f"case {number} has the unknown label {case.label!r}; expected one of {', '.join(self.classes)}"
                )

    def __len__(self) -> int:
        return len(self.cases)

    def __repr__(self) -> str:
        return f"Manifest({count(len(self), 'case')} of {' / '.join(self.classes)})"

    def to_frame(self) -> pandas.DataFrame:
        """A data frame with a row a case: path, label, patient_id, split and the further columns of the CSV.

        Raises:
            MissingExtra: pandas is not installed.
        """
        names = ("label", "patient_id", "split")
        return data_frame(
            {
                "path": [case.name for case in self.cases],
                **{name: [getattr(case, name) for case in self.cases] for name in names},
                **{name: [case.extra.get(name) for case in self.cases] for name in self.columns},
            }
        )

    @property
    def task(self) -> Task:
        """What is told apart."""
        return Task.of(self.classes)

    @property
    def positive(self) -> str | None:
        """The positive class of two; None when there are more."""
        return self.task.positive

    @property
    def paths(self) -> list[Path]:
        """Where each case's image is."""
        return [case.path for case in self.cases]

    @property
    def y_true(self) -> IntArray:
        """The truth of each case, as its task has it."""
        return self.task.encode([case.label for case in self.cases])

    @property
    def has_patients(self) -> bool:
        """True when every case names its patient."""
        return all(case.patient_id for case in self.cases)

    @property
    def columns(self) -> list[str]:
        """The names of the further columns, sorted."""
        return sorted({key for case in self.cases for key in case.extra})

    def select(self, split: str) -> list[int]:
        """Positions of the cases of one split."""
        return [i for i, case in enumerate(self.cases) if case.split == split]

    def replace(self, cases: Iterable[Case], *notes: str) -> Manifest:
        """The same study with other cases and further notes."""
        return dataclasses.replace(self, cases=tuple(cases), notes=(*self.notes, *notes))

    @classmethod
    def read(cls, source: str | Path, *, positive: str | None = None, classes: Sequence[str] | None = None) -> Manifest:
        """Read a CSV, or a folder: by the one CSV with the columns path and label in it, else by its sub-folders.

        Args:
            source: a folder of images or a CSV file.
            positive: the positive class of two.
            classes: the classes and their order, when a trained bundle fixes them.

        Raises:
            MissingPath: source is not there.
            InvalidData: see `from_folder` and `from_csv`.
        """
        source = Path(source)
        tables = [path for path in sorted(source.glob("*.csv")) if is_manifest(path)] if source.is_dir() else []
        if source.is_file() or len(tables) == 1:
            return cls.from_csv(tables[0] if tables else source, positive=positive, classes=classes)
        return cls.from_folder(source, positive=positive, classes=classes)

    @classmethod
    def from_folder(
        cls, folder: str | Path, *, positive: str | None = None, classes: Sequence[str] | None = None
    ) -> Manifest:
        """Read class sub-folders, with or without train/val/test folders (or their aliases) above them.

        Sub-folders of a class are searched too and hidden files skipped; files that are no images are counted in
        `notes`.

        Raises:
            MissingPath: folder is not there.
            InvalidData: no class sub-folders, one class only, an empty one, or split folders beside class folders.

        Example:
            >>> Manifest.from_folder("larynx", positive="Papilloma").classes  # doctest: +SKIP
            ('Normal', 'Papilloma')
        """
        cases, notes = read_folder(Path(folder))
        return cls._build(cases, notes, positive, classes)

    @classmethod
    def from_csv(
        cls, table: str | Path, *, positive: str | None = None, classes: Sequence[str] | None = None
    ) -> Manifest:
        """Read `path,label[,frame][,patient_id][,split][,anything]`; paths are relative to the CSV's folder.

        Raises:
            MissingPath: table is not there.
            InvalidData: a row that cannot be used; the message cites it (the header is row 1).
        """
        table = Path(table)
        return cls._build(read_table(table, classes), [f"cases are read from {table.name}"], positive, classes)

    @classmethod
    def _build(
        cls, cases: list[Case], notes: list[str], positive: str | None, classes: Sequence[str] | None
    ) -> Manifest:
        if classes is None:
            classes, rule = _order_classes(sorted({case.label for case in cases}), positive)
            notes = [*notes, *rule]
        return cls(cases=tuple(cases), classes=tuple(classes), notes=tuple(notes))

    def with_patient_pattern(self, pattern: str) -> Manifest:
        """Take patient ids from file names: the groups of a regular expression, joined, or its whole match.

        Raises:
            InvalidOption: pattern is no regular expression.
            InvalidData: some file names do not match; the message says how many and cites the first.
        """
        try:
            compiled = re.compile(pattern)
        except re.error as error:
            raise InvalidOption(f"the patient pattern is no regular expression ({error}): correct it") from None
        ids = [_match_id(compiled, case.path.stem) for case in self.cases]
        missing = [i for i, patient_id in enumerate(ids) if not patient_id]
        if missing:
            raise InvalidData(
                f"the patient pattern matches no part of {len(missing)} of {len(ids)} file names, the first in case "
                f"{missing[0] + 1}: widen it so that every name gives its patient"
            )
        cases = [dataclasses.replace(case, patient_id=i) for case, i in zip(self.cases, ids, strict=True)]
        return self.replace(cases, f"patient ids come from the pattern {pattern}")

    def suggested_patient_pattern(self) -> str | None:
        """A pattern for file names that share all but their last number with others; None when none seem to."""
        pattern = r"^(.+?)[ _.-]*\d+\D*$"
        compiled = re.compile(pattern)
        groups = Counter(_match_id(compiled, case.path.stem) for case in self.cases)
        # As many groups as classes are classes (`normal (1).png`); nearly as many as images are no groups.
        if None in groups or not len(self.classes) < len(groups) <= 0.95 * len(self):
            return None
        return pattern

    def write_csv(self, path: Path) -> None:
        """Write path, label, patient_id, split, the frame if any is named, and further columns.

        Patients go under pseudonyms.
        """
        with path.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(table_of(self.cases, self.columns))


def _match_id(pattern: re.Pattern[str], stem: str) -> str | None:
    match = pattern.search(stem)
    if match is None:
        return None
    return "-".join(group for group in match.groups() if group) if pattern.groups else match.group()


def _order_classes(names: list[str], positive: str | None) -> tuple[list[str], list[str]]:
    """Put the positive class of two last, and say by which rule."""
    if positive is not None and positive not in names:
        raise InvalidOption(f"the positive class {positive!r} is not among {', '.join(names)}: name one of them")
    if len(names) != 2:
        if positive is not None:
            raise InvalidOption(f"a positive class can be named for two classes only; the data hold {len(names)}")
        return names, []
    reason = "as named"
    if positive is None:
        negative = [name for name in names if _NEGATIVE_NAME.fullmatch(name)]
        reason = f"{negative[0]} reads as the negative one" if len(negative) == 1 else "it sorts last"
        positive = next(name for name in names if name not in negative) if len(negative) == 1 else names[-1]
    others = [name for name in names if name != positive]
    return [*others, positive], [f"the positive class is {positive} ({reason})"]
