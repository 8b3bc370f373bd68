"""The whole job on computer-made images, for whoever wants to see it before bringing images of their own."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from overread.demo.phantom import write_phantoms
from overread.machine.terminal import say
from overread.networks.augmentation import Augmentation
from overread.reading import Reader, write_readings
from overread.recipe import Recipe
from overread.run import Existing, Run, RunFolder
from overread.study.data import read_manifest
from overread.study.train import Study, train

_PHANTOM_PATIENT = r"^(P\d+)_"
_DEMO_RECIPE = Recipe(
    network="compact",
    size=96,
    epochs=12,
    batch_size=16,
    precision="float32",  # at this size the measuring would cost more than it can gain
    # The changes of the default teach as much, but in 60 rounds instead of 12.
    augmentation=Augmentation(
        rotation_degrees=25,
        shift=0.06,
        zoom=0.12,
        horizontal_flip=True,
        brightness=0.1,
        contrast=0.2,
        gamma=0,
        blur=0,
        sharpness=0,
        noise=0,
    ),
)


def demo(out: str | Path, *, existing: Existing = "refuse", console: Console | None = None) -> Study:
    """Do the whole job on computer-made phantoms: make them, train, test, and read some with the bundle.

    Args:
        out: receives `images/` and the run in `run/`, with `readings.csv`.
        existing: what to do when out holds something: refuse or replace.
        console: where progress is written; nowhere by default.
    """
    console, out = console or Console(quiet=True), Path(out)
    RunFolder.open(out, existing).write(Run(kind="demo"))
    images = write_phantoms(out / "images")
    say(console, f"{images} holds computer-made endoscopy phantoms with a few planted defects; none shows a patient")
    manifest = read_manifest(images, patient_pattern=_PHANTOM_PATIENT)
    result = train(manifest, out / "run", _DEMO_RECIPE, skip_unreadable=True, study_id="demo", console=console)
    failures = write_readings(out / "readings.csv", Reader(result.bundle).read_many(manifest.paths), manifest.task)
    say(console, f"{out / 'readings.csv'} has the reading of every image, {failures} named failures among them")
    return result
