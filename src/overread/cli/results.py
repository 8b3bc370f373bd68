"""What a reader is worth, on a terminal: the tables of `evaluation.summary`, in the widest form that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from overread.cli.tables import print_json

if TYPE_CHECKING:
    from overread.evaluation import Assessment
    from overread.evaluation.summary import Rows
    from overread.study.crossvalidate import CrossValidation

_WIDEST = 10_000


def print_assessment(assessment: Assessment, as_json: bool) -> None:
    """Print the metrics of a test side, each with its interval."""
    if as_json:
        print_json(assessment.to_dict())
        return
    _print_summary(assessment)


def print_crossvalidation(result: CrossValidation, as_json: bool) -> None:
    """Print the pooled metrics of each seed, and how much they vary across folds and seeds."""
    if as_json:
        print_json(result.to_dict())
        return
    for seed, assessment in result.pooled.items():
        _print_lines(f"{len(result.folds[seed])} folds pooled, seed {seed}")
        _print_summary(assessment, result)


def _print_summary(assessment: Assessment, folds: CrossValidation | None = None) -> None:
    # Loads NumPy, which `--help` need not wait for.
    from overread.evaluation.summary import shown_metrics, summarise

    summary = summarise(assessment)
    first, *others = summary.tables
    if folds is not None:
        spread = [folds.spread(found.name) for found in shown_metrics(assessment)]
        first = _with_spread(first, spread)
    for table in (first, *others):
        _print_lines(table.caption)
        print_table(table.header, table.rows)
        _print_lines("")
    _print_lines(*summary.notes)


def _with_spread(table: Rows, spread: Sequence[dict[str, float | None]]) -> Rows:
    """Add how much each metric varies, leaving out what no metric has."""
    headings = {"folds_sd": "SD across folds", "seeds_sd": "SD across seeds"}
    shown = [name for name in headings if any(found[name] is not None for found in spread)]
    rows = tuple(
        (*row, *("" if found[name] is None else f"{found[name]:.3f}" for name in shown))
        for row, found in zip(table.rows, spread, strict=True)
    )
    return table._replace(header=(*table.header, *(headings[name] for name in shown)), rows=rows)


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in the first of three forms that fits: as it is, intervals below their values, a line a cell."""
    console = Console()
    forms = [_table(header, rows), _table(_stacked(header), [[row[0], *_stacked(row[1:])] for row in rows])]
    if len(header) > 2:
        forms.append(_listed(header, rows))
    widths = [console.measure(form, options=console.options.update(width=_WIDEST)).maximum for form in forms]
    fitting = [form for form, width in zip(forms, widths, strict=True) if width <= console.width]
    console.print(fitting[0] if fitting else forms[-1])


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    for heading in header:
        table.add_column(Text(heading), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _stacked(cells: Sequence[str]) -> list[str]:
    """What stands in brackets on a line of its own."""
    return [cell.replace(" (", "\n(") for cell in cells]


def _listed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """A block of lines for each row, under its name."""
    table = Table(box=None, show_header=False)
    for name, *cells in rows:
        table.add_row(Text(name), "")
        for heading, cell in zip(header[1:], cells, strict=True):
            table.add_row(Text(f"  {heading}"), Text(cell))
    return table


def _print_lines(*lines: str) -> None:
    for line in lines:
        Console().print(Text(line))
