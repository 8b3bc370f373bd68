"""Which images of a study are copies of one another: the same file, the same pixels or the same picture."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from overread.formats import Header, decoder_versions
from overread.images.copies.groups import Group, Partition, cut_groups
from overread.images.copies.hashes import SIDE, SYMMETRIES, hash_views, thumbnail, turned
from overread.images.copies.near_hashes import bits_apart, near_pairs
from overread.images.copies.same_picture import has_detail, same_picture, shared_detail
from overread.images.copies.turned import SIDE as VIEW_SIDE
from overread.images.copies.turned import Look, TurnedPictures
from overread.images.data_set import DataSet
from overread.machine.memo import recall_or_work_out
from overread.machine.workers import in_order, one_blas_thread

# Measured on 5,856 chest radiographs: copies at quality 30, gain 0.7 to 1.4 or of another size lie within 31 of the 255
# bits, those cropped by 3 % within 66; only one image in two has a stranger nearer than 72.
_NEAR_BITS = 72
_NEAREST = 8
_PAIRS_AT_ONCE = 2048
_IMAGES_AT_ONCE = 512
_WORKERS = os.cpu_count() or 1
_NEAR = "a near copy of"
# From frame to frame a camera turns by less than five degrees.
_AUGMENTED = re.compile(r"mirrored|negative|turned by (about )?([5-9]|\d\d)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Copies:
    """What is a copy of what, by position among the images that were given, readable or not.

    Args:
        exact: groups of images with the same bytes or the same pixels.
        near: groups of images of the same picture of which at least two are no exact copies of one another; exact
            copies of their members are in them too. They are cut where the picture changes, see `cut_groups`.
        origin: of each image that was found to be a copy, the earlier image that it resembles and in which way.
        blank: images without any detail; only their bytes are compared.
        chains: groups of near copies that pass into one another, each chain whole, as the stretches of a film.
    """

    exact: tuple[Group, ...]
    near: tuple[Group, ...]
    origin: Mapping[int, tuple[int, str]]
    blank: Group
    chains: tuple[Group, ...] = ()

    @property
    def pictures(self) -> tuple[Group, ...]:
        """The groups of images that show one picture, exactly or nearly; an image is in one of them at most."""
        covered = {position for group in self.near for position in group}
        return (*self.near, *(group for group in self.exact if group[0] not in covered))

    @property
    def changed(self) -> frozenset[int]:
        """The images that are an earlier one mirrored, turned or negative, as augmentation makes them and no film."""
        return frozenset(later for later, (_, how) in self.origin.items() if _AUGMENTED.search(how))

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return {
            "exact": [list(group) for group in self.exact],
            "near": [list(group) for group in self.near],
            "origin": [[later, earlier, how] for later, (earlier, how) in self.origin.items()],
            "blank": list(self.blank),
            "chains": [list(chain) for chain in self.chains],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Copies:
        """The copies that `to_dict` gave."""
        return cls(
            exact=tuple(tuple(group) for group in values["exact"]),
            near=tuple(tuple(group) for group in values["near"]),
            origin={later: (earlier, how) for later, earlier, how in values["origin"]},
            blank=tuple(values["blank"]),
            chains=tuple(tuple(chain) for chain in values["chains"]),
        )


def find_copies(data_set: DataSet, read_headers: Callable[[], Sequence[Header]]) -> Copies:
    """Compare all images by their bytes, their prepared pixels and, unless they are blank, what they show.

    Near copies are resized, re-encoded, mirrored, turned by any angle, brighter, darker, negative, cropped by up to
    15 % a side, sheared or slightly bent. They depend on the pixels alone, not on labels or sides, and are looked for
    once: what was found is kept beside the pixels.

    Args:
        data_set: the readable images.
        read_headers: gives the header of every image with which the data set was opened; called where copies are
            looked for.
    """
    store = data_set.store
    return recall_or_work_out(
        store.path.parent,
        "copies",
        [store.digests, data_set.rows.tolist(), store.preprocessing.to_dict(), decoder_versions()],
        lambda: _compare(data_set, read_headers()),
        write=Copies.to_dict,
        read=Copies.from_dict,
    )


@one_blas_thread
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
    pictures = _Pictures(thumbnails[unique], lambda chosen: _views(data_set.pixels(unique[chosen].tolist())))
    pairs = pictures.confirmed()
    ends = [(earlier, later) for earlier, later, _ in pairs]
    copies_of = {group[0]: group for group in exact}
    near: list[Group] = []
    group_of: dict[int, int] = {}
    for members in cut_groups(ends, pictures.are_same):
        group_of |= dict.fromkeys(members, len(near))
        firsts = positions[unique[list(members)]].tolist()
        near.append(tuple(sorted(i for first in firsts for i in copies_of.get(first, (first,)))))
    for first, second, how in pairs:
        earlier, later = positions[unique[[first, second]]].tolist()
        same.join(earlier, later)
        if group_of.get(first) == group_of.get(second):
            origin.setdefault(later, (earlier, how))
    whole = {*exact, *near}
    return Copies(
        exact=exact,
        near=tuple(sorted(near)),
        origin=origin,
        blank=tuple(positions[~detailed].tolist()),
        chains=tuple(chain for chain in same.groups() if chain not in whole),
    )


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


def _views(pixels: np.ndarray) -> np.ndarray:
    """`(k, 112, 112)` uint8 grey of `(k, height, width, channels)`."""
    pictures = (Image.fromarray(image if image.shape[2] == 3 else image[:, :, 0]) for image in pixels)
    size = VIEW_SIDE, VIEW_SIDE
    return np.stack([np.asarray(picture.convert("L").resize(size, Image.Resampling.HAMMING)) for picture in pictures])


class _Pictures:
    """Different images, which are compared with one another: their thumbnails, and with more detail what is turned."""

    def __init__(self, thumbnails: np.ndarray, look: Look) -> None:
        self.thumbnails = thumbnails
        self.views = hash_views(thumbnails)
        self.shared = shared_detail(thumbnails)
        self.turned = TurnedPictures(look, len(thumbnails))

    def confirmed(self) -> list[tuple[int, int, str]]:
        """The pairs that show the same picture, the earlier first, and in which way the later resembles it."""
        pairs = near_pairs(self.views, radius=_NEAR_BITS, most=_NEAREST)

        def confirm(start: int) -> np.ndarray:
            piece = pairs[start : start + _PAIRS_AT_ONCE]
            return self._are_near(piece.earlier, piece.later, piece.view)

        confirmed = list(in_order(confirm, range(0, len(pairs), _PAIRS_AT_ONCE), _WORKERS))
        pairs = pairs[np.flatnonzero(np.concatenate(confirmed))] if confirmed else pairs
        found: dict[tuple[int, int], str] = {}
        # A symmetric picture also meets its mirror image: what is upright says more.
        for k in np.lexsort((pairs.distance, pairs.view > 0)):
            view = int(pairs.view[k])
            how = f"{SYMMETRIES[view]}, {_NEAR}" if view else _NEAR
            found.setdefault((int(pairs.earlier[k]), int(pairs.later[k])), how)
        for earlier, later, how in self.turned.confirmed():
            found.setdefault((earlier, later), ", ".join(filter(None, (how, _NEAR))))
        return [(*ends, how) for ends, how in found.items()]

    def are_same(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Whether pairs that the search did not meet show the same picture, in the view that is nearest.

        Turned ones are not asked for: at some 50 ms a pair a film would take minutes, and families of turned copies
        stay whole by the pairs that the search met.
        """
        return self._are_near(one, other, bits_apart(self.views[:, other], self.views[0, one]).argmin(axis=0))

    def _are_near(self, one: np.ndarray, other: np.ndarray, view: np.ndarray) -> np.ndarray:
        turned_back = self.thumbnails[other]
        for symmetry in range(1, len(SYMMETRIES)):
            turned_back[view == symmetry] = turned(turned_back[view == symmetry], symmetry)
        return same_picture(self.thumbnails[one], turned_back, self.shared)
