"""A pretrained network whose last layer alone is fitted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rich.console import Console

from overread.bundle import WEIGHTS
from overread.images import DataSet
from overread.machine.temporary import clear
from overread.machine.terminal import say
from overread.networks.build import build_network
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.training.history import History
from overread.training.linear_head import fit_linear_head, has_linear_head
from overread.training.train_network import TrainedNetwork, spec_of, training_data


def train_head(data_set: DataSet, recipe: Recipe, folder: Path, *, console: Console) -> TrainedNetwork | None:
    """Fit the linear head of a recipe's network on its features as they are; its history has no epoch.

    Args:
        data_set: cases with their sides.
        recipe: of which the network, its start, the class weights and the seed count.
        folder: receives the weights.
        console: where progress is shown.

    Returns:
        The network, or None where it has an end of its own.
    """
    spec = spec_of(recipe, data_set)
    network = build_network(spec, pretrained=recipe.pretrained, seed=recipe.seed)
    if not has_linear_head(network):
        return None
    found = fit_linear_head(network, training_data(data_set), seed=recipe.seed, class_weights=recipe.class_weights)
    say(console, str(found))
    weights = RunFolder(folder).checkpoints / WEIGHTS
    weights.parent.mkdir(parents=True, exist_ok=True)
    clear(weights)
    network.save_weights(weights)
    spec = dataclasses.replace(spec, second_look=recipe.second_look)  # the head is fitted to one look
    return TrainedNetwork(spec=spec, weights=weights, precision="float32", history=History(rows=(), best_epoch=0))
