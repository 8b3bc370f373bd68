"""Cases from a table of labels whose rows name files."""

from __future__ import annotations

import dataclasses
import shlex
from collections import defaultdict
from collections.abc import Collection, Sequence

from overread.cases.case import Case
from overread.cases.labelling.facts import Roles, carried_columns, facts_of, find_roles, said_of_roles
from overread.cases.labelling.files import Files
from overread.cases.labelling.findings import Worded, worded
from overread.cases.labelling.labels import Labels
from overread.cases.labelling.matched import Matched, column_called, require_one_file_each
from overread.cases.labelling.readings import (
    RANGE,
    are_states,
    every_reading,
    finding_column,
    group_of,
    probability_columns,
    reading_of,
)
from overread.cases.labelling.roles import (
    as_number,
    column_named,
    is_label,
    plain,
)
from overread.cases.relabel import Relabel
from overread.cases.rows import cite, differ_in, rows_about
from overread.cases.source import Source
from overread.cases.tables.table import Table
from overread.cases.told import Found
from overread.decision import Task
from overread.decision.tasks.several_tasks import BETWEEN, SAYS
from overread.errors import InvalidData, InvalidOption, Undecided
from overread.words import count, listed

# The share of images whose rows may give other labels by mistake; more have a row for every finding.
_MOST_SLIPS = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Understood:
    """A table of which it is known what its columns are for.

    Args:
        matched: the table.
        roles: of its columns.
        labels: how its rows tell each task.
        carried: columns that cases carry along.
    """

    matched: Matched
    roles: Roles
    labels: tuple[Labels, ...]
    carried: tuple[str, ...]


def understand(matched: Matched, files: Files, source: Source, relabel: Relabel, task: Task | None) -> Understood:
    """Find out what the columns of a table are for.

    Args:
        matched: the table.
        files: that it names.
        source: that says how to understand it.
        relabel: names labels anew.
        task: that was trained, which tells what is looked for.

    Raises:
        Undecided: a choice is open.
        InvalidOption: the source names what is not there.
        InvalidData: no column tells labels.
    """
    require_one_file_each(matched, files)
    roles = find_roles(matched, source)
    readings = every_reading(matched.table, roles.free, relabel)
    labels = _labels(matched, roles.free, readings, source, relabel, task)
    alike = [one for one in readings if one.is_sure or any(one.says_the_same_as(found) for found in labels)]
    return Understood(
        matched=matched, roles=roles, labels=labels, carried=tuple(carried_columns(roles, [*labels, *alike]))
    )


def _labels(
    matched: Matched,
    free: Sequence[str],
    readings: Sequence[Labels],
    source: Source,
    relabel: Relabel,
    task: Task | None,
) -> tuple[Labels, ...]:
    """What the rows show, as the source says or as names and cells of columns tell; one for each task."""
    table = matched.table
    wanted = source.label_columns or (_part_columns(matched, task) if task is not None else ())
    if wanted:
        names = [_range_called(table, name) for name in wanted]
        if len(names) > 1 and are_states(table, columns := _columns_of(table, names), relabel):
            return (group_of(table, columns, relabel),)
        return tuple(_reading_called(matched, name, source, relabel) for name in names)
    if source.finding is not None:
        readings = _with_finding(matched, free, readings, source.finding, relabel)
    return (_the_one(matched, [reading for reading in readings if reading.is_sure] or readings),)


def cases_of(read: Understood, files: Files, source: Source, *, lists: Sequence[bool], named: Collection[int]) -> Found:
    """The cases of the files that rows name, and notes on what was understood.

    Rows without a label are left out and counted. Of several rows about one file the first counts, and the case knows
    what the others say, see `rows_about`; but a finding is shown where any of them shows it.

    Args:
        read: the table.
        files: that it names.
        source: that says how to understand it.
        lists: of each task, whether labels are lists of findings, even where no row has several.
        named: files that this or another table names.

    Raises:
        Undecided: a choice is open.
        InvalidOption: no row shows the finding that the source names.
        InvalidData: a row cannot be used; the message cites it.
    """
    matched, roles, carried = read.matched, read.roles, read.carried
    parts = [worded(labels, source, lists=each) for labels, each in zip(read.labels, lists, strict=False)]
    given = _together(parts)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(given):
        for at in matched.images.named_in(row) if label else ():
            rows_of[at].append(row)
    cases = []
    for at, rows in sorted(rows_of.items()):
        facts = [facts_of(matched, roles, carried, row) for row in rows]
        label, labels_told = _label_of([given[row] for row in rows], source.finding)
        stated = zip(labels_told, (f["patient_id"] for f in facts), (f["split"] for f in facts), strict=True)
        several = rows_about([matched.table.numbers[row] for row in rows], stated)
        cases.append(Case(path=files.paths[at], name=files.names[at], label=label, rows=several, **facts[0]))
    _require_one_finding(cases, matched.table.name)
    patients = len({case.patient_id for case in cases} - {None})
    notes = [
        matched.images.sentence(matched.table, files, named),
        *(f"the label is {part.sentence}" for part in parts),
        said_of_roles(matched, roles, carried, patients),
        *(note for part in parts for note in part.notes),
        *_left_out(matched, given),
    ]
    return Found(cases, notes, tuple(part.told for part in parts))


def _together(parts: Sequence[Worded]) -> list[str]:
    """The labels of rows; of several tasks, what each says by its name."""
    if len(parts) == 1:
        return parts[0].rows
    return [
        BETWEEN.join(part.told.heading + SAYS + own for part, own in zip(parts, row, strict=True) if own)
        for row in zip(*(part.rows for part in parts), strict=True)
    ]


def _range_called(table: Table, name: str) -> str:
    """A column, or the first and the last of several, as the table calls them."""
    parts = name.split(RANGE, 1) if RANGE in name and name not in table.columns else [name]
    return RANGE.join(column_called(table, part.strip(), "label_column") for part in parts)


def _columns_of(table: Table, names: Sequence[str]) -> list[str]:
    """The columns of names and ranges, each once."""
    found: dict[str, None] = {}
    for name in names:
        ends = [table.columns.index(part) for part in ([name] if name in table.columns else name.split(RANGE, 1))]
        found |= dict.fromkeys(table.columns[min(ends) : max(ends) + 1])
    return [*found]


def _reading_called(matched: Matched, name: str, source: Source, relabel: Relabel) -> Labels:
    own = finding_column(matched.table, name, [name], relabel) if plain(name) == plain(source.finding or "") else None
    return own or reading_of(matched.table, name, relabel)


def _part_columns(matched: Matched, task: Task) -> tuple[str, ...]:
    """The columns that are called like the parts of a task."""
    called = {plain(column): column for column in matched.others}
    return tuple(called[plain(name)] for name in task.parts if plain(name) in called)


def _with_finding(
    matched: Matched, free: Sequence[str], readings: Sequence[Labels], finding: str, relabel: Relabel
) -> list[Labels]:
    own = finding_column(matched.table, finding, free, relabel)
    found = [own] if own else []
    # A column of several that are read together is the same once more.
    found += [one for one in readings if one.finding_called(finding) and not (own and own.columns[0] in one.columns)]
    if not found:
        known = ", ".join(f"{name} {n:,}" for one in readings for name, n in one.counts.most_common())
        raise InvalidOption(f"{matched.table.name} tells no finding {finding!r}: expected one of {known or 'none'}")
    return found


def _the_one(matched: Matched, readings: Sequence[Labels]) -> Labels:
    """The one that is left of readings that say the same, the one in words first."""
    wordy = sorted(readings, key=lambda one: any(as_number(name) is not None for name in one.counts))
    different: list[Labels] = []
    for one in wordy:
        if not any(one.says_the_same_as(other) for other in different):
            different.append(one)
    if len(different) == 1:
        return different[0]
    table = matched.table
    if different:
        in_order = [one.name for one in readings if one in different]
        raise Undecided(
            f"several columns of {table.name} may be the label: {listed(in_order)}",
            option="label_column",
            choices=in_order,
        )
    if probabilities := probability_columns(table):
        raise InvalidData(
            f"the columns {listed(probabilities)} of {table.name} hold probabilities, which are no labels: expected a "
            "column of labels, or a 1 for the class and 0 for all else"
        )
    for column in filter(is_label, table.columns):
        if len(found := sorted(set(table[column]) - {""})) < 2:
            held = f"the label {found[0]} only" if found else "no label"
            raise InvalidData(f"{column_named(column)} of {table.name} holds {held}: expected two classes or more")
    raise InvalidData(
        f"no column of {table.name} reads as a label, with a few values that recur: name one of "
        f"{', '.join(table.columns)} with --label-column"
    )


def _require_one_finding(cases: Sequence[Case], table: str) -> None:
    """Refuse a table with a row for every finding, of which one is to be chosen; slips are few, and the audit's."""
    differing = [case.rows for case in cases if "label" in differ_in(case.rows)]
    if len(differing) <= _MOST_SLIPS * len(cases):
        return
    first, second = differing[0]["label"][:2]
    raise InvalidData(
        f"{cite(differing[0])} of {table} give one image two labels, {first} and {second}, and {len(differing):,} of "
        f"{len(cases):,} images have several: keep one of each, or count one with --finding {shlex.quote(first)} where "
        "any row says so"
    )


def _label_of(given: Sequence[str], finding: str | None) -> tuple[str, list[str]]:
    """The label of an image, and what each of its rows says of it."""
    if finding is None:
        return given[0], list(given)
    shown = next((label for label in given if not label.startswith("no ")), given[0])
    return shown, [shown] * len(given)


def _left_out(matched: Matched, given: Sequence[str]) -> list[str]:
    table, notes = matched.table, []
    if blank := sum(not label for label in given):
        are = "has no label and is" if blank == 1 else "have no label and are"
        notes.append(f"{count(blank, 'row')} of {table.name} {are} left out (--map '=NAME' gives them one)")
    if table.encoding:
        notes.append(
            f"{table.name} is no UTF-8 and is read as {table.encoding}: save it as 'CSV UTF-8' if that is wrong"
        )
    return notes
