"""Copies joined: each case names the group of images that show its picture."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Callable, Sequence

from overread.cases import Manifest
from overread.formats import Header
from overread.images.copies.find import Copies, find_copies
from overread.images.copies.groups import Group, Partition
from overread.images.data_set import DataSet

# Of the images of a class.
_LARGEST_CHAIN = 0.2


def join_copies(manifest: Manifest, data_set: DataSet, read_headers: Callable[[], Sequence[Header]]) -> Manifest:
    """Look for copies and name in each case the group that it belongs to, so that a split keeps them together.

    Frames of one file are one person: where one of them is a copy, all join its group. A chain of groups that pass into
    one another is kept whole, unless it is one of the `long_chains`: these are dealt in the groups that they were cut
    into, so that neighbouring stretches may fall on two sides.

    Args:
        manifest: every case with which the data set was opened; what cannot be read has no group.
        data_set: the readable ones.
        read_headers: see `find_copies`.
    """
    copies = find_copies(data_set, read_headers)
    too_long = long_chains(copies, manifest)
    pictures = (*copies.pictures, *(chain for chain in copies.chains if chain not in too_long))
    joined = Partition(len(manifest))
    for group in pictures:
        for position in group:
            joined.join(group[0], position)
    first_of = {manifest.cases[position].path: position for group in pictures for position in group}
    for position in data_set.rows.tolist():
        joined.join(first_of.get(manifest.cases[position].path, position), position)
    cases = list(manifest.cases)
    for group in joined.groups():
        # By content, so that the name is the same wherever the images lie.
        name = data_set.store.digests[group[0]][:16]
        for position in group:
            cases[position] = dataclasses.replace(cases[position], group=name)
    return manifest.replace(cases)


def long_chains(copies: Copies, manifest: Manifest) -> frozenset[Group]:
    """The chains that would tip the sides, for they hold more than a fifth of the images of a class or finding."""
    shown = [named or (case.label,) for named, case in zip(manifest.shown, manifest.cases, strict=True)]
    images = Counter(itertools.chain.from_iterable(shown))
    return frozenset(
        chain
        for chain in copies.chains
        if any(
            number > _LARGEST_CHAIN * images[name]
            for name, number in Counter(name for position in chain for name in shown[position]).items()
        )
    )
