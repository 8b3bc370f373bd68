"""`overread explain`: pictures of the evidence."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import track

from overread.cli.commands import app, end_reading, images_named, progress
from overread.cli.options import BundlePath, Force, Out, replaced_if
from overread.machine.content.text import storable
from overread.machine.files import to_json
from overread.machine.terminal import data_output, say


@app.command()
def explain(
    bundle: BundlePath,
    images: Annotated[list[str], typer.Argument(help="Files, folders, patterns, or - for a list on standard input.")],
    out: Out,
    shown: Annotated[
        str | None,
        typer.Option("--class", help="Class, finding or cut whose evidence is drawn; else what is decided on."),
    ] = None,
    opacity: Annotated[float, typer.Option(help="Of the strongest colour, 0 to 1.")] = 0.5,
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Draw where the evidence lies: a PNG an image, with the map over it at its right. Exit status 1 if any fails.

    Prints the name of each PNG. Colours run from violet to yellow at 20 logits and more, alike in every image.

    Example: overread explain runs/cxr/bundle new_images/ --out explained
    """
    from overread import reading
    from overread.reading.sentences import NOT_READ, is_read

    reader, (paths, losses) = reading.Reader.load(bundle), images_named(images)
    made = reading.explain(reader, paths, out, shown=shown, opacity=opacity, existing=replaced_if(force))
    failures = 0
    for found in track(made, "drawing", total=len(paths), console=progress, transient=True):
        if isinstance(found.result, reading.Failure):
            failures += 1
            say(progress, f"{found.result.path}: {found.result.error}", "red")
        elif not is_read(found.result):
            say(progress, f"{found.result.path}: {NOT_READ[0].lower()}{NOT_READ[1:]}", "yellow")
        if as_json:
            typer.echo(to_json(found.to_dict()), data_output())
        elif found.picture is not None:
            typer.echo(storable(str(found.picture)), data_output())
    end_reading(failures + losses, len(paths) + losses)
