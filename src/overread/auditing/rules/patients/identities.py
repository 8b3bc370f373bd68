"""Which images belong to one patient id, and which ids stand on two sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from overread.cases import Manifest


def images_of(manifest: Manifest) -> dict[str, list[int]]:
    """The images of each patient id."""
    images = defaultdict(list)
    for i, case in enumerate(manifest.cases):
        if case.patient_id:
            images[case.patient_id].append(i)
    return images


def on_two_sides(manifest: Manifest, keys: Sequence[str | None]) -> list[tuple[int, ...]]:
    """The images of each key that has them on more than one side."""
    images = defaultdict(list)
    for i, (case, key) in enumerate(zip(manifest.cases, keys, strict=True)):
        if key and case.split:
            images[key].append(i)
    return [tuple(group) for group in images.values() if len({manifest.cases[i].split for i in group}) > 1]
