"""`overread notebook`: the whole job, cell by cell."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from overread.cli.commands import app, progress
from overread.cli.options import Force, replaced_if
from overread.machine.terminal import say


@app.command()
def notebook(
    out: Annotated[Path, typer.Option(help="File, or the folder to put it into.")] = Path("quickstart.ipynb"),
    force: Force = False,
) -> None:
    """Write a notebook that does the whole job cell by cell, on computer-made images or on yours.

    Example: overread notebook --out larynx.ipynb
    """
    from overread.demo.notebook import write_notebook

    file = write_notebook(out, existing=replaced_if(force))
    typer.echo(file)
    if importlib.util.find_spec("jupyterlab") is None:
        say(progress, "Jupyter is not installed here: pip install 'overread[notebook]'")
    say(progress, f"open it with: jupyter lab {file}")
