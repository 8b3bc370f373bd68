"""Which task the labels of cases pose: classes, findings, grades, or several tasks at once."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence

from overread.cases.note import Note, public
from overread.cases.posing.order import find_order, grades_of, may_be_grades, odd_one, require_cuts
from overread.cases.posing.told import Told
from overread.cases.relabel import fitting, written_mapping
from overread.cases.source import Source
from overread.decision import SeveralFindings, SeveralTasks, Task
from overread.decision.find_task import find_task
from overread.decision.grade_names import reads_as_graded
from overread.decision.tasks.findings import BAR, DOUBT, NO_FINDING
from overread.decision.tasks.several_tasks import BETWEEN, SAYS, told_by
from overread.errors import InvalidData, InvalidOption
from overread.words import first_of, listed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Posed:
    """What labels tell apart.

    Args:
        task: that they pose, or that was given.
        labels: as the task has them; empty where it knows nothing of what they say.
        notes: by which rule, and what does not fit the task.
        may_be_grades: the classes may have an order, which nothing tells for sure.
    """

    task: Task
    labels: list[str]
    notes: tuple[str, ...] = ()
    may_be_grades: bool = False


def pose_task(labels: Sequence[str], told: Sequence[Told], source: Source) -> Posed:
    """Find what labels tell apart.

    Args:
        labels: of the cases.
        told: how they are; of several tasks, how each one's are.
        source: that says how to understand them.

    Raises:
        InvalidOption: the source speaks of grades where there are none, or of a class that is none.
        InvalidData: the labels tell nothing apart.
    """
    if len(told) == 1:
        posed = _posed(labels, told[0], source)
    else:
        joined, parts, notes = _by_part(labels, told, lambda own, one: _posed(own, one, source, is_part=True))
        posed = Posed(task=SeveralTasks.together(parts), labels=joined, notes=tuple(notes))
    task = posed.task
    if (source.ordered or source.grades or source.cut) and not any(one.ordered for one in (task, *task.parts.values())):
        raise InvalidOption(
            f"--ordered, --grades and --cut are of grades, and the labels are {len(task.classes)} {task.noun[1]} "
            "without an order: leave them out"
        )
    require_cuts([*zip(told, task.parts.values() or [task], strict=True)], source)
    if source.positive is not None and task.positive is None:
        raise InvalidOption(f"--positive names one of two classes, and the labels are {task.noun[1]}: leave it out")
    return posed


def fit_labels(labels: Sequence[str], told: Sequence[Told], task: Task) -> Posed:
    """Labels as a trained task has them.

    Raises:
        InvalidData: they are of another task.
    """
    if not task.parts:
        return _fitted(labels, told[0], task)
    if len(told) == 1:
        labels = [told[0].heading + SAYS + label for label in labels]
    meant = fitting((one.heading for one in told), [*task.parts])
    part_of = {one.heading: meant.get(one.heading, one.heading) for one in told}
    if not {*part_of.values()} & {*task.parts} and len(told) == len(task.parts):
        part_of = dict(zip(part_of, task.parts, strict=True))
    known = [one for one in told if part_of[one.heading] in task.parts]
    if not known:
        raise InvalidData(
            f"the labels tell {listed([*part_of])}, and what was trained tells {listed([*task.parts])}: name the "
            "column of each, in this order, with --label-column"
        )
    joined, _, notes = _by_part(labels, known, lambda own, one: _fitted(own, one, task.parts[part_of[one.heading]]))
    notes = [f"{name} is taken as {part}" for name, part in part_of.items() if name != part] + notes
    said = [told_by(label) for label in joined]
    renamed = [BETWEEN.join(part_of[name] + SAYS + own for name, own in one.items()) for one in said]
    return Posed(task=task, labels=renamed, notes=tuple(notes))


def findings_in(label: str) -> list[str]:
    """The findings that a list names, known or not."""
    return [name.removeprefix(DOUBT) for name in label.split(BAR) if name != NO_FINDING]


def _by_part(
    labels: Sequence[str], told: Sequence[Told], of_part: Callable[[list[str], Told], Posed]
) -> tuple[list[str], dict[str, Task], list[str]]:
    """The labels, tasks and notes that are found of each part by itself."""
    said = [told_by(label) for label in labels]
    given: list[dict[str, str]] = [{} for _ in labels]
    parts: dict[str, Task] = {}
    notes: list[str] = []
    for one in told:
        rows = [row for row, own in enumerate(said) if one.heading in own]
        posed = of_part([said[row][one.heading] for row in rows], one)
        for row, label in zip(rows, posed.labels, strict=True):
            given[row][one.heading] = label
        parts[one.heading] = posed.task
        notes += [Note(f"{one.heading}: {note}", f"{one.heading}: {public(note)}") for note in posed.notes]
    joined = [BETWEEN.join(name + SAYS + label for name, label in own.items() if label) for own in given]
    return joined, parts, notes


def _posed(labels: Sequence[str], told: Told, source: Source, *, is_part: bool = False) -> Posed:
    if told.lists:
        return Posed(task=_findings(labels, told), labels=[*labels])
    names = set(labels)
    grades = find_order(names, told, source, needed=is_part)
    if grades is not None:
        # What programs write for whole numbers.
        short = {name: name.removesuffix(".0") for name in names}
        short = short if len(set(short.values())) == len(names) else {name: name for name in names}
        graded, said_of_grades = grades_of([short[name] for name in grades], told, source, is_part=is_part)
        return Posed(task=graded, labels=[short[label] for label in labels], notes=tuple(said_of_grades))
    task, rules = find_task(labels, positive=None if is_part else source.positive)
    if is_part and len(names) > 2:
        raise InvalidOption(
            f"the {len(names)} classes of {told.heading} have no order: of several tasks at once each is of two "
            "classes, grades or findings; leave --no-ordered out, or the column"
        )
    way = "" if is_part else f"; --positive {shlex.quote(task.classes[0])} turns it"
    notes: list[str] = [Note(f"{said}{way}", said) for said in rules]
    doubt = source.ordered is None and len(names) > 2 and may_be_grades(names)
    if doubt:
        notes.append(
            Note("the classes may be grades: --ordered takes them as such", "the classes are taken without an order")
        )
    elif source.ordered is None and reads_as_graded(told.heading) and (odd := odd_one(names)) is not None:
        way = f"--map {shlex.quote(written_mapping({odd: ''}))}"
        notes.append(Note(f"all but {odd} are grades: {way} leaves it out", f"all but {odd} are grades"))
    return Posed(task=task, labels=[*labels], notes=tuple(notes), may_be_grades=doubt)


def _findings(labels: Sequence[str], told: Told) -> SeveralFindings:
    names = {name for label in labels for name in findings_in(label)} | (told.columns or frozenset())
    if len(names) < 2:
        raise InvalidData(
            f"the labels tell {f'one finding only ({min(names)})' if names else 'no finding'}: expected two or more, "
            "or a column of two classes"
        )
    return SeveralFindings(tuple(sorted(names)))


def _fitted(labels: Sequence[str], told: Told, task: Task) -> Posed:
    named = {name for label in labels for name in (findings_in(label) if told.lists else [label])}
    meant = fitting(named | (told.columns or frozenset()), task.classes)
    notes = [f"the label {label} is taken as {name}" for label, name in meant.items()]
    if task.exclusive:
        if told.lists:
            return Posed(task=task, labels=_of_one_finding(labels, told, task), notes=tuple(notes))
        fitted = [meant.get(label, label) for label in labels]
        _require_known(fitted, task)
        return Posed(task=task, labels=fitted, notes=tuple(notes))
    columns = None if told.columns is None else {meant.get(name, name) for name in told.columns}
    known = {meant.get(name, name) for name in named} | (columns or set())
    if known and not known & set(task.classes):
        raise InvalidData(
            f"the data tell {first_of(sorted(known))}, and what was trained tells "
            f"{listed(task.classes)}: say which of them is meant with --map {written_mapping({'old': 'new'})}"
        )
    if unknown := sorted(known - set(task.classes)):
        notes.append(f"left out, since what was trained does not tell them: {listed(unknown)}")
    untold = set() if columns is None else set(task.classes) - columns
    if untold:
        notes.append(f"not known of any image, for want of a column: {listed(sorted(untold))}")
    return Posed(task=task, labels=[_of_findings(label, meant, untold, task) for label in labels], notes=tuple(notes))


def _of_findings(label: str, meant: Mapping[str, str], untold: Collection[str], task: Task) -> str:
    """A list of findings as a trained task has it; empty where it tells none of them."""
    given = {
        DOUBT * item.startswith(DOUBT) + meant.get(name, name)
        for item in label.split(BAR)
        for name in findings_in(item)
    }
    known = [name for name in task.classes if name in given]
    doubtful = [name for name in task.classes if name not in known and (name in untold or DOUBT + name in given)]
    return (
        ""
        if len(doubtful) == len(task.classes)
        else BAR.join([*known, *(DOUBT + name for name in doubtful)]) or NO_FINDING
    )


def _of_one_finding(labels: Sequence[str], told: Told, task: Task) -> list[str]:
    """Lists of findings as a task has them that tells one finding from all else; empty where it is not known.

    Raises:
        InvalidData: the task tells something else apart.
    """
    negative, positive = task.classes if len(task.classes) == 2 else ("", "")
    if negative != f"no {positive}" or positive not in (told.columns or {positive}):
        raise InvalidData(
            f"the labels list findings, and what was trained tells {listed(task.classes)} apart: name the column of "
            "these with --label-column, or one finding with --finding"
        )
    items = [label.split(BAR) for label in labels]
    return ["" if DOUBT + positive in found else positive if positive in found else negative for found in items]


def _require_known(labels: Sequence[str], task: Task) -> None:
    """Refuse labels that a task does not have, all at once."""
    if unknown := [*dict.fromkeys(label for label in labels if not set(task.named_in(label)) <= set(task.classes))]:
        raise InvalidData(
            f"the data hold {listed(unknown)}, and what was trained tells {listed(task.classes)} apart: say which of "
            f"them is meant, or leave images out, with --map {shlex.quote(written_mapping(dict.fromkeys(unknown, '')))}"
        )
