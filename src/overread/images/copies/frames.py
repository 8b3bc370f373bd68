"""Frames that stand in several exams: a volume under another name, a series cut in two, a slice copied into another."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from overread.errors import OverreadError
from overread.formats import Header, decoder_versions
from overread.formats.slides import SLIDES
from overread.images.copies.hashes import SIDE, hash_views, thumbnail
from overread.images.copies.near_hashes import near_pairs
from overread.images.copies.same_picture import has_detail, same_picture, shared_detail
from overread.images.data_set import DataSet
from overread.images.exam_pixels import ExamPixels
from overread.machine.memo import recall_or_work_out
from overread.machine.workers import in_order, one_blas_thread

# So many thumbnails take 0.25 GB, and their decoding a minute or two; of larger studies as many of each exam.
_MOST_FRAMES = 60_000
# Neighbouring slices of one volume, 3 mm apart, differ in 30 bits and more (72 brains, November 2026).
_NEAR_BITS, _NEAREST = 24, 16
# What is darker, or bright in less of the frame, is the border of a volume.
_DARK, _LEAST_CONTENT = 24, 0.04
# Fewer frames that are merely alike, or a smaller share of an exam, are chance.
_FEWEST_ALIKE, _LEAST_SHARE = 3, 0.15


class Shared(NamedTuple):
    """Two exams with frames in common.

    Args:
        first, second: positions among the exams with which the data set was opened.
        same: frames with the same pixels.
        alike: frames that show the same picture, as when values were scaled; those with the same pixels among them.
        of: frames of the shorter exam that were compared.
    """

    first: int
    second: int
    same: int
    alike: int
    of: int


def find_shared_frames(data_set: DataSet, headers: Callable[[], Sequence[Header]]) -> tuple[Shared, ...]:
    """Compare the frames of all exams with one another; blank ones and those at the border of a volume do not count.

    Args:
        data_set: the readable exams.
        headers: gives a header for each with which it was opened; called where frames are compared.
    """
    store = data_set.store
    return recall_or_work_out(
        store.path.parent,
        "shared-frames",
        [store.digests, data_set.rows.tolist(), store.preprocessing.to_dict(), decoder_versions()],
        lambda: _compare(data_set, headers()),
        write=lambda found: [list(pair) for pair in found],
        read=lambda values: tuple(Shared(*map(int, pair)) for pair in values),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class _Frames:
    exams: np.ndarray
    thumbnails: np.ndarray
    digests: list[bytes]


@one_blas_thread
def _compare(data_set: DataSet, headers: Sequence[Header]) -> tuple[Shared, ...]:
    frames = _reduce(data_set, headers)
    if not len(frames.exams):
        return ()
    counts = Counter(frames.exams.tolist())
    same = _same(frames)
    alike = _alike(frames)
    found = []
    for pair in sorted({*same, *alike}):
        of = min(counts[pair[0]], counts[pair[1]])
        together = min(of, len(alike.get(pair, set()) | same.get(pair, set())))
        if pair in same or together >= max(_FEWEST_ALIKE, _LEAST_SHARE * of):
            first, second = data_set.rows[list(pair)].tolist()
            found.append(Shared(first, second, min(of, len(same.get(pair, ()))), together, of))
    return tuple(found)


def _same(frames: _Frames) -> dict[tuple[int, int], set[int]]:
    """The frames of the later exam whose pixels an earlier one has too, by pairs of exams."""
    places: dict[bytes, list[int]] = defaultdict(list)
    for index, digest in enumerate(frames.digests):
        places[digest].append(index)
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    for members in places.values():
        first = int(frames.exams[members[0]])
        for index in members[1:]:
            if (exam := int(frames.exams[index])) != first:
                found[first, exam].add(index)
    return found


def _alike(frames: _Frames) -> dict[tuple[int, int], set[int]]:
    """Likewise of those that show the same picture, upright."""
    pairs = near_pairs(hash_views(frames.thumbnails)[:1], radius=_NEAR_BITS, most=_NEAREST)
    apart = np.flatnonzero(frames.exams[pairs.earlier] != frames.exams[pairs.later])
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    if not apart.size:
        return found
    earlier, later = pairs.earlier[apart], pairs.later[apart]
    is_same = same_picture(frames.thumbnails[earlier], frames.thumbnails[later], shared_detail(frames.thumbnails))
    for one, other in zip(earlier[is_same].tolist(), later[is_same].tolist(), strict=True):
        first, second = int(frames.exams[one]), int(frames.exams[other])
        found[min(first, second), max(first, second)].add(other)
    return found


def _reduce(data_set: DataSet, headers: Sequence[Header]) -> _Frames:
    """Thumbnails and digests of the frames that show something, by the position of their exams in the data set."""
    rows = data_set.rows.tolist()
    positions = [
        i
        for i, case in enumerate(data_set.manifest.cases)
        # Two slides never have the same tiles unless they are one, which is told by the whole.
        if case.instances and headers[rows[i]].format != SLIDES.name
    ]
    most = max(1, _MOST_FRAMES // max(len(positions), 1))

    def reduce(position: int) -> tuple[np.ndarray, list[bytes]]:
        with contextlib.suppress(OverreadError), data_set.exam(position) as exam:  # told where it is trained on
            header = headers[int(data_set.rows[position])]
            return _reduce_exam(exam, (header.width, header.height), most)
        return np.zeros((0, SIDE, SIDE), np.uint8), []

    owners: list[Any] = []
    thumbnails, digests = [], []
    for position, (own, keys) in zip(positions, in_order(reduce, positions, os.cpu_count() or 1), strict=True):
        owners += [position] * len(keys)
        thumbnails.append(own)
        digests += keys
    whole = np.concatenate(thumbnails) if thumbnails else np.zeros((0, SIDE, SIDE), np.uint8)
    return _Frames(np.array(owners, np.int64), whole, digests)


def _reduce_exam(exam: ExamPixels, size: tuple[int, int], most: int) -> tuple[np.ndarray, list[bytes]]:
    chosen = np.unique(np.linspace(0, len(exam) - 1, min(len(exam), most)).astype(int)).tolist()
    thumbnails, digests = [], []
    for index in chosen:
        pixels = exam.pixels(index)
        own = thumbnail(pixels, size, exam.preprocessing)
        if (own > _DARK).mean() >= _LEAST_CONTENT:
            thumbnails.append(own)
            digests.append(hashlib.blake2b(pixels.tobytes(), digest_size=16).digest())
    if not thumbnails:
        return np.zeros((0, SIDE, SIDE), np.uint8), []
    whole = np.stack(thumbnails)
    detailed = has_detail(whole)
    return whole[detailed], [digest for digest, shows in zip(digests, detailed, strict=True) if shows]
