"""What the labels of a table of the program's own form tell: classes, lists of findings, or several tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from overread.cases.posing.told import Found, Told
from overread.cases.relabel import Relabel
from overread.cases.shown.readings import list_of
from overread.cases.shown.words import Worded, put_in_words, tells_findings, together
from overread.cases.source import Source
from overread.cases.tables.own import read_table
from overread.decision import SeveralFindings, SeveralTasks, Task
from overread.decision.tasks.several_tasks import BETWEEN, told_by


def read_own(table: Path, source: Source, relabel: Relabel, task: Task | None = None, *, strict: bool = False) -> Found:
    """The cases of a table of the program's own form; see `read_table`.

    Args:
        table: to read.
        source: that says how to understand it.
        relabel: names labels and findings anew.
        task: that was trained, which tells what is looked for.
        strict: refuse a label that the task does not have, citing its row.
    """
    cases, heading = read_table(table, task if strict else None)
    parts = _parts_of([case.label for case in cases], heading, source, relabel, task)
    named = [dataclasses.replace(case, label=label) for case, label in zip(cases, together(parts), strict=True)]
    said = [note for part in parts if part.told.lists for note in (f"the label is {part.sentence}", *part.notes)]
    return Found(named, [f"cases are read from {table.name}", *said], tuple(part.told for part in parts))


def _parts_of(labels: Sequence[str], heading: str, source: Source, relabel: Relabel, task: Task | None) -> list[Worded]:
    """What labels say of each task, in words."""
    said = [told_by(label) for label in labels]
    names = [*dict.fromkeys(name for own in said for name in own)]
    is_parted = all(len(own) == len(label.split(BETWEEN)) for own, label in zip(said, labels, strict=True))
    parts = {} if task is None else task.parts
    if heading == SeveralTasks.heading and is_parted and (len(names) > 1 or {*names} & {*parts}):
        return [
            _worded([own.get(name, "") for own in said], name, source, relabel, lists=tells_findings(parts.get(name)))
            for name in names
        ]
    lists = heading == SeveralFindings.heading or tells_findings(task)
    return [_worded(labels, heading, source, relabel, lists=lists)]


def _worded(labels: Sequence[str], name: str, source: Source, relabel: Relabel, *, lists: bool) -> Worded:
    found = list_of(labels, name, relabel)
    if lists or not found.exclusive:
        return put_in_words(found, source, lists=True)
    # A class is called as it is written, with brackets if there are any.
    return Worded(rows=[label and relabel(label) for label in labels], told=Told(heading=name), sentence="")
