"""Copies joined: each case names the group of images that show its picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from overread.cases import Manifest
from overread.formats import Header
from overread.images.copies.find import Partition, find_copies
from overread.images.data_set import DataSet


def join_copies(manifest: Manifest, data_set: DataSet, read_headers: Callable[[], Sequence[Header]]) -> Manifest:
    """Look for copies and name in each case the group that it belongs to, so that a split keeps them together.

    Frames of one file are one person: where one of them is a copy, all join its group.

    Args:
        manifest: every case with which the data set was opened; what cannot be read has no group.
        data_set: the readable ones.
        read_headers: see `find_copies`.
    """
    pictures = find_copies(data_set, read_headers).pictures
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
