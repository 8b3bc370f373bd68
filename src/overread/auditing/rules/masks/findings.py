"""Masks and annotations among the images: by name, by few grey levels, by coloured marks on a picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from overread.auditing.finding import Finding, FindingKind, image_row
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.masks.annotation import Annotation
from overread.auditing.rules.masks.overlays import find_overlays
from overread.auditing.rules.masks.pixel_statistics import measure_pixels
from overread.auditing.rules.masks.recognise import FEW_LEVELS, recognise_masks


def find_masks(material: Material) -> list[Finding]:
    """Find masks, label maps and annotated copies that lie among the pictures.

    A mask is an image that is named so (in whole words), or that has hardly more than two grey levels while most
    images have many. Where half of the images or more are so, this is the modality and none is a mask, unless they
    fill one class. A label map of several levels needs a picture of the same name beside it.
    An overlay is the same picture as another, down to its fine detail, apart from marks of a colour that the picture
    has nowhere; marks in grey, black or white are none, nor are those on a picture that is not there without them. Of
    more than 5,000 coloured images the most vivid are looked at.

    Returns:
        Findings of the codes `mask-among-images` and `overlay-among-images` (block). Each group begins with the image
        that does not belong; the picture that it was drawn on follows, if it is there.
    """
    masks = material.once(recognise_masks)
    statistics = material.once(measure_pixels)
    overlays = find_overlays(material, statistics, masks)
    found = []
    if masks:
        named = sum(mask.reason != FEW_LEVELS for mask in masks.values())
        found.append(
            _finding(
                material,
                masks,
                code="mask-among-images",
                what=f"masks or annotations, {named:,} by their names and {len(masks) - named:,} by having few grey "
                "levels only",
            )
        )
    if overlays:
        what = "copies of another image with coloured marks drawn on them"
        found.append(_finding(material, overlays, code="overlay-among-images", what=what))
    return found


RULE = Rule(
    name="masks and overlays",
    kinds=(
        FindingKind("mask-among-images", "block", "a mask, label map or annotation among the pictures", "leave-out"),
        FindingKind(
            "overlay-among-images", "block", "a copy of another image with coloured marks drawn on it", "leave-out"
        ),
    ),
    find=find_masks,
)


def _finding(material: Material, annotations: Mapping[int, Annotation], *, code: str, what: str) -> Finding:
    cases = material.manifest.cases
    paired = sum(found.picture is not None for found in annotations.values())
    rows = []
    for i, found in annotations.items():
        picture = "" if found.picture is None else cases[found.picture].full_name
        rows.append(image_row(cases[i], reason=found.reason, picture=picture))
    labels = [cases[i].label for i in annotations]
    classes = Counter(name for label in labels for name in material.manifest.task.named_in(label) or (label,))
    spread = ", ".join(f"{count:,} in {name}" for name, count in classes.most_common())
    return Finding(
        code=code,
        severity="block",
        sentence=f"{len(annotations):,} of {len(cases):,} images look like {what} ({spread}); the picture itself is "
        f"there as well for {paired:,} of them. A network would learn what somebody drew, which no new patient brings "
        "along.",
        fix="Look at them, and move those that are no pictures out of the data (or remove their rows from the CSV); "
        "the cleaned manifest leaves them out.",
        count=len(annotations),
        evidence=tuple(rows),
        groups=tuple((i,) if found.picture is None else (i, found.picture) for i, found in annotations.items()),
    )
