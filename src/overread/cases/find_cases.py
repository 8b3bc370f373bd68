"""Where the labels of images are: in a table, or in the names of the folders that hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from overread.cases.folder import LeftOut, images_below, read_folder
from overread.cases.labelling.complete import complete
from overread.cases.labelling.files import Files
from overread.cases.labelling.images import image_columns
from overread.cases.labelling.matched import Matched, no_match
from overread.cases.labelling.meant import meant
from overread.cases.labelling.one_each import one_finding_each
from overread.cases.labelling.roles import patient_columns, plain, split_columns
from overread.cases.labelling.several import cases_of_all, match_all
from overread.cases.posing.told import Found
from overread.cases.relabel import Relabel
from overread.cases.shown.own_labels import read_own
from overread.cases.shown.readings import RANGE, every_reading
from overread.cases.source import FOLDERS, Source
from overread.cases.tables.nearby import tables_near
from overread.cases.tables.own import is_manifest, read_table
from overread.cases.tables.table import Table, read_tables
from overread.decision import Task
from overread.errors import InvalidData, MissingPath, Undecided
from overread.machine.remote import place
from overread.words import listed


def find_cases(source: Source, relabel: Relabel, task: Task | None = None) -> Found:
    """The cases of a source, and notes on what was understood and left out.

    The first of these that holds: the tables that are named; the one table `path,label` in the folder; class folders,
    with the patients and further columns of a table near them that agrees; a table near that names the images. Where
    class folders and a table disagree, the user decides.

    Args:
        source: of the cases.
        relabel: names labels anew.
        task: that was trained, which tells what is looked for.

    Raises:
        MissingPath: nothing is there.
        Undecided: a choice is open.
        InvalidOption: the source names what is not there.
        InvalidData: what is there cannot be used.
    """
    root = place(source.data)
    named = source.labels or ((source.data,) if root.is_file() else ())
    if named and named != (FOLDERS,):
        return _by_named(named, source, relabel, task)
    if named or not root.is_dir():
        return _by_folders(root, source, relabel)
    own = [table for table in sorted(root.glob("*.csv")) if is_manifest(table)]
    if len(own) == 1 and not source.names_columns:
        return read_own(own[0], source, relabel, task)
    return _by_what_lies_there(root, source, relabel, task)


def _by_folders(root: Path, source: Source, relabel: Relabel) -> Found:
    cases, notes = read_folder(root, class_names=source.mapping)
    return Found([dataclasses.replace(case, label=relabel(case.label)) for case in cases], notes)


def _by_named(named: Sequence[str], source: Source, relabel: Relabel, task: Task | None) -> Found:
    """The cases of the tables that are named, all of which must be of use."""
    first = place(named[0])
    may_be_own = len(named) == 1 and source.images is None and not source.names_columns and is_manifest(first)
    if may_be_own and any(case.path.exists() for case in read_table(first)[0]):
        return read_own(first, source, relabel, task)
    tables = [table for name in named for table in read_tables(name)]
    files, left_out = _files_of(source, first.parent)
    matched = match_all(tables, files, source)
    fitting = [one for one in matched if one is not None]
    without = [table for table, one in zip(tables, matched, strict=True) if one is None]
    if not fitting and may_be_own:
        return read_own(first, source, relabel, task)  # whose images are missing, which is told where they are read
    # Of a workbook, the sheets that are of no use are passed over.
    if not fitting or any(table.sheet is None for table in without):
        raise no_match(without, files, left_out.sentences())
    _refuse_several_sheets(fitting)
    found = cases_of_all(fitting, files, source, relabel, task)
    return found._replace(notes=[*found.notes, *_told(left_out)])


def _told(left_out: LeftOut) -> tuple[str, ...]:
    """What was left out, where a user may take any of it for images; texts and tables are told elsewhere."""
    return left_out.sentences() if left_out.holds_candidates else ()


def _files_of(source: Source, beside: Path) -> tuple[Files, LeftOut]:
    root = place(source.image_folder or (source.data if place(source.data).is_dir() else beside))
    if not root.is_dir():
        raise MissingPath(f"{root} is not there: expected the folder that holds the images (--images)")
    left_out = LeftOut()
    return Files(root, meant(images_below(root, left_out), root, source, left_out)), left_out


def _refuse_several_sheets(matched: Sequence[Matched]) -> None:
    sheets = [one.table for one in matched if one.table.sheet is not None]
    if len(sheets) > 1 and not all(one.side for one in matched):
        raise Undecided(
            f"the sheets {listed([str(table.sheet) for table in sheets])} of {sheets[0].path.name} all name images",
            option="labels",
            choices=[table.reference for table in sheets],
        )


def _by_what_lies_there(root: Path, source: Source, relabel: Relabel, task: Task | None) -> Found:
    """The cases of class folders, of tables near them, or of both where they agree."""
    tables, notes = _readable(tables_near(root), source)
    files, left_out = _files_of(source, root) if tables else (Files(root, []), LeftOut())
    matched = _match_near(tables, files, source) if len(files) else []
    fitting = {one.table.path for one in matched}
    unused = dict.fromkeys(table.path.name for table in tables if table.path not in fitting)
    notes += [f"{name} is not used: none of its columns names the images" for name in unused]
    try:
        cases, folder_notes, _ = _by_folders(root, source, relabel)
    except InvalidData as error:
        if not matched:
            raise InvalidData(". ".join([str(error), *notes])) from None
        cases, folder_notes = [], []
    if not matched:
        return Found(cases, [*folder_notes, *notes])
    chosen = _chosen(matched, source, relabel)
    used = [one.table for one in chosen]
    notes += [f"{one.table.name} is not used: it tells no labels" for one in matched if one.table not in used]
    if source.names_label or source.images or len({case.label for case in cases}) < 2:
        found = cases_of_all(chosen, files, source, relabel, task)
        return found._replace(notes=[*found.notes, *notes, *_told(left_out)])
    found = complete(cases, chosen, files, source, relabel)
    return found._replace(notes=[*folder_notes, *found.notes, *notes])


def _readable(paths: Sequence[Path], source: Source) -> tuple[list[Table], list[str]]:
    """The tables that can be read, of these that have the column of images that is named, and notes on the others."""
    tables: list[Table] = []
    notes = []
    for path in paths:
        try:
            tables += read_tables(str(path))
        except InvalidData as error:
            notes.append(f"{path.name} is not used: {error}")
    named = plain(source.image_column or "")
    return [table for table in tables if named in map(plain, table.columns)] or tables, notes


def _match_near(tables: Sequence[Table], files: Files, source: Source) -> list[Matched]:
    """The tables that name the images.

    Raises:
        Undecided: one names several in a row; of several tables, which one is meant is asked first.
    """
    try:
        return [one for one in match_all(tables, files, source) if one is not None]
    except Undecided:
        naming = [table.reference for table in tables if image_columns(table, files)]
        if len(naming) < 2 or source.names_columns:
            raise
    raise _several(naming)


def _several(references: Sequence[str]) -> Undecided:
    names = listed([place(reference).name for reference in references])
    return Undecided(f"several tables name the images: {names}", option="labels", choices=references)


def _chosen(matched: Sequence[Matched], source: Source, relabel: Relabel) -> list[Matched]:
    """Of the tables that lie near, those of the sides of a split, or the one that tells labels and what tells more.

    Raises:
        Undecided: several tell labels.
    """
    columns = [_telling_columns(one, source, relabel) for one in matched]
    every = set().union(*columns)
    # A side may be of one class only, which tells nothing by itself.
    tells = [
        bool(own or (one.side and every & set(map(plain, one.others))))
        for one, own in zip(matched, columns, strict=True)
    ]
    telling = [one for one, is_telling in zip(matched, tells, strict=True) if is_telling]
    others = [one for one, is_telling in zip(matched, tells, strict=True) if not is_telling]
    are_parts = all(one.side for one in telling) or _are_parts(telling) or one_finding_each(telling, relabel)
    if len(telling) > 1 and not are_parts:
        raise _several([one.table.reference for one in telling])
    if len({one.side for one in telling}) == 1:
        telling = [dataclasses.replace(one, side=None) for one in telling]
    named = set().union(*(one.images.files for one in telling))
    return [*telling, *(one for one in others if not telling or named & one.images.files)]


def _are_parts(tables: Sequence[Matched]) -> bool:
    """True for tables of the same columns that name different images."""
    together = len(set().union(*(one.images.files for one in tables)))
    alike = len({one.table.columns for one in tables}) == 1
    return alike and together == sum(len(one.images.files) for one in tables)


def _telling_columns(matched: Matched, source: Source, relabel: Relabel) -> set[str]:
    """The columns, by their plain names, that may be the label."""
    if source.label_columns:
        return {plain(name.split(RANGE)[0]) for name in source.label_columns} & set(map(plain, matched.table.columns))
    known = {*patient_columns(matched.table, matched.others), *split_columns(matched.table, matched.others)}
    free = [column for column in matched.others if column not in known]
    return {plain(column) for one in every_reading(matched.table, free, relabel) for column in one.columns}
