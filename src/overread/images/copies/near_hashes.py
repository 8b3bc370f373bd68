"""Which hashes are near one another, without comparing each with all the others.

A hash is cut into bands. Two hashes that differ in few bits have a band in which they differ in one bit at most, so it
is enough to compare those that share such a band: a table for each band finds them.

References:
    Norouzi, Punjani, Fleet: Fast exact search in Hamming space with multi-index hashing. 10.1109/TPAMI.2013.231
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np

WORDS = 4
BITS = 64 * WORDS
IMAGES_AT_ONCE = 2048
MEETINGS_AT_ONCE = 2**21
# Where more hashes share a band (a film that stands still), each is compared with those before it in the manifest.
MOST_IN_BUCKET = 256
_POPCOUNT = np.array([value.bit_count() for value in range(2**16)], np.uint8)


@dataclasses.dataclass(frozen=True, eq=False)
class NearPairs:
    """Pairs of images whose hashes are near, each from the later one's point of view.

    Args:
        earlier: `(k,)` position of the one image, whose own hash was met.
        later: `(k,)` position of the other.
        view: `(k,)` which of the later one's hashes met it.
        distance: `(k,)` in bits.
    """

    earlier: np.ndarray
    later: np.ndarray
    view: np.ndarray
    distance: np.ndarray

    def __len__(self) -> int:
        return len(self.earlier)

    def __getitem__(self, chosen: slice | np.ndarray) -> NearPairs:
        return NearPairs(self.earlier[chosen], self.later[chosen], self.view[chosen], self.distance[chosen])


def band_width(count: int) -> int:
    """Bits of a band for so many hashes: a band then holds about as many values as there are hashes."""
    return min(16, max(12, math.ceil(math.log2(max(count, 2)))))


def guaranteed_radius(count: int) -> int:
    """Up to this distance no pair among so many hashes is missed: 41 bits for up to 4,096, 31 from 32,769."""
    return 2 * (BITS // band_width(count)) - 1


def near_pairs(views: np.ndarray, *, radius: int, most: int) -> NearPairs:
    """Find for each image the earlier ones whose hash is within `radius` bits of one of its own.

    Pairs within `guaranteed_radius` are all found, further ones with a probability that falls with their distance. Time
    grows with the number of pairs that share a band, which stays near the number of hashes while they are spread.

    Args:
        views: `(views, n, 4)` uint64; the hash of each image as it is, and after each symmetry.
        radius: the largest distance that counts.
        most: for each image the nearest so many are kept; of equally near ones the earliest.
    """
    own = views[0]
    width = band_width(len(own))
    index = [_Band(_values(own, start, width), 2**width) for start in range(0, BITS - width + 1, width)]
    found = [
        _nearest(views[:, start : start + IMAGES_AT_ONCE], start, index, width=width, radius=radius, most=most, own=own)
        for start in range(0, len(own), IMAGES_AT_ONCE)
    ]
    columns = np.concatenate(found) if found else np.zeros((0, 4), np.int64)
    return NearPairs(*columns.T)


def bits_apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """In how many bits `(..., 4)` uint64 hashes differ."""
    different = np.bitwise_xor(first, second)
    if hasattr(np, "bitwise_count"):
        # A product takes half the time of a sum along so short an axis.
        return np.bitwise_count(different) @ np.ones(WORDS, np.uint16)
    return _POPCOUNT[different.view(np.uint16)].sum(axis=-1, dtype=np.uint16)


class _Band:
    """The images in the order of their value in one band, and where each value starts."""

    def __init__(self, values: np.ndarray, size: int) -> None:
        self.count = len(values)
        self.order = np.argsort(values, kind="stable")
        self.start = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=size))])
        self.crowded = bool((np.diff(self.start) > MOST_IN_BUCKET).any())
        self.ranked = values[self.order].astype(np.int64) * self.count + self.order if self.crowded else None

    def meetings(self, values: np.ndarray, positions: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Index into `values` and image that has this value, in pieces; positions tell which images come before."""
        first, last = np.take(self.start, values), np.take(self.start, values + 1)
        if self.ranked is not None:
            crowded = np.flatnonzero(last - first > MOST_IN_BUCKET)
            wanted = values[crowded].astype(np.int64) * self.count + positions[crowded]
            last[crowded] = np.searchsorted(self.ranked, wanted)
            first[crowded] = np.maximum(first[crowded], last[crowded] - MOST_IN_BUCKET)
        occupied = np.flatnonzero(last > first)
        first, counts = first[occupied], (last - first)[occupied]
        ends = np.cumsum(counts)
        low = 0
        while low < len(counts):
            before = ends[low - 1] if low else 0
            high = max(low + 1, int(np.searchsorted(ends, before + MEETINGS_AT_ONCE, side="right")))
            lengths = counts[low:high]
            within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            members = np.take(self.order, np.repeat(first[low:high], lengths) + within)
            yield np.repeat(occupied[low:high], lengths), members
            low = high


def _nearest(
    queries: np.ndarray, start: int, index: list[_Band], *, width: int, radius: int, most: int, own: np.ndarray
) -> np.ndarray:
    """`(k, 4)` earlier, later, view and distance for a run of images that starts at this position."""
    count, probes = queries.shape[1], np.concatenate([[0], 1 << np.arange(width)])
    flat = queries.reshape(-1, WORDS)
    best = np.zeros(0, np.int64)
    for number, band in enumerate(index):
        values = (_values(flat, number * width, width)[:, None] ^ probes).ravel()
        positions = np.repeat(start + np.arange(len(flat)) % count, len(probes))
        for met, members in band.meetings(values, positions):
            earlier = members < np.take(positions, met)
            query, members = met[earlier] // len(probes), members[earlier]
            distance = bits_apart(np.take(flat, query, axis=0), np.take(own, members, axis=0)).astype(np.int64)
            near = distance <= radius
            view, image = np.divmod(query[near], count)
            codes = ((image * (BITS + 1) + distance[near]) * len(own) + members[near]) * len(queries) + view
            best = _keep(np.concatenate([best, codes]), len(own) * len(queries) * (BITS + 1), most)
    rest, view = np.divmod(best, len(queries))
    rest, members = np.divmod(rest, len(own))
    image, distance = np.divmod(rest, BITS + 1)
    return np.stack([members, start + image, view, distance], axis=1)


def _keep(codes: np.ndarray, span: int, most: int) -> np.ndarray:
    """The smallest so many different codes of each image."""
    codes = np.unique(codes)
    image = codes // span
    return codes[np.arange(len(codes)) - np.searchsorted(image, image) < most]


def _values(hashes: np.ndarray, start: int, width: int) -> np.ndarray:
    """`(n,)` int64, the bits from `start` of each hash."""
    word, shift = divmod(start, 64)
    values = hashes[:, word] >> np.uint64(shift)
    if shift + width > 64:
        values = values | hashes[:, word + 1] << np.uint64(64 - shift)
    return (values & np.uint64(2**width - 1)).astype(np.int64)
