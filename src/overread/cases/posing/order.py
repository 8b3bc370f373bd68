"""Whether labels are grades, as the source, the heading of their column or they themselves say."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Collection, Sequence

from overread.cases.note import Note
from overread.cases.posing.told import Told
from overread.cases.relabel import fitting, written_mapping
from overread.cases.source import Source
from overread.decision import OrderedGrades, Task
from overread.decision.grade_names import counts_from_0, order_of, reads_as_graded
from overread.decision.tasks.several_tasks import SAYS
from overread.errors import InvalidOption
from overread.words import listed

# Two have an order that says no more than which one is positive; more than a dozen numbers are a measurement.
_FEWEST, _MOST = 3, 12


def find_order(names: Collection[str], told: Told, source: Source, *, needed: bool) -> tuple[str, ...] | None:
    """The grades that labels are, from the lowest to the highest; None where they are classes.

    Args:
        names: of the labels.
        told: how the labels are.
        source: that says how to understand them.
        needed: the labels must be grades or two classes.

    Raises:
        InvalidOption: the source says that they are grades, and their order is not known.
    """
    if source.grades is not None and (found := _as_named(names, source.grades, needed=needed)):
        return found
    if len(names) < _FEWEST or source.ordered is False:
        return None
    asked = source.ordered or bool(source.cut) or needed
    by_heading = reads_as_graded(told.heading)
    found = order_of(names, letters=asked or by_heading)
    if found is None and asked:
        said = f"the order of {listed(sorted(names))} is not known"
        if (odd := odd_one(names)) is not None:
            raise InvalidOption(f"{said}: leave {odd} out with --map {shlex.quote(written_mapping({odd: ''}))}")
        given = shlex.quote(",".join(sorted(names)))
        raise InvalidOption(f"{said}: give it with --grades, the lowest first, such as --grades {given}")
    return found if asked or (by_heading and len(names) <= _MOST) else None


def may_be_grades(names: Collection[str]) -> bool:
    """True for classes from 0 to 2 or more, or named as grades are, such as none, mild and severe."""
    return counts_from_0(names) or (_FEWEST <= len(names) <= _MOST and order_of(names) is not None)


def odd_one(names: Collection[str]) -> str | None:
    """The one label without which the others are grades, such as ungradable; None where none is."""
    odd = [name for name in names if len(names) > _FEWEST and order_of({*names} - {name}) is not None]
    return odd[0] if len(odd) == 1 else None


def grades_of(grades: Sequence[str], told: Told, source: Source, *, is_part: bool) -> tuple[OrderedGrades, list[Note]]:
    """The task of telling grades apart, by those of the cuts that are of it, and notes on its order and its cuts.

    Args:
        grades: from the lowest to the highest.
        told: how the labels are.
        source: that names cuts.
        is_part: the task is one of several.
    """
    cuts = sorted(set(_cuts_among(grades, told, source).values()))
    task = OrderedGrades(tuple(grades), tuple(cuts))
    numbers = [int(name) for name in grades if name.isascii() and name.isdecimal()]
    missing = sorted({*range(min(numbers, default=0), max(numbers, default=0))} - {*numbers})
    said = f"the labels are grades, from {grades[0]} to {grades[-1]}"
    said += f"; none is {listed(list(map(str, missing)), 'or')}" if missing and len(numbers) == len(grades) else ""
    way = (
        ""
        if is_part or source.grades or source.ordered or cuts
        else "; --no-ordered takes them as classes without an order"
    )
    judged = f"what is judged is {listed(task.judged)}"
    alone = "" if cuts else f"; --cut {shlex.quote(grades[len(grades) // 2])} judges one of them alone"
    return task, [Note(f"{said}{way}", said), Note(f"{judged}{alone}", judged)]


def require_cuts(tasks: Sequence[tuple[Told, Task]], source: Source) -> None:
    """Refuse a cut that is no grade of any task, or the lowest.

    Raises:
        InvalidOption: there is one.
    """
    graded = [(told, task.classes) for told, task in tasks if task.ordered]
    known = {cut for told, grades in graded for cut in _cuts_among(grades, told, source)}
    for cut in source.cut:
        if cut not in known:
            expected = " or ".join(listed(grades[1:], "or") for _, grades in graded)
            raise InvalidOption(
                f"--cut {cut!r} is no grade above the lowest: expected {expected}, from which on a case counts as ill"
            )


def _as_named(names: Collection[str], text: str, *, needed: bool) -> tuple[str, ...] | None:
    """The labels in the order of the grades that are named; None where they are others and need not be these."""
    grades = [grade.strip() for grade in next(csv.reader([text], skipinitialspace=True), []) if grade.strip()]
    meant = {grade: grade for grade in grades if grade in names} | {
        grade: name for name, grade in fitting(names, grades).items()
    }
    found = tuple(meant[grade] for grade in grades if grade in meant)
    if len(found) == len(names) == len(set(found)) >= _FEWEST:
        return found
    if needed:
        return None
    missing = sorted(set(names) - set(found))
    what = f"leaves out {listed(missing)}" if missing else "names fewer than three that images have"
    raise InvalidOption(f"--grades {text} {what}: name every label once, three or more, the lowest first")


def _cuts_among(grades: Sequence[str], told: Told, source: Source) -> dict[str, int]:
    """The places of the cuts that are of a task, each a grade, or the name of the task and a grade: `oedema: 1`."""
    own = {cut: cut.removeprefix(told.heading + SAYS) for cut in source.cut}
    meant = fitting(own.values(), grades)
    return {cut: place for cut, name in own.items() if (place := _place(meant.get(name, name), grades))}


def _place(name: str, grades: Sequence[str]) -> int:
    return grades.index(name) if name in grades else 0
