"""What all files of an exam say of themselves, of which a case names the first only."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from overread.auditing.material import Material
from overread.formats import Header, Instance, read_headers

# Read in some minutes; of larger studies as many of each exam, the first and the last among them.
_MOST_FILES = 200_000


def headers_of_exams(material: Material) -> tuple[tuple[Header, ...], ...]:
    """The headers of the files of each case, of an image its own; `Material.once` keeps them."""
    cases = material.manifest.cases
    exams = sum(bool(case.instances) for case in cases)
    most = max(2, _MOST_FILES // max(exams, 1))
    files = [_spread([*dict.fromkeys(one.path for one in case.instances)], most) for case in cases]
    further = {path: None for own in files for path in own[1:]}
    read = dict(zip(further, read_headers([*further]), strict=True)) if further else {}
    return tuple((own, *(read[path] for path in paths[1:])) for own, paths in zip(material.headers, files, strict=True))


def joined_headers(material: Material) -> tuple[Header, ...]:
    """A header for each case that has the traces of persons that any of its files has."""
    return tuple(map(_joined, material.once(headers_of_exams)))


def frames_in(instances: Sequence[Instance], headers: Sequence[Header]) -> int:
    """How many frames an exam has, by its headers; of very large studies by those that were read."""
    files = len({one.path for one in instances})
    whole = sum(one.frame is None for one in instances)
    mean = np.mean([max(header.frames, 1) for header in headers])
    return round(float(mean) * files) if whole else len(instances)


def _spread(paths: list, most: int) -> list:
    if len(paths) <= most:
        return paths
    return [paths[i] for i in np.unique(np.linspace(0, len(paths) - 1, most).astype(int)).tolist()]


def _joined(headers: Sequence[Header]) -> Header:
    if len(headers) == 1:
        return headers[0]
    tags = tuple(dict.fromkeys(tag for header in headers for tag in header.person_tags))
    return dataclasses.replace(
        headers[0],
        person_tags=tags,
        identifying_tags=len(tags),
        has_position=any(header.has_position for header in headers),
        has_burned_in_text=any(header.has_burned_in_text for header in headers),
        is_deidentified=all(header.is_deidentified for header in headers),
    )
