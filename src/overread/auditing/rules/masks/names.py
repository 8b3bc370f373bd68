"""Which images are named as masks, and which picture such a name belongs to."""

from __future__ import annotations

import dataclasses
import functools
import re
from pathlib import PurePosixPath

from overread.cases import Case

# The first need no proof; the others need a picture of the same name or few grey levels, and so do words of folders.
_SURE_WORDS = frozenset({
    "annotated", "annotation", "annotations", "bbox", "bboxes", "gradcam", "groundtruth", "heatmap", "heatmaps",
    "labelmap", "labelmaps", "mask", "masks", "overlay", "segmentation", "segmentations",
})  # fmt: skip
_UNSURE_WORDS = frozenset({
    "anno", "annot", "arrow", "arrows", "binary", "contour", "contours", "gt", "label", "labeled", "labelled", "labels",
    "manual", "marked", "outline", "outlines", "overlays", "roi", "rois", "seg", "segmented", "segs", "superpixels",
    "truth",
})  # fmt: skip
_FILLERS = frozenset({"image", "images", "img", "imgs", "orig", "original", "originals", "photo", "photos", "raw"})
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageName:
    """What the path of an image says.

    Args:
        word: that names it a mask; empty without one.
        in_folder: the word is in the name of a folder only.
        keys: the rest of its name in its folder, in folders that differ in such words alone, and anywhere.
    """

    word: str
    in_folder: bool
    keys: tuple[tuple[str, ...], ...]

    @property
    def needs_no_proof(self) -> bool:
        """True where the file's own name has a word that says mask and little else."""
        return not self.in_folder and self.word in _SURE_WORDS


def read_name(case: Case) -> ImageName:
    """Take the path of an image apart."""
    path = PurePosixPath(case.name)
    words, (folder, folder_word) = _words(path.stem), _read_folder(str(path.parent))
    at = next((i for i, word in enumerate(words) if word in _SURE_WORDS | _UNSURE_WORDS), None)
    rest = words if at is None else words[:at] or words[at + 1 :]
    core = " ".join(word for word in rest if word not in _FILLERS)
    return ImageName(
        word=folder_word if at is None else words[at],
        in_folder=at is None and bool(folder_word),
        keys=(("in", str(path.parent), core), ("beside", folder, core), ("anywhere", core)) if core else (),
    )


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


@functools.lru_cache(maxsize=1024)
def _read_folder(folder: str) -> tuple[str, str]:
    """The words of a path that name neither masks nor images, and the first that names masks."""
    words = _words(folder)
    telling = [word for word in words if word in _SURE_WORDS | _UNSURE_WORDS]
    return " ".join(word for word in words if word not in _FILLERS and word not in telling), (*telling, "")[0]
