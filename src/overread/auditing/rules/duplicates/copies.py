"""Which images of a study are copies of one another: the same file, the same pixels or the same picture."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from overread.auditing.material import Material
from overread.auditing.rules.duplicates.hashes import SIDE, SYMMETRIES, hash_views, thumbnail, turned
from overread.auditing.rules.duplicates.near_hashes import NearPairs, near_pairs
from overread.auditing.rules.duplicates.same_picture import has_detail, same_picture
from overread.machine.workers import in_order

# Measured on 5,856 chest radiographs: copies at quality 30, gain 0.7 to 1.4 or of another size lie within 31 of the 255
# bits, those cropped by 3 % within 66; only one image in two has a stranger nearer than 72.
_NEAR_BITS = 72
_NEAREST = 8
_PAIRS_AT_ONCE = 2048
_WORKERS = os.cpu_count() or 1

Group = tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Copies:
    """What is a copy of what, by positions in the manifest.

    Args:
        exact: groups of images with the same bytes or the same pixels.
        near: groups of images of the same picture of which at least two are no exact copies of one another; exact
            copies of their members are in them too.
        origin: of each image that was found to be a copy, the earlier image that it resembles and in which way.
        blank: images without any detail; only their bytes are compared.
    """

    exact: tuple[Group, ...]
    near: tuple[Group, ...]
    origin: Mapping[int, tuple[int, str]]
    blank: Group


def find_copies(material: Material) -> Copies:
    """Compare all images by their bytes, their prepared pixels and, unless they are blank, what they show.

    Near copies are resized, re-encoded, mirrored, turned by a multiple of 90 degrees, brighter, darker or cropped by a
    few per cent.
    """
    positions = material.readable
    thumbnails, digests = _reduce(material)
    detailed = has_detail(thumbnails)
    origin: dict[int, tuple[int, str]] = {}
    same = _Partition(len(material.manifest))
    files = [material.data_set.store.digests[row] for row in material.data_set.rows]
    for keys, chosen, how in (
        (files, range(len(positions)), "the same file as"),
        (digests, np.flatnonzero(detailed), "the same pixels as"),
    ):
        for first, second in _repetitions(keys, chosen):
            earlier, later = int(positions[first]), int(positions[second])
            if same.join(earlier, later):
                origin[later] = earlier, how
    unique = np.array([i for i in np.flatnonzero(detailed) if same.root(int(positions[i])) == positions[i]], np.int64)
    exact = same.groups()
    pairs = _confirmed(thumbnails[unique])
    # A symmetric picture also meets its mirror image: what is upright says more.
    for k in np.lexsort((pairs.distance, pairs.view > 0)):
        earlier, later = (int(positions[unique[side[k]]]) for side in (pairs.earlier, pairs.later))
        view = int(pairs.view[k])
        how = f"{SYMMETRIES[view]}, a near copy of" if view else "a near copy of"
        same.join(earlier, later)
        origin.setdefault(later, (earlier, how))
    known = set(exact)
    near = tuple(group for group in same.groups() if group not in known)
    return Copies(exact=exact, near=near, origin=origin, blank=tuple(positions[~detailed].tolist()))


class _Partition:
    """Positions joined into groups, each known by its first."""

    def __init__(self, count: int) -> None:
        self.parent = list(range(count))

    def root(self, position: int) -> int:
        while self.parent[position] != position:
            self.parent[position] = self.parent[self.parent[position]]
            position = self.parent[position]
        return position

    def join(self, first: int, second: int) -> bool:
        """Whether they were apart."""
        low, high = sorted((self.root(first), self.root(second)))
        self.parent[high] = low
        return low != high

    def groups(self) -> tuple[Group, ...]:
        members: dict[int, list[int]] = {}
        for position in range(len(self.parent)):
            members.setdefault(self.root(position), []).append(position)
        return tuple(tuple(group) for group in members.values() if len(group) > 1)


def _reduce(material: Material) -> tuple[np.ndarray, list[bytes]]:
    """A thumbnail of each readable image, and a digest of its pixels and stored size."""
    thumbnails = np.empty((len(material.readable), SIDE, SIDE), np.uint8)
    digests: list[bytes] = []
    preprocessing = material.data_set.store.preprocessing

    def reduce(image: tuple[int, np.ndarray]) -> tuple[np.ndarray, bytes]:
        position, pixels = image
        header = material.headers[position]
        size = header.width, header.height
        digest = hashlib.blake2b(b"%d x %d" % size, digest_size=16)
        digest.update(pixels.tobytes())
        return thumbnail(pixels, size, preprocessing), digest.digest()

    images = (
        image for positions, pixels in material.pixels() for image in zip(positions.tolist(), pixels, strict=True)
    )
    for reduced, digest in in_order(reduce, images, _WORKERS):
        thumbnails[len(digests)] = reduced
        digests.append(digest)
    return thumbnails, digests


def _repetitions(keys: Sequence[Hashable], chosen: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Index of the first with the same key, and of the one that repeats it."""
    first: dict[Hashable, int] = {}
    for i in chosen:
        if first.setdefault(keys[i], i) != i:
            yield first[keys[i]], i


def _confirmed(thumbnails: np.ndarray) -> NearPairs:
    """The pairs of near hashes that show the same picture."""
    pairs = near_pairs(hash_views(thumbnails), radius=_NEAR_BITS, most=_NEAREST)

    def confirm(start: int) -> np.ndarray:
        piece = pairs[start : start + _PAIRS_AT_ONCE]
        later = thumbnails[piece.later]
        for symmetry in range(1, len(SYMMETRIES)):
            later[piece.view == symmetry] = turned(later[piece.view == symmetry], symmetry)
        return same_picture(thumbnails[piece.earlier], later)

    confirmed = list(in_order(confirm, range(0, len(pairs), _PAIRS_AT_ONCE), _WORKERS))
    return pairs[np.flatnonzero(np.concatenate(confirmed))] if confirmed else pairs
