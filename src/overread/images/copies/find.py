"""Which images of a study are copies of one another: the same file, the same pixels or the same picture."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from overread.formats import Header, decoder_versions
from overread.images.copies.hashes import SIDE, SYMMETRIES, hash_views, thumbnail, turned
from overread.images.copies.near_hashes import NearPairs, near_pairs
from overread.images.copies.same_picture import has_detail, same_picture, shared_detail
from overread.images.data_set import DataSet
from overread.machine.memo import recall_or_work_out
from overread.machine.workers import in_order

# Measured on 5,856 chest radiographs: copies at quality 30, gain 0.7 to 1.4 or of another size lie within 31 of the 255
# bits, those cropped by 3 % within 66; only one image in two has a stranger nearer than 72.
_NEAR_BITS = 72
_NEAREST = 8
_PAIRS_AT_ONCE = 2048
_IMAGES_AT_ONCE = 512
_WORKERS = os.cpu_count() or 1

Group = tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Copies:
    """What is a copy of what, by position among the images that were given, readable or not.

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

    @property
    def pictures(self) -> tuple[Group, ...]:
        """The groups of images that show one picture, exactly or nearly; an image is in one of them at most."""
        covered = {position for group in self.near for position in group}
        return (*self.near, *(group for group in self.exact if group[0] not in covered))

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return {
            "exact": [list(group) for group in self.exact],
            "near": [list(group) for group in self.near],
            "origin": [[later, earlier, how] for later, (earlier, how) in self.origin.items()],
            "blank": list(self.blank),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Copies:
        """The copies that `to_dict` gave."""
        return cls(
            exact=tuple(tuple(group) for group in values["exact"]),
            near=tuple(tuple(group) for group in values["near"]),
            origin={later: (earlier, how) for later, earlier, how in values["origin"]},
            blank=tuple(values["blank"]),
        )


def find_copies(data_set: DataSet, read_headers: Callable[[], Sequence[Header]]) -> Copies:
    """Compare all images by their bytes, their prepared pixels and, unless they are blank, what they show.

    Near copies are resized, re-encoded, mirrored, turned by a multiple of 90 degrees, brighter, darker or cropped by a
    few per cent. They depend on the pixels alone, not on labels or sides, and are looked for once: what was found is
    kept beside the pixels.

    Args:
        data_set: the readable images.
        read_headers: gives the header of every image with which the data set was opened; called where copies are
            looked for.
    """
    store = data_set.store
    failures = [[position, reason] for position, reason in sorted(store.failures.items())]
    return recall_or_work_out(
        store.path.parent,
        "copies",
        [store.digests, failures, store.preprocessing.to_dict(), decoder_versions()],
        lambda: _compare(data_set, read_headers()),
        write=Copies.to_dict,
        read=Copies.from_dict,
    )


def _compare(data_set: DataSet, headers: Sequence[Header]) -> Copies:
    positions = data_set.rows
    thumbnails, digests = _reduce(data_set, headers)
    detailed = has_detail(thumbnails)
    origin: dict[int, tuple[int, str]] = {}
    same = Partition(len(headers))
    files = [data_set.store.digests[row] for row in positions]
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


class Partition:
    """Positions below a count, joined into groups, each known by its first."""

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


def _reduce(data_set: DataSet, headers: Sequence[Header]) -> tuple[np.ndarray, list[bytes]]:
    """A thumbnail of each readable image, and a digest of its pixels and stored size."""
    rows = data_set.rows.tolist()
    thumbnails = np.empty((len(rows), SIDE, SIDE), np.uint8)
    digests: list[bytes] = []

    def reduce(image: tuple[int, np.ndarray]) -> tuple[np.ndarray, bytes]:
        position, pixels = image
        size = headers[position].width, headers[position].height
        digest = hashlib.blake2b(b"%d x %d" % size, digest_size=16)
        digest.update(pixels.tobytes())
        return thumbnail(pixels, size, data_set.store.preprocessing), digest.digest()

    def images() -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(rows), _IMAGES_AT_ONCE):
            piece = range(start, min(start + _IMAGES_AT_ONCE, len(rows)))
            yield from zip(rows[start : piece.stop], data_set.pixels(piece), strict=True)

    for reduced, digest in in_order(reduce, images(), _WORKERS):
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
    shared = shared_detail(thumbnails)

    def confirm(start: int) -> np.ndarray:
        piece = pairs[start : start + _PAIRS_AT_ONCE]
        later = thumbnails[piece.later]
        for symmetry in range(1, len(SYMMETRIES)):
            later[piece.view == symmetry] = turned(later[piece.view == symmetry], symmetry)
        return same_picture(thumbnails[piece.earlier], later, shared)

    confirmed = list(in_order(confirm, range(0, len(pairs), _PAIRS_AT_ONCE), _WORKERS))
    return pairs[np.flatnonzero(np.concatenate(confirmed))] if confirmed else pairs
