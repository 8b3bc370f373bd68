"""One network of a run, as work that any process can do."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from overread.cases import Manifest
from overread.images import DataSet
from overread.images.prepare import Preprocessing
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.study.data import open_data_set
from overread.study.stages.elsewhere import kept

if TYPE_CHECKING:
    from overread.training.train_network import TrainedNetwork


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class NetworkTraining:
    """A network that is to be trained on one part of the cases and watched on another.

    Args:
        title: says which of several; empty for the only one.
        every: the cases as they were decoded, from which another process opens the pixels again.
        sides: the readable ones with their sides.
        data_set: these with their pixels; it stays in its process.
        preprocessing, store, skip_unreadable: with which they were decoded.
        recipe: with the seed.
        out: the folder of its log and checkpoints.
        storage: the place where that folder is kept while another machine trains.
        callbacks: as for `train`.
        console: where progress is written. It stays in its process: elsewhere training is silent.
    """

    title: str
    every: Manifest
    sides: Manifest
    data_set: DataSet | None
    preprocessing: Preprocessing
    store: Path | None
    skip_unreadable: bool
    recipe: Recipe
    out: Path
    storage: str | None = None
    callbacks: tuple[Any, ...] = ()
    console: Console | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "console": None, "data_set": None}


def train_one(training: NetworkTraining) -> TrainedNetwork:
    """Train a network, or go on with it; its weights are named as those of its own folder.

    Hosts that have joined this one train it too.
    """
    from overread.training import crew
    from overread.training.exams.train_exams import train_exams
    from overread.training.memory import asking_for_less
    from overread.training.train_network import train_network

    if crew.is_first():
        crew.share(lambda: training)
    console = training.console or Console(quiet=True)
    if training.title:
        console.rule(training.title)
    data_set = training.data_set or open_data_set(
        training.every, training.preprocessing, training.store, training.skip_unreadable, console
    ).with_split(training.sides)
    crew.require_same(data_set.fingerprint, "images")
    with kept(training.out, training.storage) as (folder, callbacks), crew.ended_by_loss():
        folder.mkdir(parents=True, exist_ok=True)
        if training.title:
            training.sides.write_csv(RunFolder(folder).manifest)
        callbacks = [*callbacks, *training.callbacks]
        with asking_for_less(training.recipe):
            if data_set.is_of_exams:
                trained = train_exams(data_set, training.recipe, folder, console=console, callbacks=callbacks)
            else:
                trained = train_network(data_set, training.recipe, folder, console=console, callbacks=callbacks)
    attention = trained.attention and training.out / trained.attention.relative_to(folder)
    weights = training.out / trained.weights.relative_to(folder)
    return dataclasses.replace(trained, weights=weights, attention=attention)


def _nothing() -> NetworkTraining | None:
    """What the first host gives when it has nothing more to train."""
    return None


def follow() -> None:
    """Train what the first host trains, network by network, until it is done, and keep nothing of it."""
    from overread.training import crew

    with crew.ended_by_loss():
        while (training := crew.share(_nothing)) is not None:
            with tempfile.TemporaryDirectory() as folder:
                train_one(dataclasses.replace(training, out=Path(folder), storage=None))
