"""Which columns of a table tell labels, and what its other columns are for."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from overread.cases.labelling.facts import Roles, carried_columns, find_roles
from overread.cases.labelling.files import Files
from overread.cases.labelling.matched import Matched, column_called, require_one_file_each
from overread.cases.labelling.meant import require_one_kind
from overread.cases.labelling.roles import (
    as_number,
    column_named,
    is_label,
    plain,
)
from overread.cases.relabel import Relabel
from overread.cases.shown.cut import cut_column
from overread.cases.shown.labels import Labels
from overread.cases.shown.readings import (
    RANGE,
    are_states,
    every_reading,
    finding_column,
    group_of,
    probability_columns,
    reading_of,
)
from overread.cases.shown.words import tells_findings
from overread.cases.source import Source
from overread.cases.tables.table import Table
from overread.decision import Task
from overread.errors import InvalidData, InvalidOption, Undecided
from overread.words import listed


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
    require_one_kind(matched, files)
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
        if source.cut_at is not None:
            return (cut_column(matched, names[0], source.cut_at, relabel),)
        if twice := [name for name in names if names.count(name) > 1]:
            raise InvalidOption(f"--label-column {twice[0]} is given twice: name each column once")
        if len(names) > 1 and are_states(table, columns := _columns_of(table, names), relabel):
            return (group_of(table, columns, relabel),)
        return tuple(_reading_called(matched, name, source, relabel) for name in names)
    if source.finding is not None:
        readings = _with_finding(matched, free, readings, source.finding, relabel)
    if task is not None and tells_findings(task):
        trained = set(map(plain, task.classes))
        readings = [one for one in readings if trained & set(map(plain, one.every_name))] or readings
    return (_the_one(matched, [reading for reading in readings if reading.is_sure] or readings),)


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
    found = [one for one in readings if one.finding_called(finding)]
    own = finding_column(matched.table, finding, free, relabel)
    # A column of several that are read together is the same once more.
    if own and not any(own.columns[0] in one.columns for one in found):
        found = [own, *found]
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
            f"several columns of {table.name} may be the label: {listed(in_order)} (repeated, the option has one "
            "network learn several)",
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
