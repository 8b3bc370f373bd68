"""Which images a study has: a table of path, label, patient and split, read from a folder or a CSV."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from overread.cases.case import Case
from overread.cases.find_cases import find_cases
from overread.cases.folder import read_folder
from overread.cases.patients import match_patients
from overread.cases.persons.columns import PersonalColumn, leave_out_personal
from overread.cases.posing.pose import Posed, findings_in, fit_labels, pose_task
from overread.cases.posing.told import Found
from overread.cases.relabel import Relabel, require_distinct
from overread.cases.rows import cite, differ_in
from overread.cases.shown.own_labels import read_own
from overread.cases.source import ORDERED, UNORDERED, Source
from overread.cases.tables.own import table_of
from overread.decision import IntArray, Task
from overread.decision.find_task import told_negative
from overread.decision.tasks.several_tasks import told_by
from overread.errors import InvalidData, InvalidOption, Undecided
from overread.machine.files import write_csv
from overread.machine.frames import data_frame
from overread.machine.question import Question, ask
from overread.machine.remote import place
from overread.words import count, listed

if TYPE_CHECKING:
    import pandas

_NO_CASE = "the data hold no image: expected at least one of each class"


@dataclasses.dataclass(frozen=True, kw_only=True, repr=False)
class Manifest:
    """The cases of a study and what is told apart.

    Read from a folder or a table, the task is the one that the labels of the cases pose: see `find_task`. `notes` tells
    what was decided while reading, and `source` is what was read, with the choices that were made; None for cases from
    elsewhere. `personal` are the columns that told who the patients are: no case has their cells. `carved` names the
    sides that the data do not name: they were dealt by chance, see `split_cases`.

    Raises:
        InvalidData: no case, or a case with an unknown label.
    """

    cases: tuple[Case, ...]
    task: Task
    notes: tuple[str, ...] = ()
    source: Source | None = None
    carved: frozenset[str] = frozenset()
    personal: tuple[PersonalColumn, ...] = ()

    def __post_init__(self) -> None:
        if not self.cases:
            raise InvalidData(_NO_CASE)
        for number, case in enumerate(self.cases, start=1):
            self.task.require_label(case.label, f"case {number}")

    def __len__(self) -> int:
        return len(self.cases)

    def __repr__(self) -> str:
        return f"Manifest({count(len(self), 'case')} of {' / '.join(self.classes)})"

    def to_frame(self) -> pandas.DataFrame:
        """A data frame with a row a case: path, label, patient_id, split and the further columns of the CSV.

        Raises:
            MissingExtra: pandas is not installed.
        """
        names = ("patient_id", "split")
        return data_frame(
            {
                "path": [case.name for case in self.cases],
                self.task.heading: [case.label for case in self.cases],
                **{name: [getattr(case, name) for case in self.cases] for name in names},
                **{name: [case.extra.get(name) for case in self.cases] for name in self.columns},
            }
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.task.classes

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
    def shown(self) -> list[tuple[str, ...]]:
        """The classes that each case shows."""
        return [self.task.named_in(case.label) for case in self.cases]

    @property
    def has_patients(self) -> bool:
        """True when every case names its patient."""
        return all(case.patient_id for case in self.cases)

    @property
    def noun(self) -> str:
        """What its cases are called: image, or exam where any of them is one of several."""
        return "exam" if any(case.instances for case in self.cases) else "image"

    @property
    def columns(self) -> list[str]:
        """The names of the further columns, sorted."""
        return sorted({key for case in self.cases for key in case.extra})

    @property
    def cases_before_carving(self) -> tuple[Case, ...]:
        """The cases with those on sides that were carved in train again."""
        if not self.carved:
            return self.cases
        return tuple(dataclasses.replace(c, split="train") if c.split in self.carved else c for c in self.cases)

    def select(self, split: str) -> list[int]:
        """Positions of the cases of one split."""
        return [i for i, case in enumerate(self.cases) if case.split == split]

    def of_class(self, name: str) -> list[int]:
        """Positions of the cases that show a class."""
        return [i for i, shown in enumerate(self.shown) if name in shown]

    def require_agreement(self) -> None:
        """Refuse images of which several rows of a table say different things.

        Raises:
            InvalidData: there are some; the message counts them and cites the rows of the first.
        """
        differing = [case.rows for case in self.cases if differ_in(case.rows)]
        if differing:
            first = differing[0]
            raise InvalidData(
                f"the rows of {count(len(differing), self.noun)} differ in label, patient or side, first {cite(first)} "
                f"in the {listed(differ_in(first))}: keep one row of each (overread audit lists them all)"
            )

    def replace(self, cases: Iterable[Case], *notes: str) -> Manifest:
        """The same study with other cases and further notes."""
        return dataclasses.replace(self, cases=tuple(cases), notes=(*self.notes, *notes))

    def without_sides(self) -> Manifest:
        """The same cases without the sides that the data name, so that all are carved anew."""
        named = sum(case.split is not None for case in self.cases)
        if not named:
            return self
        pooled = (dataclasses.replace(case, split=None) for case in self.cases)
        return self.replace(pooled, f"the sides that the data name for {count(named, self.noun)} are ignored")

    @classmethod
    def read(cls, source: Source | str | Path, task: Task | None = None) -> Manifest:
        """Read class folders, tables of labels beside a folder of images, or a CSV of `path,label`: see `find_cases`.

        What the data leave open is asked on a terminal where the program runs on one; `source` has the answers.

        Args:
            source: a folder of images, a table, or both with what is known of them.
            task: what is told apart, when a trained bundle fixes it; by default the classes of the cases. Labels that
                differ from its classes by case or blanks alone are taken as these.

        Raises:
            MissingPath: the source is not there.
            Undecided: it may be understood in several ways, and nobody could be asked.
            InvalidOption: it names a column, a label or a finding that is not there.
            InvalidData: it cannot be used as it is.
        """
        source = Source.of(source)
        while True:
            try:
                return cls._read(source, task)
            except Undecided as doubt:
                choice = ask(Question(text=doubt.text, flag=doubt.flag, choices=doubt.choices))
                if choice is None:
                    raise
                source = source.settled(doubt.option, choice)

    @classmethod
    def _read(cls, source: Source, task: Task | None) -> Manifest:
        relabel = Relabel(source.mapping)
        found = find_cases(source, relabel, task)
        relabel.require_met(_names_in(found))
        cases = [case for case in found.cases if case.label]
        notes = [*found.notes]
        if len(cases) < len(found.cases):
            notes.append(f"left out by --map: {count(len(found.cases) - len(cases), 'image')}")
        found = found._replace(cases=cases, notes=notes)
        if task is None:
            require_distinct(_names_in(found), source.mapping)
        posed = _pose(found, source, task)
        if task is None and (question := _open_question(posed, source)) and (choice := ask(question)) is not None:
            source = source.settled("ordered" if posed.may_be_grades else "positive", choice)
            posed = _pose(found, source, task)
        return cls._of(found, posed, source)

    @classmethod
    def from_folder(cls, folder: str | Path, *, positive: str | None = None, task: Task | None = None) -> Manifest:
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
        found = Found(*read_folder(place(folder)))
        return cls._of(found, _pose(found, Source(data=str(folder), positive=positive), task))

    @classmethod
    def from_csv(cls, table: str | Path, *, positive: str | None = None, task: Task | None = None) -> Manifest:
        """Read `path,label[,frame][,patient_id][,split][,anything]`; paths are relative to the CSV's folder.

        Raises:
            MissingPath: table is not there.
            InvalidData: a row that cannot be used; the message cites it (the header is row 1).
        """
        table = place(table)
        source = Source(data=str(table), positive=positive)
        found = read_own(table, source, Relabel({}), task, strict=True)
        return cls._of(found, _pose(found, source, task))

    @classmethod
    def _of(cls, found: Found, posed: Posed, source: Source | None = None) -> Manifest:
        cases = [
            dataclasses.replace(case, label=label)
            for case, label in zip(found.cases, posed.labels, strict=True)
            if label
        ]
        notes = [*posed.notes, *found.notes]
        if len(cases) < len(found.cases):
            notes.append(
                f"left out, as nothing is known that was trained: {count(len(found.cases) - len(cases), 'image')}"
            )
        cases, personal = leave_out_personal(cases)
        if personal:
            headings = listed([column.heading for column in personal])
            notes.append(f"left out, as they tell who the patients are: {headings}")
        return cls(cases=tuple(cases), task=posed.task, notes=tuple(notes), personal=personal, source=source)

    def with_patient_pattern(self, pattern: str) -> Manifest:
        """Take patient ids from file names: the groups of a regular expression, joined, or its whole match.

        A pattern with a slash is searched in the path within the data, others in the name of the file alone.

        Raises:
            InvalidOption: pattern is no regular expression.
            InvalidData: some file names do not match; the message says how many and cites the first.
        """
        ids = match_patients(pattern, self.cases)
        missing = [i for i, patient_id in enumerate(ids) if not patient_id]
        if missing:
            folders = "" if "/" in pattern else " (one with a slash is searched in the folders, too)"
            raise InvalidData(
                f"the patient pattern matches no part of {len(missing)} of {len(ids)} file names, the first in case "
                f"{missing[0] + 1}: widen it so that every name gives its patient{folders}"
            )
        cases = [dataclasses.replace(case, patient_id=i) for case, i in zip(self.cases, ids, strict=True)]
        return self.replace(cases, f"patient ids come from the pattern {pattern}")

    def write_csv(self, path: Path) -> None:
        """Write path, label, patient_id, split, the frame if any is named, and further columns.

        Patients go under pseudonyms.
        """
        header, *rows = table_of(self.cases, self.columns, self.task.heading)
        write_csv(path, header, rows)


def _pose(found: Found, source: Source, task: Task | None) -> Posed:
    """What the cases tell apart, or their labels as a trained task has them."""
    if not found.cases:
        raise InvalidData(_NO_CASE)
    labels = [case.label for case in found.cases]
    if task is None:
        return pose_task(labels, found.told, source)
    if source.positive not in (None, task.positive):
        raise InvalidOption(
            f"the positive class of what was trained is {task.positive}, and --positive names {source.positive}: leave "
            "it out"
        )
    return fit_labels(labels, found.told, task)


def _names_in(found: Found) -> list[str]:
    """The class or the findings of each case, as a user may rename them."""
    said = [told_by(case.label) if len(found.told) > 1 else {found.told[0].heading: case.label} for case in found.cases]
    return [
        name
        for own in said
        for one in found.told
        for name in (findings_in(own.get(one.heading, "")) if one.lists else [own.get(one.heading, "")])
        if name
    ]


def _open_question(posed: Posed, source: Source) -> Question | None:
    """What nothing tells of classes: whether they are grades, or which of two is the positive one."""
    classes = posed.task.classes
    if posed.may_be_grades:
        text = f"the classes {listed(classes)} may be grades, of which one further off is worse than the next"
        return Question(text=text, flag="", choices=(ORDERED, UNORDERED))
    if source.positive is None and posed.task.positive and told_negative(classes) is None:
        text = f"nothing tells which of {' and '.join(classes)} is the positive class"
        return Question(text=text, flag="--positive", choices=classes)
    return None
