"""The command line: parse, call one public function, print. Data go to stdout, progress to stderr."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from overread import __version__
from overread.cases.source import Source
from overread.cli.calls import Commands
from overread.cli.options import (
    BundlePath,
    EngineOption,
    ExamPattern,
    ExamsOption,
    Force,
    Json,
    Out,
    Skip,
    Store,
    make_assessment_options,
    make_recipe,
    make_running,
    make_source,
    make_split_recipe,
    replaced_if,
    require_source,
    resumable,
    takes,
)
from overread.cli.results import print_assessment, print_comparison, print_crossvalidation
from overread.cli.tables import print_audit, print_monitoring, print_readings
from overread.cli.verbs import Verbs
from overread.errors import InvalidOption
from overread.machine.remote import local_place, place
from overread.machine.terminal import data_output, say
from overread.run import CrossValidationRun, RunFolder, TrainingRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from overread.cases.exams.exam import Exam
    from overread.cases.exams.gathering import Gathering
    from overread.evaluation import AssessmentOptions
    from overread.reading import Reader
    from overread.recipe import Recipe


app = Commands(
    cls=Verbs,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A second reading of medical images: train a network from one folder, know how good it is, read new images.",
)
progress = Console(stderr=True, soft_wrap=True)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Options of the program itself."""


@app.command()
@takes(source=make_source, recipe=make_split_recipe)
def audit(
    source: Source | None,
    out: Annotated[
        Path | None, typer.Option(parser=local_place, help="Folder for a report with thumbnails.", metavar="PATH")
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option(parser=place, help="CSV to write a cleaned manifest to, which train takes.", metavar="PATH"),
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Print each finding in full, and what to do.")] = False,
    *,
    recipe: Recipe,
    force: Force = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Find what would spoil a study: leaks, copies, masks, shortcuts. Exit status 0 nothing, 1 warnings, 3 it blocks.

    Sides that the data do not name are carved as train carves them. With --fix the exit status is 0 where the cleaned
    manifest mends all that blocks.

    Example: overread audit chest_xray --out runs/cxr-audit --fix cleaned.csv
    """
    from overread import study
    from overread.auditing import mended_codes

    found = study.audit(
        require_source(source), out, recipe, fix=fix, existing=replaced_if(force), store=store, console=progress
    )
    print_audit(found, as_json, details=details)
    if out is not None:
        say(progress, f"open {RunFolder(out).report}")
    raise typer.Exit(found.exit_status if fix is None else found.exit_status_without(mended_codes()))


@app.command()
@resumable(TrainingRun)
@takes(source=make_source, recipe=make_recipe, options=make_assessment_options, running=make_running)
def train(
    source: Source | None,
    out: Out,
    folds: Annotated[
        int, typer.Option(help="2 to 20: train as many networks, each without one part, and bundle their average.")
    ] = 1,
    time: Annotated[
        str | None,
        typer.Option(help="Such as 30m, 2h or 90s: try what there is time for, and bundle the best.", metavar="TIME"),
    ] = None,
    *,
    recipe: Recipe,
    options: AssessmentOptions,
    running: dict[str, Any],
    as_json: Json = False,
) -> None:
    """Train a network on a folder of labelled images, or one a fold, and test what comes out once.

    Example: overread train chest_xray --out runs/cxr --network efficientnet-lite0 --operating-point sensitivity=0.95
    """
    from overread import study

    result = study.train(source, out, recipe, folds=folds, time=time, options=options, console=progress, **running)
    print_assessment(result.assessment, as_json)
    say(progress, f"open {result.report}; the bundle is {RunFolder(out).bundle}")


@app.command()
@resumable(CrossValidationRun)
@takes(source=make_source, recipe=make_recipe, options=make_assessment_options, running=make_running)
def crossvalidate(
    source: Source | None,
    out: Out,
    folds: Annotated[int, typer.Option(help="Parts that each serve as the test side once.")] = 5,
    seeds: Annotated[int, typer.Option(help="Trainings of each fold.")] = 1,
    keep_ensemble: Annotated[bool, typer.Option("--keep-ensemble", help="Bundle all networks, averaged.")] = False,
    *,
    recipe: Recipe,
    options: AssessmentOptions,
    running: dict[str, Any],
    as_json: Json = False,
) -> None:
    """Train and test on every fold by patient, with one seed or several; a test side that the data name stays unopened.

    Example: overread crossvalidate larynx --out runs/larynx-cv --folds 5 --seeds 3 --keep-ensemble
    """
    from overread import study

    result = study.crossvalidate(
        source, out, recipe, folds=folds, seeds=seeds, ensemble=keep_ensemble, options=options, console=progress,
        **running,
    )  # fmt: skip
    print_crossvalidation(result, as_json)
    say(progress, f"open {result.report}")


@app.command()
@takes(source=make_source, options=make_assessment_options)
def evaluate(
    bundle: BundlePath,
    source: Source | None,
    out: Out,
    options: AssessmentOptions,
    force: Force = False,
    skip_unreadable: Skip = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Test a bundle on labelled images: the test side where the data name one, else all.

    Example: overread evaluate runs/cxr/bundle other_hospital --out runs/cxr-other --prevalence 0.02 --by sex --by age
    """
    from overread import study

    result = study.evaluate(
        bundle, require_source(source), out, options=options, existing=replaced_if(force),
        skip_unreadable=skip_unreadable, store=store, console=progress,
    )  # fmt: skip
    print_assessment(result, as_json)
    say(progress, f"open {RunFolder(out).report}")


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Folder of an evaluation or of a training run.", metavar="EVAL_A")],
    second: Annotated[Path, typer.Argument(help="Another of the same cases.", metavar="EVAL_B")],
    out: Annotated[Path | None, typer.Option(help="Folder for a report and the figures as JSON.")] = None,
    level: Annotated[float, typer.Option(help="Of every interval.")] = 0.95,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Compare two readers on the same cases: the difference of each metric (B less A), its interval and p.

    Example: overread compare runs/cxr runs/cxr-lite --out runs/compact-or-lite
    """
    from overread import study
    from overread.evaluation import AssessmentOptions

    options = AssessmentOptions(level=level)
    result = study.compare(first, second, out, options=options, existing=replaced_if(force))
    print_comparison(result, as_json, readers=(str(first), str(second)))
    say(progress, f"open {RunFolder(out).report}" if out else "--out FOLDER writes this as a page")


@app.command()
def predict(
    bundle: BundlePath,
    images: Annotated[list[str], typer.Argument(help="Files, folders, patterns, or - for a list on standard input.")],
    csv_file: Annotated[
        Path | None, typer.Option("--csv", parser=place, help="Write a CSV file.", metavar="PATH")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    out: Annotated[
        str | None,
        typer.Option(
            help="Folder or address for the readings of an archive, as files of a part each; goes on after any end.",
            metavar="PATH",
        ),
    ] = None,
    engine: EngineOption = None,
    parts: Annotated[
        str | None, typer.Option(help="parquet (where pyarrow is installed) or csv.", metavar="KIND")
    ] = None,
    part_images: Annotated[int | None, typer.Option(help="Images of a part; else 1,000.")] = None,
    exams: ExamsOption = None,
    exam_pattern: ExamPattern = None,
    each: Annotated[
        Path | None,
        typer.Option(parser=local_place, help="Write a CSV with a row for each frame of each exam.", metavar="PATH"),
    ] = None,
) -> None:
    """Read new images: class, probabilities, decision, referral to a human. Exit status 1 if any cannot be read.

    A table on a terminal, CSV elsewhere. With --out an archive of any size: run the same command again to go on. A
    bundle that was trained on exams reads exams, a row each, and takes tables with the columns path and exam_id, too.

    Example: overread predict runs/cxr/bundle new_images/ --csv readings.csv

    Example: overread predict runs/cxr/bundle s3://archive/2026/ --out s3://readings/2026/ --engine ray://head:10001
    """
    if out is not None:
        if csv_file is not None or as_json or each is not None:
            raise InvalidOption("--out writes parts and a report: leave out --csv, --json and --each, or --out")
        gathering = gathering_of(exams, exam_pattern)
        score_archive(bundle, images, out, engine=engine, kind=parts, part_images=part_images, exams=gathering)
        return
    if engine or parts or part_images:
        raise InvalidOption("--engine, --parts and --part-images read an archive: give --out FOLDER for its parts")
    from overread import reading

    reader = reading.Reader.load(bundle)
    task, of_exams = reader.bundle.task, reader.reads_exams
    if each is not None and not of_exams:
        raise InvalidOption("--each tells the frames of exams, and this bundle reads single images: leave it out")
    found, losses = named(reader, images, gathering_of(exams, exam_pattern))
    readings = reader.read_many(found)
    if each is not None:
        readings = reading.writing_frames(each, readings)
    shown = track(readings, "reading", total=len(found), console=progress, transient=True)
    if csv_file is not None:
        failures = reading.write_readings(csv_file, shown, task, of_exams=of_exams)
    elif as_json:
        failures = reading.write_json_lines(data_output(), shown)
    elif sys.stdout.isatty():
        failures = print_readings(shown, task, of_exams=of_exams)
    else:
        failures = reading.write_readings(data_output(), shown, task, of_exams=of_exams)
    end_reading(failures + losses, len(found) + losses, "exams" if of_exams else "images")


def score_archive(bundle: Path, images: list[str], out: str, **options: Any) -> None:
    """Read an archive into parts, and say what became of it."""
    from overread.scoring import ScoringOptions, score

    scored = score(bundle, images, out, ScoringOptions(**options), standard_input=sys.stdin, console=progress)
    print_monitoring(scored.monitoring, as_json=False)
    say(progress, f"open {scored.report}" if scored.report else f"the report is {place(out) / 'monitoring.json'}")
    if scored.missing:
        say(progress, f"{scored.missing} parts are missing: run the same command again", "bold red")
        raise typer.Exit(1)
    end_reading(scored.failures, scored.images)


def gathering_of(exams: str | None, pattern: str | None) -> Gathering | None:
    """What the options say is one exam."""
    from overread.reading.exams.find import gathering_asked

    return gathering_asked(exams, pattern)


def named(reader: Reader, sources: list[str], exams: Gathering | None) -> tuple[Sequence[Path | Exam], int]:
    """The images or exams that are named, after saying what was left out, and how many could not be had."""
    from overread.cases import LeftOut
    from overread.reading.prediction import to_be_read

    left_out = LeftOut()
    found = to_be_read(reader, sources, sys.stdin, left_out, exams=exams)
    for sentence in left_out.sentences():
        say(progress, sentence)
    return found, left_out.losses


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the images and results.")] = Path("overread-demo"),
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Run the whole job on computer-made images (no patients): make, train, test, read, report. Under two minutes.

    Example: overread demo --out demo
    """
    from overread.demo.demo import demo as run_demo

    result = run_demo(out, existing=replaced_if(force), console=progress)
    print_assessment(result.assessment, as_json)
    say(progress, f"open {result.report}")
    say(progress, f"read images in the browser: overread serve {result.out}")
    say(progress, "next: overread train YOUR_FOLDER --out runs/first")


def end_reading(failures: int, images: int, noun: str = "images") -> None:
    """End a command that reads images: exit status 1, and how many, where any could not be read."""
    if failures:
        say(progress, f"{failures} of {images} {noun} could not be read", "bold red")
        raise typer.Exit(1)
