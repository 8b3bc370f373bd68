"""Which folders of a tree are classes, sides of a split, storage or patients."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from overread.cases.folder.left_out import LeftOut
from overread.cases.folder.names import Doubt, are_called_storage, doubt_classes
from overread.cases.folder.sides import Place, some, without_sides
from overread.cases.folder.walk import Directory, walk
from overread.cases.note import Note
from overread.decision.negative_names import reads_as_negative


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """What the folders of a tree are.

    Args:
        places: every folder that holds images of a class, or ought to.
        loose: images that lie in no class.
        no_classes: names of the folders that may be taken for classes and are none; `why` says the reason.
        below: names of the folders in those.
        left_out: what is no image.
        notes: what was decided.
    """

    places: tuple[Place, ...]
    loose: tuple[Path, ...]
    no_classes: tuple[str, ...] = ()
    why: str = ""
    below: tuple[str, ...] = ()
    left_out: LeftOut
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> dict[str, int]:
        """How many images each class has, those without any among them."""
        found: Counter[str] = Counter()
        for place in self.places:
            found[place.label] += len(place.directory.images)
        return dict(found)


def describe_layout(root: Path, class_names: Collection[str] = ()) -> Layout:
    """Find out which folders of a tree are classes.

    A folder whose name is that of a side is one, wherever it lies. Folders that hold nothing but one folder are
    entered, and so is storage (see `doubt_classes`) that holds further folders; what comes next is the class, and
    folders below it belong to it.

    Args:
        root: the folder that holds all.
        class_names: folders that are known as classes, whatever their names say; they lie side by side.

    Raises:
        InvalidData: the folder cannot be opened, or some of its folders are sides and others beside them are not.
    """
    directories = list(walk(root))
    left_out = LeftOut()
    for directory in directories:
        left_out.update(directory.left_out)
    places = without_sides(root, _candidates(directories), class_names)
    depths = [depth for depth in range(_depth(places)) if _names_at(places, depth) & {*class_names}]
    places, notes, doubt = (_entered(places, depths[0]), [], None) if depths else _searched(places)
    names = tuple(_images_by(places))
    inside = [] if doubt else [place for place in places if place.parts]
    outside = places if doubt else [place for place in places if not place.parts]
    return Layout(
        places=tuple(inside),
        loose=tuple(image for place in outside for image in place.directory.images),
        no_classes=names if doubt and len(names) > 1 else (),
        why=doubt.why if doubt else "",
        below=tuple(sorted(_names_at(places, 1))) if doubt else (),
        left_out=left_out,
        notes=(*notes, *_people_below(inside)),
    )


def _searched(places: list[Place]) -> tuple[list[Place], list[Note], Doubt | None]:
    """Enter folders as long as those below may be the classes; with notes, and why what is found is no class."""
    notes: list[Note] = []
    doubt = _doubt(places)
    while _can_enter(places) and _leads_to_classes(places, doubt):
        names = _images_by(places)
        if doubt and len(names) > 1:
            said = f"{doubt.why}: the folders below them are the classes"
            notes.append(Note(f"{some(names)} {said}", f"folders {said}"))
            # Of two, one would be without a side of the three.
            notes += _offer(places, 0) if doubt.are_people and len(names) > 2 else []
        places = _entered(places)
        doubt = _doubt(places)
    return places, notes, doubt


def _doubt(places: Sequence[Place]) -> Doubt | None:
    """Tell why the folders that places come to next are no classes."""
    images = _images_by(places)
    if not images:
        return None
    doubt = _doubt_repeated(places) or doubt_classes(images) or _doubt_crossed(places)
    if not doubt and len(images) > 1 and _can_enter(places) and are_called_storage(images):
        return Doubt("are called storage and hold further folders, either of which may be the classes")
    return doubt


def _candidates(directories: Sequence[Directory]) -> list[Directory]:
    """The folders that have images, ought to have some, or are empty; one of texts and tables has no part in it."""
    entered = {directory.path.parent for directory in directories}
    return [
        directory
        for directory in directories
        if directory.images
        or directory.left_out.holds_candidates
        or (directory.left_out.is_empty and directory.path not in entered)
    ]


def _images_by(places: Sequence[Place]) -> dict[str, int]:
    """How many images lie in each folder that places come to next; folders without any are left out."""
    images: Counter[str] = Counter()
    for place in places:
        if place.parts and place.directory.images:
            images[place.parts[0]] += len(place.directory.images)
    return dict(images)


def _depth(places: Sequence[Place]) -> int:
    return max((len(place.parts) for place in places), default=0)


def _names_at(places: Sequence[Place], depth: int) -> set[str]:
    return {place.parts[depth] for place in places if len(place.parts) > depth}


def _doubt_repeated(places: Sequence[Place]) -> Doubt | None:
    """Tell where one folder holds others that are named as all those beside it, as a copy of the whole does."""
    names = _names_at(places, 0)
    below: defaultdict[str, set[str]] = defaultdict(set)
    for place in places:
        for name in place.parts[:1]:
            below[name].update(place.parts[1:2])
    holding = [name for name in below if len(names) > 1 and below[name] >= names - {name}]
    if len(holding) != 1:
        return None
    return Doubt(f"are no classes side by side: {holding[0]} holds folders named as those beside it")


def _doubt_crossed(places: Sequence[Place]) -> Doubt | None:
    """Tell where folders side by side hold folders of the same names, as views do that each hold the same classes."""
    below: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for place in places:
        if place.directory.images and place.parts:
            below[place.parts[0]][place.parts[1] if len(place.parts) > 1 else ""] += len(place.directory.images)
    inner = sum(below.values(), Counter[str]())
    same = all(found.keys() == inner.keys() for found in below.values())
    if min(len(below), len(inner)) < 2 or "" in inner or not same or doubt_classes(inner):
        return None
    if any(map(reads_as_negative, below)):
        return None
    return Doubt("hold folders of the same names each")


def _people_below(places: Sequence[Place]) -> list[Note]:
    """The offer to take the folders below the classes as patients, where all images lie in such."""
    filled = [place for place in places if place.directory.images]
    if not filled or any(len(place.parts) < 2 for place in filled):
        return []
    below: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for place in filled:
        below[place.label][place.parts[1]] += len(place.directory.images)
    doubts = [doubt_classes(images) for images in below.values() if len(images) > 1]
    return _offer(filled, 1) if doubts and all(doubt and doubt.are_people for doubt in doubts) else []


def _offer(places: Sequence[Place], depth: int) -> list[Note]:
    """The offer to take folders as patients, where these lie at the same depth everywhere."""
    deep = [place for place in places if len(place.parts) > depth]
    found = {place.directory.parts.index(place.parts[depth], depth) for place in deep}
    if len(found) > 1:
        return []
    pattern = f"^{'[^/]+/' * found.pop()}([^/]+)/"
    offer = f"--patient-pattern '{pattern}' takes them so"
    return [
        Note(f"folders such as {deep[0].parts[depth]} may be patients: {offer}", f"folders may be patients: {offer}")
    ]


def _can_enter(places: Sequence[Place]) -> bool:
    """Whether most images lie in folders further below."""
    below = sum(len(place.directory.images) for place in places if len(place.parts) > 1)
    here = sum(len(place.directory.images) for place in places if len(place.parts) == 1)
    return below > here or (not here and _depth(places) > 1)


def _leads_to_classes(places: Sequence[Place], doubt: Doubt | None) -> bool:
    """Whether folders are there for those below: alone, as storage, as roots of sides, or as patients with classes."""
    if len(_names_at(places, 0)) == 1 or _each_on_one_side(places):
        return True
    return doubt is not None and (doubt.is_storage or any(map(reads_as_negative, _names_at(places, 1))))


def _entered(places: Sequence[Place], depth: int = 1) -> list[Place]:
    """The places as seen from so many folders further below; those that lie above have no part of their way left."""
    return [dataclasses.replace(place, parts=place.parts[depth:]) for place in places]


def _each_on_one_side(places: Sequence[Place]) -> bool:
    """Whether folders side by side are the roots of sides: each holds one, and not all the same."""
    sides: defaultdict[str, set[str | None]] = defaultdict(set)
    for place in places:
        for name in place.parts[:1]:
            sides[name].add(place.side)
    return all(len(found) == 1 for found in sides.values()) and len(set.union(*sides.values())) > 1
