"""How results are laid out on a terminal: as JSON, as lines, or as a table in the widest form that fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from overread.machine.files import to_json
from overread.machine.terminal import data_output, shown

_WIDEST = 10_000


def print_json(values: dict[str, Any]) -> None:
    """Print values as one line of JSON."""
    typer.echo(to_json(values), data_output())


def print_lines(*lines: str, style: str = "") -> None:
    """Print lines in which nothing is markup, broken between words where they are too long."""
    for line in lines:
        Console().print(Text(shown(line), style=style))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table in the first of three forms that fits: as it is, what is in brackets below, a line a cell.

    Args:
        header: what heads the columns.
        rows: as many cells each, the first of which names the row.
    """
    console = Console()
    header, rows = [shown(heading) for heading in header], [[shown(cell) for cell in row] for row in rows]
    forms: list[RenderableType] = [
        _table(header, rows),
        _table(_stacked(header), [[row[0], *_stacked(row[1:])] for row in rows]),
    ]
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
        table.add_row(*(Text(cell) for cell in row))
    return table


def _stacked(cells: Sequence[str]) -> list[str]:
    """What stands in brackets on a line of its own."""
    return [cell.replace(" (", "\n(") for cell in cells]


def _listed(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Group:
    """A block of lines for each row, under its name; cells that are empty are left out."""
    parts: list[Text | Table] = []
    for name, *cells in rows:
        block = Table(box=None, show_header=False)
        for heading, cell in zip(header[1:], cells, strict=True):
            if cell:
                block.add_row(Text(f" {heading}"), Text(cell))
        parts += [Text(name, overflow="fold"), block]
    return Group(*parts)
