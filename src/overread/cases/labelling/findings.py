"""What rows show as the text of a label: a class, whether they show one finding, or a list of findings."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from overread.cases.labelling.labels import Labels
from overread.cases.labelling.roles import column_named, plain
from overread.cases.source import Source
from overread.cases.told import Told
from overread.decision.negative_names import reads_as_negative
from overread.decision.tasks.findings import BAR, DOUBT, NO_FINDING
from overread.errors import InvalidOption, Undecided
from overread.words import count, listed

_NONE: frozenset[str] = frozenset()
# In fewer rows columns agree by chance.
_FEWEST_ROWS = 20


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


def worded(labels: Labels, source: Source, *, lists: bool = False) -> Worded:
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
    return Worded(rows=rows, told=Told(heading=labels.name), sentence=f"{labels.sentence} ({counted})")


def _one(labels: Labels, source: Source, finding: str) -> Worded:
    name = labels.finding_called(finding)
    if name is None:
        known = ", ".join(f"{name} {number:,}" for name, number in labels.counts.most_common())
        raise InvalidOption(f"{labels.sentence} has no finding {finding!r}: expected one of {known}")
    rows = []
    for present, unknown in _states(labels, source, _NONE):
        is_known = name in present or not (unknown is None or name in unknown)
        rows.append((name if name in present else f"no {name}") if is_known else "")
    counted = _counted(Counter(filter(None, rows)))
    return Worded(rows=rows, told=Told(heading=name), sentence=f"{labels.sentence}, finding {finding} ({counted})")


def _findings(labels: Labels, source: Source) -> Worded:
    every = labels.names or tuple(sorted(labels.counts))
    nothing, summary = _of_all(labels, every)
    names = frozenset(every) - nothing - summary
    if len(names) < 2:
        nothing = summary = _NONE
        names = frozenset(every)
    rows, present_in, unknown_in, absent = [], Counter[str](), Counter[str](), 0
    for present, unknown in _states(labels, source, nothing):
        shown, doubtful = sorted(present & names), sorted(names if unknown is None else (unknown - present) & names)
        present_in.update(shown)
        is_told = len(doubtful) < len(names)
        unknown_in.update(doubtful)
        absent += len(names) - len(shown) - len(doubtful)
        rows.append((BAR.join([*shown, *(DOUBT + name for name in doubtful)]) or NO_FINDING) if is_told else "")
    if labels.names and not absent and any(labels.blank):
        raise Undecided(
            f"{labels.sentence} never say that a finding is absent, only that it is there, and leave other cells empty",
            option="blank",
            choices=("absent",),
        )
    how = "a finding each" if labels.names else "a list of findings"
    told = [
        f"{name} {present_in[name]:,}" + f" ({unknown_in[name]:,} not known)" * bool(unknown_in[name])
        for name in sorted(names)
    ]
    where = f"columns {labels.name}" if len(labels.columns) > 1 else column_named(labels.name)
    return Worded(
        rows=rows,
        told=Told(heading=labels.name, lists=True, columns=names if labels.names else None),
        sentence=f"{where}, {how} ({', '.join(told)}; none {rows.count(NO_FINDING):,})",
        notes=tuple(_notes(labels, source, nothing=nothing, summary=summary, names=names)),
    )


def _states(
    labels: Labels, source: Source, nothing: frozenset[str]
) -> Iterator[tuple[frozenset[str], frozenset[str] | None]]:
    """The findings that each row shows, and those that it leaves open; None for all.

    A row that shows what says that there is none has no empty cell left open.
    """
    for row, shown in enumerate(labels.shown):
        if not labels.names:
            yield shown or _NONE, None if shown is None and source.blank == "ignore" else _NONE
            continue
        present, unknown = shown or _NONE, _NONE
        uncertain, blank = labels.uncertain[row], labels.blank[row]
        if source.uncertain == "present":
            present |= uncertain
        elif source.uncertain == "ignore":
            unknown |= uncertain
        if source.blank == "ignore" and not present & nothing:
            unknown |= blank
        yield present, unknown


def _of_all(labels: Labels, names: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The names that say that there is no finding, and those that say that there is any."""
    nothing = {name for name in names if reads_as_negative(name) and not plain(name).startswith("benign")}
    known = [
        shown or _NONE
        for row, shown in enumerate(labels.shown)
        if labels.names and not (labels.uncertain[row] or labels.blank[row])
    ]
    if len(known) < _FEWEST_ROWS or len(names) < 3:
        return frozenset(nothing), _NONE
    if not nothing:
        nothing = {name for name in names if _is_told_by(name, known, lambda others: not others)}
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
        beside = sum(bool(shown and shown & nothing and shown & names) for shown in labels.shown)
        but = f"; {count(beside, 'row')} with a finding beside it: the finding counts" if beside else ""
        yield f"{listed(sorted(nothing))} says that there is no finding{but}"
    if summary:
        yield f"{listed(sorted(summary))} says that there is any of the findings, and is none itself"
    for what, rows, taken, option in (
        ("-1 (uncertain)", labels.uncertain, source.uncertain, "--uncertain"),
        ("empty", labels.blank, source.blank, "--blank"),
    ):
        if number := sum(len(row & names) for row in rows):
            means = "not known" if taken == "ignore" else taken
            yield f"{count(number, 'cell')} {'is' if number == 1 else 'are'} {what} and taken as {means} ({option})"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items()))
