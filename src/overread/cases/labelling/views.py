"""Columns of a table that name several images of a row each, as the two eyes of a patient."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

from overread.cases.labelling.images import ImageColumn


def joined_columns(columns: Sequence[ImageColumn]) -> ImageColumn:
    """One column of images of several: each row names all that these name."""
    first, *others = columns
    found = tuple(
        tuple(dict.fromkeys(itertools.chain.from_iterable(own for own in row)))
        for row in zip(*(column.found for column in columns), strict=True)
    )
    return dataclasses.replace(first, way="columns", found=found, also=tuple(column.column for column in others))
