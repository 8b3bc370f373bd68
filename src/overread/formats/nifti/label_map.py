"""Volumes that are no images but masks: every voxel has the number of a part, as segmentations and label maps have."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from overread.formats.nifti.volume import Volume, read_volume
from overread.formats.picture import MAX_PIXELS
from overread.formats.source import opened

# Words of names of files and of the folders that these lie in, that say what programs and people drew into images.
_WORDS = frozenset({
    "annotation", "annotations", "aparc", "aseg", "atlas", "contour", "contours", "dseg", "groundtruth", "gt", "label",
    "labelmap", "labels", "mask", "masks", "parc", "parcellation", "probseg", "roi", "rois", "seg", "segmentation",
    "segmentations", "segs", "truth",
})  # fmt: skip
# Which BIDS gives to nothing else; the values of a probseg are fractions.
_SURE = frozenset({"dseg", "probseg"})
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
# Fewer values than these no picture has; the finest division of the brain in use has some hundred parts.
_FEW, _MOST_PARTS = 50, 250


def is_mask(path: Path) -> bool:
    """Whether a volume is called a mask and is one: whole numbers, few of them, or most of them in large areas.

    Only those that are called so are opened.

    Raises:
        OverreadError: it is called so and cannot be read.
    """
    words = _words(path.name.split(".nii")[0])
    if words & _SURE:
        return True
    if not (words | _words(path.parent.name)) & _WORDS:
        return False
    with opened(path) as stream:
        return is_label_map(read_volume(stream, MAX_PIXELS))


def is_label_map(volume: Volume) -> bool:
    """Whether a volume holds the numbers of parts, whatever it is called."""
    if volume.described.is_colour:
        return False
    values = volume.sample()
    found = numbers_of_parts(values)
    if not found.size:
        return False
    # Neighbours in a picture differ, those in a part are the same.
    middle = values[len(values) // 2]
    pairs = middle[:, 1:] == middle[:, :-1]
    inside = (middle[:, 1:] != 0) | (middle[:, :-1] != 0)
    return found.size <= _FEW or not inside.any() or float(pairs[inside].mean()) > 0.5


def numbers_of_parts(values: np.ndarray) -> np.ndarray:
    """The values of an array, in order, where they are a few whole numbers, as those of parts are; else none."""
    finite = values[np.isfinite(values)]
    if not finite.size or (finite != np.rint(finite)).any():
        return finite[:0]
    found: np.ndarray = np.unique(finite)
    return found if 1 < found.size <= _MOST_PARTS else found[:0]


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))
