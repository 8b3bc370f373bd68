"""Which images are masks: by name, or by hardly more than two grey levels where most images have many."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

import numpy as np

from overread.auditing.contrasts import contrasts_of
from overread.auditing.material import Material
from overread.auditing.rules.masks.annotation import Annotation
from overread.auditing.rules.masks.names import read_name
from overread.auditing.rules.masks.pixel_statistics import PixelStatistics, measure_pixels
from overread.cases import Manifest

FEW_LEVELS = "few grey levels"
_MODALITY, _WHOLE_CLASS = 0.5, 0.95


def recognise_masks(material: Material) -> dict[int, Annotation]:
    """The images that are masks, by their names or grey levels, and the picture of each; see `find_masks`."""
    manifest, statistics = material.manifest, material.once(measure_pixels)
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
            annotations[i] = Annotation(FEW_LEVELS, picture)
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
    for question in contrasts_of(manifest):
        of_class, others = unnamed & question.yes, unnamed & question.no
        if not of_class.any():
            continue
        if few[of_class].mean() >= _WHOLE_CLASS and others.any() and few[others].mean() <= 1 - _WHOLE_CLASS:
            whole |= of_class & few
    return whole
