"""What the labels of a table of the program's own form tell: classes, lists of findings, or several tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from overread.cases.case import Case
from overread.cases.labelling.readings import list_of
from overread.cases.relabel import Relabel
from overread.cases.tables.own import read_table
from overread.cases.told import Found, Told
from overread.decision import SeveralFindings, SeveralTasks, Task
from overread.decision.negative_names import reads_as_negative
from overread.decision.tasks.findings import BAR, DOUBT, NO_FINDING
from overread.decision.tasks.several_tasks import BETWEEN, SAYS, told_by


def read_own(table: Path, relabel: Relabel, task: Task | None = None) -> Found:
    """The cases of a table of the program's own form; see `read_table`.

    Args:
        table: to read.
        relabel: names labels and findings anew.
        task: that was trained, which tells what is looked for.
    """
    cases, heading = read_table(table)
    return understand_own(cases, heading, table, relabel, task)


def understand_own(cases: Sequence[Case], heading: str, table: Path, relabel: Relabel, task: Task | None) -> Found:
    """What `read_table` read, as labels have it."""
    labels, told = _meant([case.label for case in cases], heading, relabel, task)
    named = [dataclasses.replace(case, label=label) for case, label in zip(cases, labels, strict=True)]
    return Found(named, [f"cases are read from {table.name}"], told)


def _meant(
    labels: Sequence[str], heading: str, relabel: Relabel, task: Task | None
) -> tuple[list[str], tuple[Told, ...]]:
    said = [told_by(label) for label in labels]
    if heading == SeveralTasks.heading and all(
        len(own) == len(label.split(BETWEEN)) for own, label in zip(said, labels, strict=True)
    ):
        names = [*dict.fromkeys(name for own in said for name in own)]
        if len(names) > 1:
            parts = task.parts if task is not None else {}
            found = {
                name: _of_one([own.get(name, "") for own in said], name, relabel, parts.get(name)) for name in names
            }
            joined = [
                BETWEEN.join(name + SAYS + own[row] for name, (own, _) in found.items() if own[row])
                for row in range(len(labels))
            ]
            return joined, tuple(one for _, one in found.values())
    own, one = _of_one(labels, heading, relabel, task, lists=heading == SeveralFindings.heading)
    return own, (one,)


def _of_one(
    labels: Sequence[str], name: str, relabel: Callable[[str], str], task: Task | None, *, lists: bool = False
) -> tuple[list[str], Told]:
    found = list_of(labels, name, str)
    if not (lists or not found.exclusive or (task is not None and not task.exclusive and not task.parts)):
        return [label and relabel(label) for label in labels], Told(heading=name)
    return ["" if shown is None else _list(shown, relabel) for shown in found.shown], Told(heading=name, lists=True)


def _list(items: Collection[str], relabel: Callable[[str], str]) -> str:
    """A list of findings by their new names, without what says that there is none."""
    present = {relabel(item) for item in items if not item.startswith(DOUBT)}
    present = {name for name in present if name and (name.startswith("benign") or not reads_as_negative(name))}
    doubtful = {relabel(item.removeprefix(DOUBT)) for item in items if item.startswith(DOUBT)} - present - {""}
    return BAR.join([*sorted(present), *(DOUBT + name for name in sorted(doubtful))]) or NO_FINDING
