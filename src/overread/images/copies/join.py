"""Copies joined: each case names the group of images that show its picture."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Sequence

from overread.cases import Manifest
from overread.formats import Header
from overread.images.copies.find import find_copies
from overread.images.copies.groups import Group, Partition
from overread.images.data_set import DataSet

# Of the images of a class.
_LARGEST_CHAIN = 0.1


def join_copies(manifest: Manifest, data_set: DataSet, read_headers: Callable[[], Sequence[Header]]) -> Manifest:
    """Look for copies and name in each case the group that it belongs to, so that a split keeps them together.

    Frames of one file are one person: where one of them is a copy, all join its group. A chain of groups that pass into
    one another is kept whole while it holds a small part of each of its classes; a longer one would tip the sides, and
    is dealt in the groups that it was cut into, so that neighbouring stretches may fall on two sides.

    Args:
        manifest: every case with which the data set was opened; what cannot be read has no group.
        data_set: the readable ones.
        read_headers: see `find_copies`.
    """
    copies = find_copies(data_set, read_headers)
    labels = Counter(case.label for case in data_set.manifest.cases)
    pictures = (*copies.pictures, *(chain for chain in copies.chains if _is_small(chain, manifest, labels)))
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


def _is_small(chain: Group, manifest: Manifest, labels: Counter[str]) -> bool:
    of_chain = Counter(manifest.cases[position].label for position in chain)
    return all(number <= _LARGEST_CHAIN * labels[label] for label, number in of_chain.items())
