"""What tells masks and overlays from pictures: the grey levels of each image, its thumbnail and its vivid marks."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from overread.auditing.material import Material

_SAMPLED, _CELLS, _PIECE = 112, 16, 64
# Two levels hold at most 46 % of each of 6,748 radiographs, endoscopy frames and phantoms, and up to 93 % of 53 DICOM
# images, of whose other pixels at most 41 % are edges between the two. Masks of lungs, lesions and cells, as PNG or as
# JPEG of quality 40, drawn at 224 to 1,000 pixels: at least 89 % and 84 %; masks of fine vessels have less.
_TWO_LEVELS, _EDGES, _NO_EDGE = 0.85, 0.6, 0.005
# Of what is not ground the commonest grey has at most 30 % in nuclei on black and specks on an empty slide (1,000
# tiles, some with a clipped ground; in one 38 %), and at least 37 % in masks of shapes and of cells as PNG, of shapes
# as JPEG too. Of JPEGs of many cells a fifth has less, and so have most fine vessels that were made smaller.
_ONE_LEVEL = 0.35
_EIGHT_LEVELS, _EIGHT_OF_REST = 0.85, 0.6
_LEVEL_WIDTH, _EDGE_WIDTH, _FAR, _LEAST_SHAPE, _DARK = 4, 2, 16, 0.0004, 16

_GREY_STUDY, _TINTED, _BRIGHT, _DIM = 8, 40, 160, 70


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PixelStatistics:
    """What one pass over the pixels gives, by position in the manifest; zeros for unreadable images.

    Args:
        binary: `(n,)` a mask by its histogram.
        map_like: `(n,)` perhaps a label map: few levels, or all nearly black; test cards and dark frames are so too.
        marked: `(n,)` share of the pixels that have a pure colour.
        cells: `(n, 256)` float16 thumbnails.
        is_grey: most images of the study are without colour.
    """

    binary: np.ndarray
    map_like: np.ndarray
    marked: np.ndarray
    cells: np.ndarray
    is_grey: bool


def measure_pixels(material: Material) -> PixelStatistics:
    """Go through every image once, piece by piece."""
    count = len(material.manifest)
    binary, map_like, marked = np.zeros(count, bool), np.zeros(count, bool), np.zeros(count, np.float32)
    cells = np.zeros((count, _CELLS**2), np.float16)
    is_grey = is_grey_study(material)
    for positions, pixels in material.pixels():
        for start in range(0, len(positions), _PIECE):
            own, piece = positions[start : start + _PIECE], pixels[start : start + _PIECE]
            step = max(1, piece.shape[1] // _SAMPLED)
            piece = piece[:, ::step, ::step]
            grey = piece[..., 0] if piece.shape[-1] == 1 else mean_channel(piece)
            binary[own], map_like[own] = _find_few_levels(grey)
            if piece.shape[-1] == 3:
                cells[own] = _cell_means(grey)
                marked[own] = is_vivid(piece, is_grey).mean(axis=(1, 2))
    return PixelStatistics(binary=binary, map_like=map_like, marked=marked, cells=cells, is_grey=is_grey)


def is_grey_study(material: Material) -> bool:
    """Whether most images of the study are without colour."""
    if material.data_set.store.pixels.shape[-1] == 1:
        return True
    sample = np.linspace(0, len(material.readable) - 1, min(len(material.readable), _PIECE)).astype(int)
    pixels = material.data_set.pixels(sample.tolist())[:, ::4, ::4]
    low, _, high = sorted_channels(pixels)
    return float(np.quantile((high - low).mean(axis=(1, 2)), 0.25)) <= _GREY_STUDY


def _cell_means(planes: np.ndarray) -> np.ndarray:
    """`(k, cells)` means of `(k, height, width)`."""
    edges = [np.linspace(0, side, _CELLS, endpoint=False).astype(int) for side in planes.shape[1:]]
    sums = np.add.reduceat(np.add.reduceat(planes, edges[0], axis=1, dtype=np.float32), edges[1], axis=2)
    areas = np.outer(*(np.diff(np.append(edge, side)) for edge, side in zip(edges, planes.shape[1:], strict=True)))
    return (sums / np.maximum(areas, 1)).reshape(len(planes), -1)


def _find_few_levels(grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of `(k, height, width)` are masks or label maps by their histograms, and which only might be."""
    rows = np.arange(len(grey))
    index = grey.reshape(len(grey), -1).astype(np.int32) + 256 * rows[:, None].astype(np.int32)
    shares = np.bincount(index.ravel(), minlength=256 * len(grey)).reshape(-1, 256) / grey[0].size
    broad = _sums_around(shares, _LEVEL_WIDTH)
    first = broad.argmax(axis=1)
    rest = np.where(np.abs(np.arange(256) - first[:, None]) > _FAR, shares, 0)
    of_rest = _sums_around(rest, _LEVEL_WIDTH)
    second, far = of_rest.max(axis=1), rest.sum(axis=1)
    two = (broad.max(axis=1) + second >= _TWO_LEVELS) & (far >= _LEAST_SHAPE)
    two &= rest.max(axis=1) >= _ONE_LEVEL * far
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


def _sums_around(shares: np.ndarray, width: int) -> np.ndarray:
    """The sum of the levels up to `width` from each."""
    sums = np.pad(np.cumsum(shares, axis=1), ((0, 0), (width + 1, width)), mode="edge")
    sums[:, : width + 1] = 0
    return np.asarray(sums[:, 2 * width + 1 :] - sums[:, : -2 * width - 1])


def mean_channel(pixels: np.ndarray) -> np.ndarray:
    """Nearly the mean of the channels: in the luma, blue on black would hardly show."""
    red, green, blue = np.moveaxis(pixels, -1, 0).astype(np.uint16)
    return np.asarray((5 * red + 6 * green + 4 * blue) // 15).astype(np.uint8)


def sorted_channels(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The lowest, middle and highest channel of each pixel; by planes, for so short an axis is slow to reduce."""
    red, green, blue = np.ascontiguousarray(np.moveaxis(pixels, -1, 0))
    less, more = np.minimum(red, green), np.maximum(red, green)
    return np.minimum(less, blue), np.maximum(less, np.minimum(more, blue)), np.maximum(more, blue)


def is_vivid(pixels: np.ndarray, is_grey: bool) -> np.ndarray:
    """Where `(..., 3)` uint8 is coloured in a greyscale study, and one or two pure primaries in one of colour."""
    low, middle, high = sorted_channels(pixels)
    if is_grey:
        return np.asarray(high - low >= _TINTED)
    edge = (high - low) // 4
    return np.asarray((high >= _BRIGHT) & (low <= _DIM) & ((middle <= low + edge) | (middle >= high - edge)))
