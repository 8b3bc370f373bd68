"""Activation maps: whether they come from what was learnt, and where on images they lie."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from overread.images import DataSet
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import ImageWithEvidence, draw_mean_maps
from overread.words import count, percent

# Maps that are alike to this degree when all weights are random say little of what was learnt. Those of a trained
# network reached a rank correlation of 0.25, those of one that had learnt nothing 0.57 (chest X-rays, compact, November
# 2026).
_ALIKE = 0.5
_FAR_OVER, _LEAST_IMAGES, _LEAST_AREA = 1.5, 10, 0.02
# With fewer cells a side, even evidence in the very corner spreads over too much of the image to be far over.
_LEAST_SIDE = 5
_AVERAGED_IMAGES = 64
# Of many findings those that are decided on most often are drawn.
_MOST_QUESTIONS = 16


def activation_maps_section(found: Mapping[str, Any], data_set: DataSet, folder: Path, chosen_on: str) -> Section:
    """Say what two checks of the activation maps of validation images, or of out-of-fold ones, found.

    Args:
        found: `randomised`, `border` and `placed`, as `training.map_checks.check_activation_maps` gives them.
        data_set: with these images.
        folder: of the figures.
        chosen_on: the images, in words.
    """
    exact = (
        "The activation map is no estimate: the network gives it in the same pass, in logits, and its mean is the "
        f"logit that decides. Two checks on {chosen_on} tell what it is worth."
    )
    learnt, stages, stuck = _randomised(found["randomised"])
    placed, shares, shortcuts = _placed(found["placed"], found["randomised"]["cells"], chosen_on)
    return Section(
        "Activation maps",
        paragraphs=(exact, learnt, placed),
        items=(*stages, shares, *_mean_maps(found, data_set, folder, chosen_on)),
        warnings=(*stuck, *shortcuts),
    )


def _mean_maps(found: Mapping[str, Any], data_set: DataSet, folder: Path, chosen_on: str) -> tuple[FigureItem, ...]:
    """Where the evidence for each class that was decided on lies on average."""
    placed, task = [each for each in found["placed"] if each["images"]], data_set.manifest.task
    if not placed:
        return ()
    most = sorted(placed, key=lambda each: -each["images"])[:_MOST_QUESTIONS]
    shown = [each for each in placed if each in most] if task.questions else placed
    one, several = task.noun
    of = f"each {one}" if len(shown) == len(placed) else f"the {len(shown)} {several} decided on most often"
    items = [
        ImageWithEvidence(_mean_image(data_set, each["class"]), np.array(each["mean_map"]), each["class"])
        for each in shown
    ]
    numbers = ", ".join(f"{each['class']} ({count(each['images'], 'image')})" for each in shown)
    figure = FigureItem(
        draw_mean_maps(items, border=found["border"], path=folder / "mean_maps"),
        f"Mean image of {of}, and the mean evidence for it",
        f"For each {one} the mean of {chosen_on} of it, beside itself with the mean positive evidence for it "
        f"tinted in (violet weak, yellow 20 logits and more) and the border as a dashed line: {numbers}.",
    )
    return (figure,)


def _mean_image(data_set: DataSet, name: str) -> np.ndarray:
    """The mean of up to 64 validation images of a class; of any class where it has none.

    With folds, every training image is one of them.
    """
    manifest = data_set.manifest
    validation, members = manifest.select("val") or manifest.select("train"), set(manifest.of_class(name))
    of_class = [i for i in validation if i in members] or validation
    return np.asarray(np.rint(data_set.pixels(of_class[:_AVERAGED_IMAGES]).mean(axis=0)).astype(np.uint8))


def _randomised(found: Mapping[str, Any]) -> tuple[str, tuple[Table, ...], tuple[str, ...]]:
    rows, columns = found["cells"]
    if not found["stages"]:
        return f"The maps have {rows} x {columns} cells, too few to compare them with those of random weights.", (), ()
    last = found["stages"][-1]
    correlation, ssim = (round(last[name], 2) + 0.0 for name in ("rank_correlation", "ssim"))  # no -0.00
    alike = f"a rank correlation of {correlation:.2f} and an SSIM of {ssim:.2f}"
    passed = max(last["rank_correlation"], last["ssim"]) <= _ALIKE
    said = (
        f"Do the maps come from what was learnt? On {count(found['images'], 'image')} they were compared with the maps "
        "of the same network after its weights had been put back to random ones, from the head down to all of them "
        f"({count(found['draws'], 'draw')}; Adebayo et al. 2018, arXiv:1810.03292). "
    )
    verdict = (
        f"With all weights random the maps are unlike ({alike}; the same map has 1): the check is passed."
        if passed
        else f"With all weights random the maps are still alike ({alike}; the same map has 1): the check is not passed."
    )
    warning = (
        "The activation maps stay alike when the weights are random: they show the images' own structure or that of "
        "the network rather than what was learnt. Take no explanation from them."
    )
    cells = tuple(
        (stage["name"], f"{stage['rank_correlation']:.3f}", f"{stage['ssim']:.3f}") for stage in found["stages"]
    )
    table = Table("Likeness of the maps to those of random weights", ("Random", "Rank correlation", "SSIM"), cells)
    return said + verdict, (table,), () if passed else (warning,)


def _placed(found: list[Mapping[str, Any]], cells: list[int], chosen_on: str) -> tuple[str, Table, tuple[str, ...]]:
    said = (
        "Where do they lie? Markers, letters and the frame of an image lie at its border, and a reader that looks "
        "there may have learnt a shortcut. The table has the share of all positive evidence that lies on the outer "
        "tenth of each side, and on the rim: rows and columns at the edge that are black all along, such as "
        "preparation adds."
    )
    if min(cells) < _LEAST_SIDE:
        said += f" Maps of {cells[0]} x {cells[1]} cells are too coarse for a verdict."
    warnings = [
        f"Of the evidence for {each['class']}, {percent(each[place][0])} lies on {where}, which is "
        f"{percent(each[place][1])} of the area: look for a shortcut there (markers, letters, frames)."
        for each in found
        for place, where in (("border", "the border of the images"), ("rim", "their black rim"))
        if min(cells) >= _LEAST_SIDE and each["images"] >= _LEAST_IMAGES and _is_far_over(*each[place])
    ]
    rows = tuple(
        (
            each["class"],
            f"{each['images']:,}",
            *(_share(value) for place in ("border", "rim") for value in each[place]),
        )
        for each in found
    )
    header = ("Decided as", "Images", "Evidence on border", "Area of border", "Evidence on rim", "Area of rim")
    return said, Table(f"Evidence at the border of {chosen_on}", header, rows), tuple(warnings)


def _is_far_over(evidence: float | None, area: float) -> bool:
    return evidence is not None and area >= _LEAST_AREA and evidence > _FAR_OVER * area


def _share(value: float | None) -> str:
    return "none" if value is None else percent(value)
