"""Masks and annotations among the images: by name, by few grey levels, by coloured marks on a picture."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

import numpy as np

from overread.audit.finding import Finding
from overread.audit.material import Material
from overread.cases import Case

# The first need no proof; the others need a picture of the same name or few grey levels, and so do words of folders.
_SURE = frozenset({
    "annotated", "annotation", "annotations", "bbox", "bboxes", "gradcam", "groundtruth", "heatmap", "heatmaps",
    "labelmap", "labelmaps", "mask", "masks", "overlay", "segmentation", "segmentations",
})  # fmt: skip
_UNSURE = frozenset({
    "anno", "annot", "arrow", "arrows", "binary", "contour", "contours", "gt", "label", "labeled", "labelled", "labels",
    "manual", "marked", "outline", "outlines", "overlays", "roi", "rois", "seg", "segmented", "segs", "superpixels",
    "truth",
})  # fmt: skip
_FILLERS = frozenset({"image", "images", "img", "imgs", "orig", "original", "originals", "photo", "photos", "raw"})
_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]|\d+")
_MODALITY, _WHOLE_CLASS = 0.5, 0.95

_SAMPLED, _CELLS, _PIECE = 112, 16, 64
# Two levels hold at most 46 % of each of 6,748 radiographs, endoscopy frames and phantoms, and up to 93 % of 53 DICOM
# images, of whose other pixels at most 41 % are edges between the two. Masks of lungs, lesions and cells, as PNG or as
# JPEG of quality 40, drawn at 224 to 1,000 pixels: at least 89 % and 84 %; masks of fine vessels have less.
_TWO_LEVELS, _EDGES, _NO_EDGE = 0.85, 0.6, 0.005
_EIGHT_LEVELS, _EIGHT_OF_REST = 0.85, 0.6
_LEVEL_WIDTH, _EDGE_WIDTH, _FAR, _LEAST_SHAPE, _DARK = 4, 2, 16, 0.0004, 16

_GREY_STUDY, _TINTED, _BRIGHT, _DIM, _LEAST_MARK = 8, 40, 160, 70, 0.0005
_MOST_OVERLAYS, _BLOCK, _NEAREST, _VERIFIED, _ALIKE = 5000, 128, 32, 3, 3
# Of 448 planted marks of five kinds on radiographs, frames and phantoms 431 are told. A share of at most 0.32 of the
# change leads towards one colour in 383 pairs of like video frames, and of 0.57 in DICOM test cards coded differently.
_BLACK, _CHANGED, _MOST_CHANGED, _TOWARDS, _PAINTED = 12, 24, 0.45, 0.85, 0.6
_PRIMARIES = 255 * np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 1, 1], [1, 0, 1]], np.float32)


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
    looks = _look(material)
    masks = _find_drawn(material.manifest.cases, looks)
    overlays = _find_overlays(material, looks, masks)
    found = []
    if masks:
        named = sum(not mask.reason.startswith("few") for mask in masks.values())
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


@dataclasses.dataclass(frozen=True)
class _Drawn:
    """Why an image is no picture, and the position of the picture that it belongs to."""

    reason: str
    picture: int | None


def _finding(material: Material, drawn: Mapping[int, _Drawn], *, code: str, what: str) -> Finding:
    cases = material.manifest.cases
    paired = sum(found.picture is not None for found in drawn.values())
    rows = []
    for i, found in drawn.items():
        picture = "" if found.picture is None else cases[found.picture].name
        row = {"image": cases[i].name, "class": cases[i].label, "side": cases[i].split or ""}
        rows.append({**row, "reason": found.reason, "picture": picture})
    classes = Counter(cases[i].label for i in drawn)
    spread = ", ".join(f"{count:,} in {name}" for name, count in classes.most_common())
    return Finding(
        code=code,
        severity="block",
        sentence=f"{len(drawn):,} of {len(cases):,} images look like {what} ({spread}); the picture itself is there as "
        f"well for {paired:,} of them. A network would learn what somebody drew, which no new patient brings along.",
        fix="Look at them, and move those that are no pictures out of the data (or remove their rows from the CSV); "
        "the cleaned manifest leaves them out.",
        count=len(drawn),
        evidence=tuple(rows),
        groups=tuple((i,) if found.picture is None else (i, found.picture) for i, found in drawn.items()),
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Looks:
    """What one pass over the pixels tells, by position in the manifest; of unreadable images nothing.

    Args:
        binary: `(n,)` a mask by its histogram.
        map_like: `(n,)` perhaps a label map: few levels, or all nearly black; test cards and dark frames are so too.
        marked: `(n,)` share of the pixels that have a pure colour.
        cells: `(n, 256)` uint8 thumbnails.
        clean: `(n, 256)` cells without such a pixel.
    """

    binary: np.ndarray
    map_like: np.ndarray
    marked: np.ndarray
    cells: np.ndarray
    clean: np.ndarray
    is_grey: bool


def _look(material: Material) -> _Looks:
    count = len(material.manifest)
    binary, map_like, marked = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, np.float32)
    cells, clean = np.zeros((count, _CELLS**2), np.uint8), np.zeros((count, _CELLS**2), bool)
    is_grey = _is_grey(material)
    for positions, pixels in material.pixels():
        for start in range(0, len(positions), _PIECE):
            own, piece = positions[start : start + _PIECE], pixels[start : start + _PIECE]
            step = max(1, piece.shape[1] // _SAMPLED)
            piece = piece[:, ::step, ::step]
            grey = piece[..., 0] if piece.shape[-1] == 1 else _mean_channel(piece)
            binary[own], map_like[own] = _few_levels(grey)
            if piece.shape[-1] == 3:
                cells[own] = _in_cells(grey)
                vivid = _vivid(piece, is_grey)
                marked[own] = vivid.mean(axis=(1, 2))
                clean[own] = _in_cells(vivid) == 0
    return _Looks(binary=binary, map_like=map_like, marked=marked, cells=cells, clean=clean, is_grey=is_grey)


def _is_grey(material: Material) -> bool:
    """Whether most images of the study are without colour."""
    if material.data_set.store.pixels.shape[-1] == 1:
        return True
    sample = np.linspace(0, len(material.readable) - 1, min(len(material.readable), _PIECE)).astype(int)
    pixels = material.data_set.pixels(sample.tolist())[:, ::4, ::4]
    low, _, high = _in_order(pixels)
    return float(np.quantile((high - low).mean(axis=(1, 2)), 0.25)) <= _GREY_STUDY


def _in_cells(planes: np.ndarray) -> np.ndarray:
    """`(k, cells)` means of `(k, height, width)`."""
    edges = [np.linspace(0, side, _CELLS, endpoint=False).astype(int) for side in planes.shape[1:]]
    sums = np.add.reduceat(np.add.reduceat(planes, edges[0], axis=1, dtype=np.float32), edges[1], axis=2)
    areas = np.outer(*(np.diff(np.append(edge, side)) for edge, side in zip(edges, planes.shape[1:], strict=True)))
    return (sums / np.maximum(areas, 1)).reshape(len(planes), -1)


def _few_levels(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of `(k, height, width)` are masks or label maps by their histograms, and which only might be."""
    rows = np.arange(len(grey))
    index = grey.reshape(len(grey), -1).astype(np.int32) + 256 * rows[:, None].astype(np.int32)
    shares = np.bincount(index.ravel(), minlength=256 * len(grey)).reshape(-1, 256) / grey[0].size
    broad = _within(shares, _LEVEL_WIDTH)
    first = broad.argmax(axis=1)
    rest = np.where(np.abs(np.arange(256) - first[:, None]) > _FAR, shares, 0)
    of_rest = _within(rest, _LEVEL_WIDTH)
    second, far = of_rest.max(axis=1), rest.sum(axis=1)
    two = (broad.max(axis=1) + second >= _TWO_LEVELS) & (far >= _LEAST_SHAPE)
    two[two] = _two_areas(grey[two], first[two], of_rest.argmax(axis=1)[two])
    eight, eight_of_rest = (np.sort(levels, axis=1)[:, -8:].sum(axis=1) for levels in (shares, rest))
    several = (eight >= _EIGHT_LEVELS) & (eight_of_rest >= _EIGHT_OF_REST * far)
    dark = (shares[:, _DARK:].sum(axis=1) == 0) & (shares.max(axis=1) < 1)
    return two, several & (far >= _LEAST_SHAPE) | dark


def _two_areas(grey: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Whether the pixels of other levels lie where areas of the two levels meet."""
    levels = grey.astype(np.int16)
    is_first, is_second = (np.abs(levels - level[:, None, None]) <= _LEVEL_WIDTH for level in (first, second))
    other = ~is_first & ~is_second
    edges = other & _widened(is_first) & _widened(is_second)
    share = other.mean(axis=(1, 2))
    return np.asarray((share <= _NO_EDGE) | (edges.mean(axis=(1, 2)) >= _EDGES * share))


def _widened(areas: np.ndarray) -> np.ndarray:
    height, width = areas.shape[1:]
    padded = np.pad(areas, ((0, 0), (_EDGE_WIDTH, _EDGE_WIDTH), (_EDGE_WIDTH, _EDGE_WIDTH)))
    shifts = range(2 * _EDGE_WIDTH + 1)
    upright = functools.reduce(np.logical_or, (padded[:, shift : shift + height] for shift in shifts))
    return functools.reduce(np.logical_or, (upright[:, :, shift : shift + width] for shift in shifts))


def _within(shares: np.ndarray, width: int) -> np.ndarray:
    """The sum of the levels up to `width` from each."""
    sums = np.pad(np.cumsum(shares, axis=1), ((0, 0), (width + 1, width)), mode="edge")
    sums[:, : width + 1] = 0
    return np.asarray(sums[:, 2 * width + 1 :] - sums[:, : -2 * width - 1])


def _mean_channel(pixels: np.ndarray) -> np.ndarray:
    """Nearly the mean of the channels: in the luma, blue on black would hardly show."""
    red, green, blue = np.moveaxis(pixels, -1, 0).astype(np.uint16)
    return np.asarray((5 * red + 6 * green + 4 * blue) // 15).astype(np.uint8)


def _in_order(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lowest, middle and highest channel of each pixel; by planes, for so short an axis is slow to reduce."""
    red, green, blue = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    less, more = np.minimum(red, green), np.maximum(red, green)
    return np.minimum(less, blue), np.maximum(less, np.minimum(more, blue)), np.maximum(more, blue)


def _vivid(pixels: np.ndarray, is_grey: bool) -> np.ndarray:
    """Where `(..., 3)` uint8 is coloured in a greyscale study, and one or two pure primaries in one of colour."""
    low, middle, high = _in_order(pixels)
    if is_grey:
        return np.asarray(high - low >= _TINTED)
    edge = (high - low) // 4
    return np.asarray((high >= _BRIGHT) & (low <= _DIM) & ((middle <= low + edge) | (middle >= high - edge)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Name:
    """What the path of an image says.

    Args:
        word: that names it a mask; empty without one.
        in_folder: the word is in the name of a folder only.
        keys: the rest of its name in its folder, in folders that differ in such words alone, and anywhere.
    """

    word: str
    in_folder: bool
    keys: tuple[tuple[str, ...], ...]


def _read_name(case: Case) -> _Name:
    path = PurePosixPath(case.name)
    words, (folder, folder_word) = _words(path.stem), _read_folder(str(path.parent))
    at = next((i for i, word in enumerate(words) if word in _SURE | _UNSURE), None)
    rest = words if at is None else words[:at] or words[at + 1 :]
    core = " ".join(word for word in rest if word not in _FILLERS)
    return _Name(
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
    telling = [word for word in words if word in _SURE | _UNSURE]
    return " ".join(word for word in words if word not in _FILLERS and word not in telling), (*telling, "")[0]


def _find_drawn(cases: Sequence[Case], looks: _Looks) -> dict[int, _Drawn]:
    names = [_read_name(case) for case in cases]
    if all(name.word for name in names):
        # A word that all have, such as the name of the study, tells nothing.
        names = [dataclasses.replace(name, word="", in_folder=False) for name in names]
    unnamed = np.array([not name.word for name in names])
    by_levels = _unlike_the_others(cases, looks, unnamed)
    map_like = looks.binary | looks.map_like
    pictures: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i in np.flatnonzero(unnamed & ~map_like).tolist():
        for key in names[i].keys:
            pictures[key].append(i)
    drawn, doubtful = {}, []
    for i, name in enumerate(names):
        if not (name.word or map_like[i]):
            continue
        # Without such a word an equal name elsewhere says little: many patients have an image 1.
        keys = name.keys if name.in_folder else name.keys[: 2 if name.word else 1]
        picture = next((pictures[key][0] for key in keys if len(pictures.get(key, ())) == 1), None)
        if by_levels[i] or (not name.word and picture is not None):
            drawn[i] = _Drawn("few grey levels", picture)
        elif name.word and (map_like[i] or picture is not None):
            drawn[i] = _Drawn(f"'{name.word}'{' in the name of its folder' if name.in_folder else ''}", picture)
        elif name.word in _SURE and not name.in_folder:
            doubtful.append(i)
    # Where most images are named so, the word means something else.
    if len(doubtful) < _MODALITY * len(cases):
        drawn |= {i: _Drawn(f"'{names[i].word}'", None) for i in doubtful}
    return dict(sorted(drawn.items()))


def _unlike_the_others(cases: Sequence[Case], looks: _Looks, unnamed: np.ndarray) -> np.ndarray:
    """Which unnamed images have few grey levels where that is not the modality."""
    few = looks.binary & unnamed
    if few.sum() < _MODALITY * unnamed.sum():
        return few
    labels = np.array([case.label for case in cases])
    whole = np.zeros_like(few)
    for label in set(labels.tolist()):
        of_class = unnamed & (labels == label)
        others = unnamed & (labels != label)
        if few[of_class].mean() >= _WHOLE_CLASS and others.any() and few[others].mean() <= 1 - _WHOLE_CLASS:
            whole |= of_class & few
    return whole


def _find_overlays(material: Material, looks: _Looks, masks: Mapping[int, _Drawn]) -> dict[int, _Drawn]:
    every = material.readable[~np.isin(material.readable, list(masks))]
    if material.data_set.store.pixels.shape[-1] == 1 or len(every) < 2:
        return {}
    candidates = every[looks.marked[every] >= (_LEAST_MARK if looks.is_grey else 0)]
    candidates = candidates[np.argsort(-looks.marked[candidates], kind="stable")][:_MOST_OVERLAYS]
    cells = looks.cells[every].astype(np.float32) / 255
    overlays = {}
    for start in range(0, len(candidates), _BLOCK):
        block = candidates[start : start + _BLOCK]
        for i, nearest in zip(block.tolist(), _nearest(looks, block, every, cells), strict=True):
            picture = next((k for k in nearest if _is_drawn_on(material, i, k, looks.is_grey)), None)
            if picture is not None:
                overlays[i] = _Drawn("coloured marks", picture)
    return dict(sorted(overlays.items()))


def _nearest(looks: _Looks, block: np.ndarray, every: np.ndarray, cells: np.ndarray) -> Iterator[list[int]]:
    """For each image of a block the others whose thumbnails are nearly equal in at least half of the cells."""
    own, weight = looks.cells[block].astype(np.float32) / 255, looks.clean[block].astype(np.float32)
    weight[weight.mean(axis=1) < 0.25] = 1
    # Mean square difference over the cells without marks, as matrix products.
    apart = weight @ (cells**2).T - 2 * (weight * own) @ cells.T + (weight * own**2).sum(axis=1, keepdims=True)
    apart /= weight.sum(axis=1, keepdims=True)
    apart[every == block[:, None]] = np.inf
    first = np.argpartition(apart, min(_NEAREST, len(every) - 1), axis=1)[:, :_NEAREST]
    for i, others in zip(block, every[first], strict=True):
        others = others[others != i]
        differences = np.median(np.abs(looks.cells[others].astype(np.int16) - looks.cells[i]), axis=1)
        order = np.argsort(differences, kind="stable")[:_VERIFIED]
        yield others[order][differences[order] <= _ALIKE].tolist()


def _is_drawn_on(material: Material, marked: int, picture: int, is_grey: bool) -> bool:
    """Whether the first image is the second apart from marks of pure colour, opaque or not."""
    rows = np.searchsorted(material.readable, [marked, picture])
    drawn, plain = material.data_set.pixels(rows.tolist())[:, ::2, ::2]
    change = _in_order(np.maximum(drawn, plain) - np.minimum(drawn, plain))[2]
    shown = np.maximum(_in_order(drawn)[2], _in_order(plain)[2]) > _BLACK
    changed = change > _CHANGED
    if not shown.any() or not _LEAST_MARK <= changed.sum() / shown.sum() <= _MOST_CHANGED:
        return False
    if is_grey and (_vivid(drawn, True) & ~_vivid(plain, True))[changed].mean() >= _PAINTED:
        return True
    # Taking a mark away leads towards its complementary colour; but the mark is what differs from the surroundings.
    around = plain[shown & ~changed].mean(axis=0)
    strange, ordinary = (np.linalg.norm(image[changed].mean(axis=0) - around) for image in (drawn, plain))
    return bool(strange > ordinary) and _painted(drawn[changed], plain[changed]) >= _PAINTED


def _painted(drawn: np.ndarray, plain: np.ndarray) -> float:
    """The share of the change of `(k, 3)` pixels that leads towards one primary colour."""
    change = drawn.astype(np.float32) - plain
    way = _PRIMARIES[:, None] - plain
    changes, ways = np.linalg.norm(change, axis=1), np.maximum(np.linalg.norm(way, axis=2), 1)
    towards = (way * change).sum(axis=2) >= _TOWARDS * ways * changes
    return float(((towards * changes).sum(axis=1) / changes.sum()).max())
