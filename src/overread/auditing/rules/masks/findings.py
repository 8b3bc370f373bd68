"""Masks and annotations among the images: by name, by few grey levels, by coloured marks on a picture."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from overread.auditing.finding import Finding, FindingKind, image_row
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.masks.annotation import Annotation
from overread.auditing.rules.masks.names import read_name
from overread.auditing.rules.masks.overlays import find_overlays
from overread.auditing.rules.masks.pixel_statistics import PixelStatistics, measure_pixels
from overread.cases import Manifest

_MODALITY, _WHOLE_CLASS = 0.5, 0.95
_FEW_LEVELS = "few grey levels"


def find_masks(material: Material) -> list[Finding]:
    """Find masks, label maps and annotated copies that lie among the pictures.

    A mask is an image that is named so (in whole words), or that has hardly more than two grey levels while most
    images have many. Where half of the images or more are so, this is the modality and none is a mask, unless they
    fill one class. A label map of several levels needs a picture of the same name beside it.
    An overlay is the same picture as another apart from marks in a pure colour; in a data set that was decoded as
    greyscale such marks cannot be seen, and in one of more than 5,000 vividly coloured images some are not looked at.

    Returns:
        Findings of the codes `mask-among-images` and `overlay-among-images` (block). Each group begins with the image
        that does not belong; the picture that it was drawn on follows, if it is there.
    """
    statistics = measure_pixels(material)
    masks = _recognise_masks(material.manifest, statistics)
    overlays = find_overlays(material, statistics, masks)
    found = []
    if masks:
        named = sum(mask.reason != _FEW_LEVELS for mask in masks.values())
        found.append(
            _finding(
                material,
                masks,
                code="mask-among-images",
                what=f"masks or annotations, {named:,} by their names and {len(masks) - named:,} by having few grey "
                "levels only",
            )
        )
    if overlays:
        what = "copies of another image with coloured marks drawn on them"
        found.append(_finding(material, overlays, code="overlay-among-images", what=what))
    return found


RULE = Rule(
    name="masks and overlays",
    kinds=(
        FindingKind("mask-among-images", "block", "a mask, label map or annotation among the pictures", "leave-out"),
        FindingKind(
            "overlay-among-images", "block", "a copy of another image with coloured marks drawn on it", "leave-out"
        ),
    ),
    find=find_masks,
)


def _finding(material: Material, annotations: Mapping[int, Annotation], *, code: str, what: str) -> Finding:
    cases = material.manifest.cases
    paired = sum(found.picture is not None for found in annotations.values())
    rows = []
    for i, found in annotations.items():
        picture = "" if found.picture is None else cases[found.picture].full_name
        rows.append(image_row(cases[i], reason=found.reason, picture=picture))
    classes = Counter(name for i in annotations for name in material.manifest.task.named_in(cases[i].label))
    spread = ", ".join(f"{count:,} in {name}" for name, count in classes.most_common())
    return Finding(
        code=code,
        severity="block",
        sentence=f"{len(annotations):,} of {len(cases):,} images look like {what} ({spread}); the picture itself is "
        f"there as well for {paired:,} of them. A network would learn what somebody drew, which no new patient brings "
        "along.",
        fix="Look at them, and move those that are no pictures out of the data (or remove their rows from the CSV); "
        "the cleaned manifest leaves them out.",
        count=len(annotations),
        evidence=tuple(rows),
        groups=tuple((i,) if found.picture is None else (i, found.picture) for i, found in annotations.items()),
    )


def _recognise_masks(manifest: Manifest, statistics: PixelStatistics) -> dict[int, Annotation]:
    cases = manifest.cases
    names = [read_name(case) for case in cases]
    if all(name.word for name in names):
        # A word that all have, such as the name of the study, tells nothing.
        names = [dataclasses.replace(name, word="", in_folder=False) for name in names]
    unnamed = np.array([not name.word for name in names])
    by_levels = _unlike_the_others(manifest, statistics, unnamed)
    map_like = statistics.binary | statistics.map_like
    pictures: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in np.flatnonzero(unnamed & ~map_like).tolist():
        for key in names[i].keys:
            pictures[key].append(i)
    annotations, doubtful = {}, []
    for i, name in enumerate(names):
        if not (name.word or map_like[i]):
            continue
        # Without such a word an equal name elsewhere says little: many patients have an image 1.
        keys = name.keys if name.in_folder else name.keys[: 2 if name.word else 1]
        picture = next((pictures[key][0] for key in keys if len(pictures.get(key, ())) == 1), None)
        if by_levels[i] or (not name.word and picture is not None):
            annotations[i] = Annotation(_FEW_LEVELS, picture)
        elif name.word and (map_like[i] or picture is not None):
            place = " in the name of its folder" if name.in_folder else ""
            annotations[i] = Annotation(f"'{name.word}'{place}", picture)
        elif name.needs_no_proof:
            doubtful.append(i)
    # Where most images are named so, the word means something else.
    if len(doubtful) < _MODALITY * len(cases):
        annotations |= {i: Annotation(f"'{names[i].word}'", None) for i in doubtful}
    return dict(sorted(annotations.items()))


def _unlike_the_others(manifest: Manifest, statistics: PixelStatistics, unnamed: np.ndarray) -> np.ndarray:
    """Which unnamed images have few grey levels where that is not the modality."""
    few = statistics.binary & unnamed
    if few.sum() < _MODALITY * unnamed.sum():
        return few
    whole = np.zeros_like(few)
    for name in manifest.classes:
        shows = manifest.task.shows(manifest.y_true, name)
        of_class, others = unnamed & shows, unnamed & ~shows
        if not of_class.any():
            continue
        if few[of_class].mean() >= _WHOLE_CLASS and others.any() and few[others].mean() <= 1 - _WHOLE_CLASS:
            whole |= of_class & few
    return whole
