"""The command line: parse, call one public function, print. Data go to stdout, progress to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table
from rich.text import Text

from overread import __version__
from overread.errors import Interrupted, InvalidOption, MissingPath, OutputExists, OverreadError
from overread.networks.augmentation import Augmentation
from overread.terminal import hide_notices
from overread.training.recipe import PRECISIONS, Recipe

if TYPE_CHECKING:
    from overread.evaluation import Assessment
    from overread.reading import Failure, Reading

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="A second reading of medical images: train a network from one folder, know how good it is, read new images.",
)
_progress = Console(stderr=True, soft_wrap=True)
_DEFAULT = Recipe()
_CHANGES = Augmentation()

Data = Annotated[Path, typer.Argument(help="Folder of class sub-folders, or a CSV of path,label[,patient_id][,split].")]
BundlePath = Annotated[Path, typer.Argument(help="Bundle directory or bundle.zip.", metavar="BUNDLE")]
Out = Annotated[Path, typer.Option(help="Folder of the results.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the results that the folder holds.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Store = Annotated[Path | None, typer.Option(help="Folder of decoded pixels that runs share; else the user's cache.")]
Skip = Annotated[bool, typer.Option("--skip-unreadable", help="Leave unreadable images out, naming each.")]
Positive = Annotated[str | None, typer.Option(help="The positive class of two.")]
Pattern = Annotated[
    str | None, typer.Option(help="Regular expression over file names: its groups, or its match, name the patient.")
]


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show it.")] = False,
) -> None:
    """Options of the program itself."""


def _of(panel: str, help_text: str, **options: Any) -> Any:
    return typer.Option(help=help_text, rich_help_panel=panel, **options)


@app.command()
def train(
    data: Data,
    out: Out,
    network: Annotated[str, _of("Network", "compact, efficientnet-lite0 or a keras.applications network.")] = "compact",
    pretrained: Annotated[bool, _of("Network", "Start from ImageNet weights (compact has none).")] = True,
    frozen_stages: Annotated[int, _of("Network", "Stages of efficientnet-lite0 that keep their weights.")] = 0,
    dropout: Annotated[float, _of("Network", "Fraction of pooled features dropped.")] = _DEFAULT.dropout,
    size: Annotated[int, _of("Images", "Side of the square that images are fitted to; 0: the network's.")] = 0,
    fit: Annotated[str, _of("Images", "pad (keep the aspect, on black) or stretch.")] = _DEFAULT.fit,
    colour: Annotated[str, _of("Images", "auto (look at the images), grey or colour.")] = _DEFAULT.colour,
    epochs: Annotated[int, _of("Training", "At most; 0: the network's.")] = 0,
    patience: Annotated[int, _of("Training", "Epochs without improvement before it stops.")] = _DEFAULT.patience,
    monitor: Annotated[str, _of("Training", "val_loss, val_auc or val_accuracy.")] = _DEFAULT.monitor,
    batch_size: Annotated[int, _of("Training", "Images a step.")] = _DEFAULT.batch_size,
    learning_rate: Annotated[float, _of("Training", "The highest, after one epoch of warm-up; 0: the network's.")] = 0,
    weight_decay: Annotated[float, _of("Training", "Of AdamW.")] = _DEFAULT.weight_decay,
    class_weights: Annotated[bool, _of("Training", "Make every class count alike.")] = True,
    precision: Annotated[str, _of("Training", f"{', '.join(PRECISIONS)}; auto measures.")] = _DEFAULT.precision,
    rotation: Annotated[float, _of("Augmentation", "Degrees, either way.")] = _CHANGES.rotation_degrees,
    shift: Annotated[float, _of("Augmentation", "Fraction of each side.")] = _CHANGES.shift,
    zoom: Annotated[float, _of("Augmentation", "Up to 1 + z larger or smaller.")] = _CHANGES.zoom,
    horizontal_flip: Annotated[bool, _of("Augmentation", "Mirror left and right.")] = _CHANGES.horizontal_flip,
    vertical_flip: Annotated[bool, _of("Augmentation", "Mirror top and bottom.")] = _CHANGES.vertical_flip,
    brightness: Annotated[float, _of("Augmentation", "Fraction of the pixel range.")] = _CHANGES.brightness,
    contrast: Annotated[float, _of("Augmentation", "Factor from 1 - c to 1 + c.")] = _CHANGES.contrast,
    validation: Annotated[float, _of("Split", "Fraction, where the data name no such side.")] = _DEFAULT.validation,
    test: Annotated[float, _of("Split", "Fraction, where the data name no such side.")] = _DEFAULT.test,
    seed: Annotated[int, _of("Split", "Of split, weights, order and augmentation.")] = _DEFAULT.seed,
    positive: Positive = None,
    patient_pattern: Pattern = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that the folder holds.")] = False,
    force: Force = False,
    skip_unreadable: Skip = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Train a network on a folder of labelled images and test it once.

    Example: overread train chest_xray --out runs/cxr --network efficientnet-lite0
    """
    from overread import study

    if resume and force:
        raise InvalidOption("--resume goes on with a run and --force replaces it: give one of them")
    augmentation = Augmentation(
        rotation_degrees=rotation, shift=shift, zoom=zoom, horizontal_flip=horizontal_flip, vertical_flip=vertical_flip,
        brightness=brightness, contrast=contrast,
    )  # fmt: skip
    recipe = Recipe(
        network=network, pretrained=pretrained, frozen_stages=frozen_stages, dropout=dropout, size=size, fit=fit,
        colour=colour, epochs=epochs, patience=patience, monitor=monitor, batch_size=batch_size,
        learning_rate=learning_rate, weight_decay=weight_decay, class_weights=class_weights, precision=precision,
        augmentation=augmentation, validation=validation, test=test, seed=seed,
    )  # fmt: skip
    result = study.train(
        study.read_manifest(data, positive=positive, patient_pattern=patient_pattern),
        out,
        recipe,
        existing="resume" if resume else "replace" if force else "refuse",
        skip_unreadable=skip_unreadable,
        store=store,
        console=_progress,
    )
    _print_assessment(result.assessment, as_json)
    _progress.print(f"open {result.report}; the bundle is {out / 'bundle'}", highlight=False)


@app.command()
def evaluate(
    bundle: BundlePath,
    data: Data,
    out: Out,
    patient_pattern: Pattern = None,
    force: Force = False,
    skip_unreadable: Skip = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Test a bundle on labelled images: the test side where the data name one, else all.

    Example: overread evaluate runs/cxr/bundle other_hospital --out runs/cxr-other
    """
    from overread import study
    from overread.bundle import Bundle

    opened = Bundle.load(bundle)
    result = study.evaluate(
        opened,
        study.read_manifest(data, patient_pattern=patient_pattern, classes=opened.classes),
        out,
        existing="replace" if force else "refuse",
        skip_unreadable=skip_unreadable,
        store=store,
        console=_progress,
    )
    _print_assessment(result, as_json)
    _progress.print(f"open {out / 'report.html'}", highlight=False)


@app.command()
def predict(
    bundle: BundlePath,
    images: Annotated[list[str], typer.Argument(help="Files, folders, patterns, or - for a list on standard input.")],
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write a CSV file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
) -> None:
    """Read new images: class, probabilities, decision at the operating point. Exit status 1 if any cannot be read.

    A table on a terminal, CSV elsewhere.

    Example: overread predict runs/cxr/bundle new_images/ --csv readings.csv
    """
    from overread import reading

    reader = reading.Reader.load(bundle)
    paths = reading.find_images(images, sys.stdin)
    readings = track(reader.read_many(paths), "reading", total=len(paths), console=_progress, transient=True)
    if csv_file is not None:
        failures = reading.write_csv(csv_file, readings, reader.bundle.classes)
    elif as_json:
        failures = reading.write_json_lines(sys.stdout, readings)
    elif sys.stdout.isatty():
        failures = _print_readings(readings)
    else:
        failures = reading.write_csv(sys.stdout, readings, reader.bundle.classes)
    if failures:
        _progress.print(f"{failures} of {len(paths)} images could not be read", style="bold red", highlight=False)
        raise typer.Exit(1)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Folder of the images and results.")] = Path("overread-demo"),
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Run the whole job on computer-made images (no patients): make, train, test, read, report. Under two minutes.

    Example: overread demo --out demo
    """
    from overread import study

    result = study.demo(out, existing="replace" if force else "refuse", console=_progress)
    _print_assessment(result.assessment, as_json)
    _progress.print(f"open {result.report}", highlight=False)
    _progress.print("next: overread train YOUR_FOLDER --out runs/first", highlight=False)


def _print_assessment(assessment: Assessment, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(assessment.to_dict()))
        return
    evaluation, level = assessment.evaluation, assessment.options.level
    decided = f", operating point {evaluation.threshold:.4g}" if evaluation.threshold is not None else ""
    patients = f" of {assessment.n_patients} patients"
    table = Table(title=f"test side, {evaluation.n} images{patients}{decided}", title_justify="left")
    for name in ("metric", "value", f"{level:.0%} interval", "n"):
        table.add_column(name, justify="left" if name == "metric" else "right")
    for name, metric in evaluation.metrics.items():
        low, high = assessment[name].interval.low, assessment[name].interval.high
        interval = assessment[name].interval.reason or f"{low:.3f} to {high:.3f}"
        table.add_row(name, metric.reason or f"{metric.value:.3f}", interval, str(metric.n))
    Console().print(table)


def _print_readings(readings: Iterable[Reading | Failure]) -> int:
    table, failures = Table(Column("image", overflow="fold"), "label", "probability"), 0
    for reading in readings:
        values = reading.to_dict()
        failures += values["error"] is not None
        if values["error"] is not None:
            table.add_row(values["path"], Text(values["error"], style="red"), "")
        else:
            table.add_row(values["path"], values["label"], f"{values['probabilities'][values['label']]:.3f}")
    Console().print(table)
    return failures


def main() -> None:
    """Run the command line; an expected error becomes one sentence on stderr.

    Exit status: 0 fine, 1 images that cannot be read or a run that failed, 2 wrong use, 130 interrupted.
    """
    hide_notices()
    try:
        app()
    except OverreadError as error:
        wrong_use = isinstance(error, InvalidOption | MissingPath | OutputExists)
        _stop(str(error), 130 if isinstance(error, Interrupted) else 2 if wrong_use else 1)
    except OSError as error:
        # What Keras, TensorFlow or Pillow could not write or read in the middle of a run.
        _stop(
            f"{error}: free some space or check the permissions; a training run goes on with --resume", 1, at_once=True
        )


def _stop(sentence: str, status: int, *, at_once: bool = False) -> None:
    _progress.print(f"overread: {sentence}", style="bold red", markup=False, highlight=False)
    if at_once:
        # h5py crashes the interpreter on its way out when a file could not be closed on a full disk.
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    main()
