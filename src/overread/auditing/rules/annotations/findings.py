"""Marks that a machine or a person burned into the pixels: how many images of each class have them, and where."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from overread.auditing.contrasts import contrasts_of
from overread.auditing.finding import Finding, FindingKind, image_row
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules.annotations.find import KINDS, Kind, Mark, find_marks
from overread.auditing.rules.annotations.places import Place
from overread.auditing.rules.annotations.repeats import find_repeats
from overread.auditing.rules.masks.recognise import recognise_masks
from overread.auditing.shares import surely_more
from overread.auditing.wording import worded
from overread.words import first_of, listed

_SAID: Mapping[Kind, str] = {
    "text": "text",
    "letter": "single letters (such as side markers)",
    "callipers": "crosses of callipers",
    "ruler": "rulers",
    "bar": "grey bars",
}
_FAR_MORE, _MOST_ROWS = 2, 50


def find_burned_in(material: Material) -> list[Finding]:
    """Find text, single letters, callipers, rulers and grey bars in the pixels.

    They are looked for in pictures of 224 pixels: letters of text are found from a fortieth of the longer side on, and
    strokes from a thinness of a 250th. What is darker than its ground is not found.

    Returns:
        A finding `burned-in-annotations` (info) for all, and `annotations-by-class` (warn) where a class has marks of
        a kind at least twice as often as the rest, surely by its number of patients.
    """
    masks = material.once(recognise_masks)
    marks = [mark for mark in find_marks(material) if mark.position not in masks]
    if not marks:
        return []
    by_class = _by_class(material, marks)
    return [_all_marks(material, marks), *([by_class] if by_class else [])]


RULE = Rule(
    name="burned-in annotations",
    kinds=(
        FindingKind("burned-in-annotations", "info", "text, letters, callipers, rulers or grey bars in the pixels"),
        FindingKind("annotations-by-class", "warn", "a class in whose images marks stand far more often"),
    ),
    find=find_burned_in,
)


def _all_marks(material: Material, marks: Sequence[Mark]) -> Finding:
    images = {kind: sorted({mark.position for mark in marks if mark.kind == kind}) for kind in KINDS}
    marked = {mark.position for mark in marks}
    said = [
        f"{_SAID[kind]} in {len(positions):,} ({_places(material, marks, kind)})"
        for kind, positions in images.items()
        if positions
    ]
    repeats = [
        f"{_SAID[repeat.mark.kind]} at {_place(material, repeat.mark).words} in {repeat.images:,}"
        for repeat in find_repeats(material, marks)
    ]
    frame = f" Some stand unchanged at one place, as in the frame of a machine: {first_of(repeats, 3)}." * bool(repeats)
    text = " Text may name a patient, and whoever is given the images can read it." if images["text"] else ""
    return Finding(
        code="burned-in-annotations",
        severity="info",
        sentence=f"{len(marked):,} of {len(material.readable):,} images have marks burned into their pixels: "
        f"{listed(said)}.{frame}{text} A network sees all of it.",
        fix="Look at them, and cover text that names a person before the images are shared. Where marks point to a "
        "finding, as callipers do, take images from before they were marked.",
        count=len(marked),
        evidence=tuple(_rows(material, marks)),
        groups=tuple(tuple(positions) for positions in images.values() if positions),
    )


def _by_class(material: Material, marks: Sequence[Mark]) -> Finding | None:
    task, readable = material.manifest.task, set(material.readable.tolist())
    questions = contrasts_of(material.manifest)
    shown = {one.name: set(np.flatnonzero(one.yes).tolist()) & readable for one in questions}
    images = {kind: {mark.position for mark in marks if mark.kind == kind} for kind in KINDS}
    looked_at = [(kind, one) for kind in KINDS if images[kind] for one in questions]
    said, rows, concerned = [], [], set()
    for kind, one in looked_at:
        own, rest = shown[one.name], set(np.flatnonzero(one.no).tolist()) & readable
        if not _far_more(material, images[kind], own, rest, len(looked_at)):
            continue
        concerned |= own & images[kind]
        others = "of the others" if task.exclusive else one.of_no
        said.append(
            f"{_SAID[kind]} in {_share(own, images[kind])} of the images {one.of_yes} and in "
            f"{_share(rest, images[kind])} {others}"
        )
        rows += [
            {
                "marks": _SAID[kind],
                task.noun[0]: other,
                "images": f"{len(members):,}",
                "with marks": f"{len(members & images[kind]):,}",
                "share": _share(members, images[kind]),
                "places": _places(material, [mark for mark in marks if mark.position in members], kind),
            }
            for other, members in shown.items()
        ]
    if not said:
        return None
    return Finding(
        code="annotations-by-class",
        severity="warn",
        sentence=f"A {task.noun[0]} is marked far more often than the rest: {first_of(said)}. A network can learn the "
        "mark instead of the disease, and a new image may not have it.",
        fix=worded(
            "Take the images {of all classes} from before they were marked, or crop or cover the marks in all images "
            "{of every class} alike, and audit again. After training look at the heat maps.",
            task,
        ),
        count=len(concerned),
        evidence=tuple(rows),
    )


def _far_more(material: Material, marked: set[int], own: set[int], rest: set[int], comparisons: int) -> bool:
    """Whether the share of one is at least twice that of the other; of one patient several images are no more sure."""
    if not own or not rest:
        return False
    cases = material.manifest.cases
    shares = [len(members & marked) / len(members) for members in (own, rest)]
    units = [len({cases[i].counts_as for i in members}) for members in (own, rest)]
    trials = [(round(share * unit), unit) for share, unit in zip(shares, units, strict=True)]
    return shares[0] >= _FAR_MORE * shares[1] and surely_more(*trials, comparisons=comparisons)


def _share(members: set[int], marked: set[int]) -> str:
    return f"{len(members & marked) / len(members):.0%}".replace("%", " %") if members else "no image"


def _places(material: Material, marks: Sequence[Mark], kind: Kind) -> str:
    """The most frequent places, such as "top left 90 %"."""
    counts = Counter(_place(material, mark).words for mark in marks if mark.kind == kind)
    total = counts.total()
    return ", ".join(f"{words} {number / total:.0%}".replace("%", " %") for words, number in counts.most_common(2))


def _rows(material: Material, marks: Sequence[Mark]) -> Iterator[dict[str, str]]:
    """Some marks of each kind and class in turn."""
    cases = material.manifest.cases
    queues: dict[tuple[Kind, str], list[Mark]] = {}
    for mark in marks:
        queues.setdefault((mark.kind, cases[mark.position].label), []).append(mark)
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(*queues.values()))
    for mark in itertools.islice(filter(None, in_turn), _MOST_ROWS):
        place = _place(material, mark)
        yield image_row(cases[mark.position], mark=_SAID[mark.kind], place=place.words, box=place.percent)


def _place(material: Material, mark: Mark) -> Place:
    return Place.of(mark, material.headers[mark.position], material.data_set.store.preprocessing.height)
