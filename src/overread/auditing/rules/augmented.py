"""A set that was augmented before it was labelled: many files that are turned or mirrored copies of few pictures."""

from __future__ import annotations

import dataclasses
from collections import defaultdict

from overread.auditing.finding import Finding, FindingKind
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.masks.recognise import recognise_masks
from overread.cases import Manifest
from overread.cases.patients import suggest_sources
from overread.images.copies import Group, find_copies
from overread.words import count

# A file or two that somebody turned make no augmented set.
_FEWEST_FAMILIES = 10
_LEAST_SHARE = 0.25


def find_augmentation(material: Material) -> list[Finding]:
    """Find out whether a large part of the images are turned, mirrored or otherwise moved copies of others.

    Returns:
        A finding of the code `augmented-set` (warn), whose groups are the families, or none.
    """
    copies = find_copies(material.data_set, lambda: material.headers)
    masks = material.once(recognise_masks)
    families = [
        group for group in copies.near if not copies.changed.isdisjoint(group) and masks.keys().isdisjoint(group)
    ]
    moved = sum(map(len, families))
    if len(families) < _FEWEST_FAMILIES or moved < _LEAST_SHARE * len(material.readable):
        return []
    files = len(material.readable)
    pictures = files - sum(len(group) - 1 for group in copies.pictures)
    return [
        Finding(
            code="augmented-set",
            severity="warn",
            sentence=f"This set looks augmented: {files:,} files come from about {pictures:,} pictures. {moved:,} of "
            f"them are in {count(len(families), 'group')} of turned, mirrored or otherwise changed copies. Copies that "
            "were not recognised may stand on two sides of the split, and a result on such files says less than their "
            "number promises.",
            fix=_fix(material.manifest, copies.pictures),
            count=moved,
            evidence=tuple(_by_class(material, copies.pictures)),
            groups=tuple(sorted(families, key=len, reverse=True)),
        )
    ]


RULE = Rule(
    name="augmented",
    kinds=(FindingKind("augmented-set", "warn", "files that are turned or mirrored copies of few pictures"),),
    find=find_augmentation,
)


def _fix(manifest: Manifest, pictures: tuple[Group, ...]) -> str:
    said = (
        "Where the pictures that the files were made from are to be had, train on those: overread augments by itself."
    )
    if manifest.has_patients:
        return said
    cases = list(manifest.cases)
    for number, group in enumerate(pictures):
        for i in group:
            cases[i] = dataclasses.replace(cases[i], group=str(number))
    found = suggest_sources(cases)
    how = "in the column patient_id of a CSV"
    how += f", or by {found.option}, which tells {found.patients:,} apart" if found else ""
    return f"{said} Else name the source of each file as its patient, {how}."


def _by_class(material: Material, pictures: tuple[Group, ...]) -> list[dict[str, str]]:
    """How many files and pictures there are of each class."""
    first = {i: group[0] for group in pictures for i in group}
    shown: dict[str, set[int]] = defaultdict(set)
    files: dict[str, int] = defaultdict(int)
    for i in material.readable.tolist():
        for name in material.manifest.shown[i]:
            shown[name].add(first.get(i, i))
            files[name] += 1
    return [
        {material.manifest.task.noun[0]: name, "files": f"{files[name]:,}", "pictures": f"{len(shown[name]):,}"}
        for name in material.manifest.classes
    ]
