"""What rows show as the text of a label: a class, whether they show one finding, or a list of findings."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from overread.cases.labelling.roles import plain
from overread.cases.posing.told import Told
from overread.cases.shown.labels import Labels
from overread.cases.source import Source
from overread.decision import Task
from overread.decision.negative_names import reads_as_negative
from overread.decision.tasks.findings import BAR, DOUBT, NO_FINDING
from overread.decision.tasks.several_tasks import BETWEEN, SAYS
from overread.errors import InvalidOption, Undecided
from overread.words import count, first_of, listed

_NONE: frozenset[str] = frozenset()
# In fewer rows, or fewer kinds of them, columns agree by chance.
_FEWEST_ROWS, _FEWEST_KINDS = 20, 4
_LISTED = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Worded:
    """What rows show, in words.

    Args:
        rows: the label of each row; "" where it is not known.
        told: how they are told.
        sentence: says which columns tell them, and how often each class or finding stands.
        notes: on how cells were taken.
    """

    rows: list[str]
    told: Told
    sentence: str
    notes: tuple[str, ...] = ()


def says_nothing(name: str) -> bool:
    """True for No Finding, Normal, N and the like in place of a finding; what is benign is one."""
    return reads_as_negative(name) and not plain(name).startswith("benign")


def tells_findings(task: Task | None) -> bool:
    """True for what was trained on labels that list findings."""
    return task is not None and not (task.exclusive or task.parts)


def put_in_words(labels: Labels, source: Source, *, lists: bool = False) -> Worded:
    """Put what rows show into words.

    Args:
        labels: of the rows.
        source: that says how to understand them.
        lists: they are findings, even where no row shows several.

    Raises:
        InvalidOption: no row shows the finding that the source names.
        Undecided: empty cells may say that a finding is absent, or that it is not known.
    """
    if source.finding is not None:
        return _one(labels, source, source.finding)
    if lists or not labels.exclusive:
        return _findings(labels, source)
    rows = ["" if shown is None else next(iter(shown)) for shown in labels.shown]
    counted = _counted(Counter(filter(None, rows)))
    how = ", a 1 for each class" if labels.names else ""
    return Worded(rows=rows, told=Told(heading=labels.name), sentence=f"{labels.called}{how} ({counted})")


def together(parts: Sequence[Worded]) -> list[str]:
    """The labels of rows; of several tasks, what each says by its name."""
    if len(parts) == 1:
        return parts[0].rows
    return [
        BETWEEN.join(part.told.heading + SAYS + own for part, own in zip(parts, row, strict=True) if own)
        for row in zip(*(part.rows for part in parts), strict=True)
    ]


def _one(labels: Labels, source: Source, finding: str) -> Worded:
    name = labels.finding_called(finding)
    if name is None:
        known = ", ".join(f"{name} {number:,}" for name, number in labels.counts.most_common())
        raise InvalidOption(f"{labels.called} has no finding {finding!r}: expected one of {known}")
    rows, nothing = [], frozenset(filter(says_nothing, labels.names))
    for present, unknown in _states(labels, source, nothing):
        is_known = name in present or not (unknown is None or name in unknown)
        rows.append((name if name in present else f"no {name}") if is_known else "")
    counted = _counted(Counter(filter(None, rows)))
    return Worded(
        rows=rows,
        told=Told(heading=name),
        sentence=f"{labels.called}, finding {finding} ({counted})",
        notes=tuple(_of_cells(labels, source, frozenset({name}), nothing)),
    )


def _findings(labels: Labels, source: Source) -> Worded:
    nothing, summary = _of_all(labels, labels.every_name)
    names = frozenset(labels.every_name) - nothing - summary
    if len(names) < 2:
        nothing, summary, names = _NONE, _NONE, frozenset(labels.every_name)
    rows, present_in, unknown_in = [], Counter[str](), Counter[str]()
    for present, unknown in _states(labels, source, nothing):
        shown, doubtful = sorted(present & names), sorted(names if unknown is None else (unknown - present) & names)
        present_in.update(shown)
        unknown_in.update(doubtful)
        # What a list does not name is absent.
        is_told = len(doubtful) < len(names) if labels.names else unknown is not None
        rows.append((BAR.join([*shown, *(DOUBT + name for name in doubtful)]) or NO_FINDING) if is_told else "")
    never = [name for name in sorted(names) if labels.names and present_in[name] + unknown_in[name] == len(rows)]
    if len(never) == len(names) and any(labels.blank):
        raise Undecided(
            f"the {labels.called} never say that a finding is absent: their cells are 1 or empty",
            option="blank",
            choices=("absent",),
        )
    how = "a finding each" if labels.names else "a list of findings"
    told = [
        f"{name} {present_in[name]:,}" + f" ({unknown_in[name]:,} not known)" * bool(unknown_in[name])
        for name in sorted(names)
    ]
    said = [f"the cells never say that {listed(never, 'or')} is absent"] if never else []
    return Worded(
        rows=rows,
        told=Told(heading=labels.name, lists=True, columns=names if labels.names else None),
        sentence=f"{labels.called}, {how} ({first_of(told, _LISTED)}; none {rows.count(NO_FINDING):,})",
        notes=(*_notes(labels, source, nothing=nothing, summary=summary, names=names), *said),
    )


def _states(
    labels: Labels, source: Source, nothing: frozenset[str]
) -> Iterator[tuple[frozenset[str], frozenset[str] | None]]:
    """The findings that each row shows, and those that it leaves open; None for all.

    A row that shows what says that there is none has no empty cell left open.
    """
    for row, shown in enumerate(labels.shown):
        if shown is None and not labels.names:
            yield _NONE, None if source.blank == "ignore" else _NONE
            continue
        present, unknown, uncertain = shown or _NONE, _NONE, labels.uncertain[row]
        if source.uncertain == "present":
            present |= uncertain
        elif source.uncertain == "ignore":
            unknown |= uncertain
        if labels.names and source.blank == "ignore" and not present & nothing:
            unknown |= labels.blank[row]
        yield present, unknown


def _of_all(labels: Labels, names: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that say that there is no finding, and those that say that there is any."""
    nothing = set(filter(says_nothing, names))
    known = [
        shown or _NONE
        for row, shown in enumerate(labels.shown)
        if labels.names and not (labels.uncertain[row] or labels.blank[row])
    ]
    if len(known) < _FEWEST_ROWS or len(set(known)) < _FEWEST_KINDS or len(names) < 3:
        return frozenset(nothing), _NONE
    if not nothing:
        rest = (name for name in names if "other" not in plain(name))
        nothing = {name for name in rest if _is_told_by(name, known, lambda others: not others)}
    found = [shown - nothing for shown in known]
    summary = {name for name in names if name not in nothing and _is_told_by(name, found, bool)}
    return frozenset(nothing), frozenset(summary) if len(summary) == 1 else _NONE


def _is_told_by(name: str, known: Sequence[frozenset[str]], rule: Callable[[frozenset[str]], bool]) -> bool:
    """Whether a column says of every row what the others say together."""
    said = [name in shown for shown in known]
    return (
        any(said) and not all(said) and all(own == rule(shown - {name}) for own, shown in zip(said, known, strict=True))
    )


def _notes(
    labels: Labels, source: Source, *, nothing: frozenset[str], summary: frozenset[str], names: frozenset[str]
) -> Iterator[str]:
    if nothing:
        rows = [row for row, shown in enumerate(labels.shown) if shown and shown & nothing]
        beside = sum(bool((labels.shown[row] or _NONE) & names) for row in rows)
        empty = sum(len(labels.blank[row] & names) for row in rows) if labels.names else 0
        said = f"{listed(sorted(nothing))} says that there is no finding"
        said += f"; {count(empty, 'empty cell')} beside it {'is' if empty == 1 else 'are'} absent" * bool(empty)
        yield said + f"; {count(beside, 'row')} with a finding beside it: the finding counts" * bool(beside)
    if summary:
        yield f"{listed(sorted(summary))} says that there is any of the findings, and is none itself"
    yield from _of_cells(labels, source, names, nothing)


def _of_cells(labels: Labels, source: Source, names: frozenset[str], nothing: frozenset[str] = _NONE) -> Iterator[str]:
    """Say how cells were taken that leave open whether a finding is there."""
    blank = [
        _NONE if shown and shown & nothing else row for row, shown in zip(labels.blank, labels.shown, strict=False)
    ]
    noun, marked = ("cell", "-1 (uncertain)") if labels.names else ("finding", "marked with a question mark")
    for what, rows, taken, option in (
        (marked, labels.uncertain, source.uncertain, "--uncertain"),
        ("empty", blank, source.blank, "--blank"),
    ):
        if number := sum(len(row & names) for row in rows):
            means = "not known" if taken == "ignore" else taken
            yield f"{count(number, noun)} {'is' if number == 1 else 'are'} {what} and taken as {means} ({option})"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()))
