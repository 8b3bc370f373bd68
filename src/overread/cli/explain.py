"""`overread explain`: pictures of the evidence."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import track

from overread.cli.commands import app, end_reading, gathering_of, named, progress
from overread.cli.options import BundlePath, ExamPattern, ExamsOption, Force, Out, replaced_if
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
    exams: ExamsOption = None,
    exam_pattern: ExamPattern = None,
) -> None:
    """Draw where the evidence lies: a PNG an image, with the map over it at its right. Exit status 1 if any fails.

    Prints the name of each PNG. Colours run from violet to yellow at 20 logits and more, alike in every image. Of an
    exam the frames that gave most are drawn, each above its map, and below them a strip of what every frame gave.

    Example: overread explain runs/cxr/bundle new_images/ --out explained
    """
    from overread import reading
    from overread.reading.sentences import NOT_READ, is_read

    reader = reading.Reader.load(bundle)
    paths, losses = named(reader, images, gathering_of(exams, exam_pattern))
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
    end_reading(failures + losses, len(paths) + losses, "exams" if reader.reads_exams else "images")
