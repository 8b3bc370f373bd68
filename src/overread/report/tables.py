"""Tables of metrics: value, interval, the cases behind it and the method, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping

from overread.evaluation import Estimate
from overread.evaluation.wording import ends_of, in_cell, methods_of, value_of
from overread.report.document import Table
from overread.words import level_of


def metrics_table(caption: str, estimates: Mapping[str, Estimate], *, level: float) -> Table:
    """Lay out metrics, a row each; an undefined one gives its reason.

    Args:
        caption: what they were measured on.
        estimates: by the words that name the row.
        level: of their intervals.
    """
    rows = tuple(
        (
            label,
            value_of(metric),
            metric.reason or ends_of(interval),
            f"{metric.n:,}",
            "none" if metric.reason else interval.method,
        )
        for label, (metric, interval) in estimates.items()
    )
    return Table(caption, ("Metric", "Value", f"{level_of(level)} interval", "n", "Method"), rows)


def side_by_side_table(
    caption: str, first: tuple[str, Mapping[str, Estimate]], second: tuple[str, Mapping[str, Estimate]], *, level: float
) -> Table:
    """Lay out the same metrics at two thresholds, a row each.

    Args:
        caption: what they were measured on.
        first: the heading of its column, and metrics by the words that name the row.
        second: likewise, of the same metrics.
        level: of their intervals.
    """
    rows = tuple(
        (
            label,
            in_cell(one),
            f"{one.metric.n:,}",
            in_cell(other),
            f"{other.metric.n:,}",
            methods_of({first[0]: one, second[0]: other}),
        )
        for (label, one), other in zip(first[1].items(), second[1].values(), strict=True)
    )
    return Table(_with_brackets(caption, level), ("Metric", first[0], "n", second[0], "n", "Method"), rows)


def per_class_table(
    caption: str, estimates: Mapping[str, Mapping[str, Estimate]], *, level: float, heading: str = "Class"
) -> Table:
    """Lay out metrics of each class, a row a class; with several, each cell holds value and interval.

    Args:
        caption: what they were measured on.
        estimates: by class and by the words that head the column; the same ones for each class.
        level: of their intervals.
        heading: over the classes, or what else is judged.
    """
    columns = tuple(next(iter(estimates.values())))
    rows = tuple(
        (name, *(in_cell(found[column]) for column in columns), methods_of(found)) for name, found in estimates.items()
    )
    return Table(_with_brackets(caption, level), (heading, *columns, "Method"), rows)


def _with_brackets(caption: str, level: float) -> str:
    return f"{caption}; in brackets {level_of(level)} intervals"
