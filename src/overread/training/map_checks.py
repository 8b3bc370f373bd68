"""Two checks of activation maps on validation images: do they come from what was learnt, and where do they lie?"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from overread.bundle import Bundle, Graph
from overread.decision import Task
from overread.evaluation.curves import midranks
from overread.images import DataSet
from overread.networks.backend import keras
from overread.networks.build import build_network
from overread.training.train_network import TrainedNetwork

BORDER = 0.1  # of each side
_IMAGES, _RANDOMISED_IMAGES, _DRAWS = 256, 32, 3
# Below this many cells, chance alone makes maps alike.
_LEAST_CELLS = 9
_WINDOW = 7
_Box = tuple[float, float, float, float]


def check_activation_maps(
    trained: TrainedNetwork, unseen: Iterable[tuple[Graph, DataSet]], bundle: Bundle, *, of: int
) -> dict[str, Any]:
    """Check the maps of up to 256 validation images, evenly spread over them.

    Args:
        trained: the first network.
        unseen: the graph of each network, with the data set whose validation side it never saw; no other side is used.
        bundle: with the calibrations and the operating points that decide.
        of: how many networks there are.

    Returns:
        `randomised` (see `compare_randomised`; of the first network), `placed` (see `place_evidence`; of all of them)
        and `border`, the share of each side that counts as one, as JSON values.
    """
    task, found = bundle.task, list[_Seen]()
    for member, (graph, data_set) in zip(bundle.members, unseen, strict=True):
        validation = data_set.manifest.select("val")
        pixels = data_set.pixels([validation[i] for i in _spread(len(validation), _IMAGES // of)])
        outputs = graph.run(pixels)
        y_prob = member.calibration.apply(outputs.logits, task)
        found.append(_Seen(pixels=pixels, maps=outputs.activation_maps, y_prob=y_prob))
    first, pixels = found[0], np.concatenate([seen.pixels for seen in found])
    maps, y_prob = (np.concatenate([getattr(seen, name) for seen in found]) for name in ("maps", "y_prob"))
    decided = task.decide(y_prob, bundle.thresholds)
    few = _spread(len(first.pixels), _RANDOMISED_IMAGES)
    foremost = [task.foremost(task.label(decided[i]), dict(zip(task.classes, y_prob[i], strict=True))) for i in few]
    of_image, of_class = np.nonzero(task.indicators(decided))
    shown = [task.classes[column] for column in of_class]
    return {
        "randomised": compare_randomised(trained, task, pixels[few], _evidence(task, maps[few], foremost), foremost),
        "border": BORDER,
        "placed": place_evidence(pixels[of_image], _evidence(task, maps[of_image], shown), shown, bundle.classes),
    }


class _Seen(NamedTuple):
    """What one network makes of images: their pixels, maps and calibrated probabilities."""

    pixels: np.ndarray
    maps: np.ndarray
    y_prob: np.ndarray


def _evidence(task: Task, activation_maps: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """`(n, h, w)` what each of n maps holds for the class beside it; n may be 0."""
    found = [task.evidence(one, name) for one, name in zip(activation_maps, names, strict=True)]
    return np.array(found, dtype=activation_maps.dtype).reshape(activation_maps.shape[:3])


def compare_randomised(
    trained: TrainedNetwork, task: Task, pixels: np.ndarray, maps: np.ndarray, names: Sequence[str]
) -> dict[str, Any]:
    """Compare the maps of a network with those after its weights were put back to random ones, from the top down.

    A map that stays as it is shows edges or habits of the architecture, not what was learnt.

    Args:
        trained: the network.
        task: what it tells apart.
        pixels: `(n, height, width, channels)` uint8.
        maps: `(n, h, w)`, its evidence for a class of each image.
        names: of these classes.

    Returns:
        `images`, `cells`, `draws`, and for each of `stages` its name, the `rank_correlation` (Spearman; its size, since
        random weights have no sign) and the `ssim` (of maps scaled to 0 to 1), means over images and draws. A constant
        map counts as unlike. There are no stages where maps have fewer than 9 cells.

    References:
        Adebayo et al. Sanity Checks for Saliency Maps. arXiv:1810.03292.
    """
    cells = list(maps.shape[1:])
    found: dict[str, Any] = {"images": len(maps), "cells": cells, "draws": _DRAWS, "stages": []}
    if np.prod(cells) < _LEAST_CELLS:
        return found
    alike: dict[str, list[tuple[float, float]]] = {}
    for stage, network in _randomised(trained):
        changed = _evidence(task, network.predict(pixels, verbose=0)["activation_map"], names)
        alike.setdefault(stage, []).extend(itertools.starmap(likeness, zip(maps, changed, strict=True)))
    for stage, values in alike.items():
        correlation, ssim = np.mean(values, axis=0).round(3).tolist()
        found["stages"].append({"name": stage, "rank_correlation": correlation, "ssim": ssim})
    return found


def likeness(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The size of the rank correlation of two `(h, w)` maps, and the structural similarity of both scaled to 0 to 1.

    References:
        Wang et al. Image Quality Assessment: From Error Visibility to Structural Similarity.
        doi:10.1109/TIP.2003.819861.
    """
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0, 0.0
    correlation = np.corrcoef(midranks(one.ravel()), midranks(other.ravel()))[0, 1]
    sides = [min(_WINDOW, side) for side in one.shape]
    a, b = (
        np.lib.stride_tricks.sliding_window_view((values - values.min()) / np.ptp(values), sides)
        for values in (one.astype(np.float64), other.astype(np.float64))
    )
    axes = (2, 3)
    mean_a, mean_b = a.mean(axes), b.mean(axes)
    covariance = (a * b).mean(axes) - mean_a * mean_b
    similar = (2 * mean_a * mean_b + 0.01**2) * (2 * covariance + 0.03**2)
    similar /= (mean_a**2 + mean_b**2 + 0.01**2) * (a.var(axes) + b.var(axes) + 0.03**2)
    return abs(float(correlation)), float(similar.mean())


def _randomised(trained: TrainedNetwork) -> Iterator[tuple[str, keras.Model]]:
    """The network with its head, its upper half and the whole of it random, by one draw after the other."""
    network = build_network(trained.spec, seed=1)
    layers = list(zip(_leaves(network), _leaves(trained.build()), strict=True))
    fresh = [layer.get_weights() for layer, _ in layers]
    stages = (("head", len(layers) - 1), ("head and upper half", len(layers) // 2), ("all", 0))
    random = np.random.default_rng(0)
    for _ in range(_DRAWS):
        for name, kept in stages:
            for position, (layer, source) in enumerate(layers):
                layer.set_weights(source.get_weights() if position < kept else fresh[position])
            yield name, network
        # Initial weights are drawn independently of one another, so that any order of them is another draw.
        fresh = [[random.permutation(w.ravel()).reshape(w.shape) for w in weights] for weights in fresh]


def _leaves(layer: Any) -> list[Any]:
    """The layers with weights, from the image to the head."""
    if hasattr(layer, "layers"):
        return [leaf for child in layer.layers for leaf in _leaves(child)]
    return [layer] if layer.weights else []


def place_evidence(
    pixels: np.ndarray, maps: np.ndarray, decided: Sequence[str], classes: Sequence[str]
) -> list[dict[str, Any]]:
    """Say for each class where the evidence for it lies in the images that are decided to be of it.

    Args:
        pixels: `(n, height, width, channels)` uint8; n may be 0.
        maps: `(n, h, w)`, the evidence for the class decided on.
        decided: of each image, the class; an image that is decided to be of several stands there once for each.
        classes: all of them.

    Returns:
        For each class `class`, `images`, `mean_map` (of the positive evidence, `(h, w)`), and of all positive evidence
        the share on the `border`, the outer tenth of each side, and on the `rim`, the rows and columns at the edge that
        are black all along, such as preprocessing adds; each with the share of the `area`, as `[evidence, area]`.
        An evidence share is None where there is no positive evidence.
    """
    positive = np.maximum(maps, 0).astype(np.float64)
    rows, columns = maps.shape[1:]
    inner = _inside((BORDER, BORDER, 1 - BORDER, 1 - BORDER), rows, columns)
    border = np.broadcast_to(1 - inner, positive.shape)
    rim = 1 - np.array([_inside(_content_box(image), rows, columns) for image in pixels]).reshape(positive.shape)
    names, found = np.array(decided), []
    for name in classes:
        chosen = names == name
        mass = positive[chosen].sum()
        shares = {
            place: [
                round(float((positive[chosen] * share[chosen]).sum() / mass), 3) if mass > 0 else None,
                round(float(share[chosen].mean()), 3) if chosen.any() else 0.0,
            ]
            for place, share in (("border", border), ("rim", rim))
        }
        mean = positive[chosen].mean(axis=0) if chosen.any() else np.zeros((rows, columns))
        found.append({"class": name, "images": int(chosen.sum()), "mean_map": mean.round(3).tolist(), **shares})
    return found


def _inside(box: _Box, rows: int, columns: int) -> np.ndarray:
    """Of each cell of a map, the share that lies in a box of left, top, right, bottom from 0 to 1."""
    left, top, right, bottom = box
    return np.outer(_overlap(rows, top, bottom), _overlap(columns, left, right))


def _overlap(cells: int, low: float, high: float) -> np.ndarray:
    starts: np.ndarray = np.arange(cells)
    return np.clip(np.minimum(starts + 1, high * cells) - np.maximum(starts, low * cells), 0, 1)


def _content_box(pixels: np.ndarray) -> _Box:
    """What is left of an image without the black rows and columns at its edge; of a black image all."""
    height, width, _ = pixels.shape
    rows, columns = np.flatnonzero(pixels.any(axis=(1, 2))), np.flatnonzero(pixels.any(axis=(0, 2)))
    if not len(rows):
        return 0.0, 0.0, 1.0, 1.0
    return columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height


def _spread(available: int, wanted: int) -> list[int]:
    """Up to so many positions, evenly spread."""
    return [int(i) for i in np.linspace(0, available - 1, min(available, wanted))]
