"""Which folders of a tree are classes, sides of a split, storage or patients."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from overread.cases.folder.left_out import LeftOut
from overread.cases.folder.names import Doubt, doubt_classes, side_of
from overread.cases.folder.walk import Directory, walk
from overread.decision import reads_as_negative
from overread.errors import InvalidData
from overread.words import count, listed

_LISTED = 4


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """A folder in its role.

    Args:
        directory: the folder.
        side: of the split, as a folder above or below the class names it.
        parts: the class and the folders below it that lead here; none for images that lie loose.
    """

    directory: Directory
    side: str | None
    parts: tuple[str, ...]

    @property
    def label(self) -> str:
        """The class; a blank that nobody sees makes no other one."""
        return self.parts[0].strip() if self.parts else ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """What the folders of a tree are.

    Args:
        places: every folder that holds images of a class, or ought to.
        loose: images that lie in no class.
        no_classes: names of the folders that may be taken for classes and are none; `why` says the reason.
        left_out: what is no image.
        notes: what was decided.
    """

    places: tuple[Place, ...]
    loose: tuple[Path, ...]
    no_classes: tuple[str, ...] = ()
    why: str = ""
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
        class_names: folders that the user calls classes, whatever their names say.

    Raises:
        InvalidData: the folder cannot be opened, or some of its folders are sides and others beside them are not.
    """
    directories = list(walk(root))
    left_out = LeftOut()
    for directory in directories:
        left_out.update(directory.left_out)
    places = _without_sides(root, _candidates(directories), class_names)
    loose = [image for place in places if not place.parts for image in place.directory.images]
    places = [place for place in places if place.parts]
    if class_names:
        at = next((i for i in range(_depth(places)) if _names_at(places, i) & set(class_names)), 0)
        for _ in range(at):
            places, found = _entered(places)
            loose += found
        return Layout(places=tuple(places), loose=tuple(loose), left_out=left_out)
    notes: list[str] = []
    while places:
        images = {name: number for name, number in _images_by(places).items() if number}
        doubt = doubt_classes(images) if images else None
        if not _can_enter(places) or not _leads_to_classes(places, doubt):
            if doubt and len(images) > 1:
                return Layout(places=(), loose=tuple(loose), no_classes=tuple(images), why=doubt.why, left_out=left_out)
            if doubt:
                loose += [image for place in places for image in place.directory.images]
                places = []
            break
        if doubt and len(images) > 1:
            notes.append(f"{some(images)} {doubt.why}: the folders below them are the classes")
        places, found = _entered(places)
        loose += found
    return Layout(places=tuple(places), loose=tuple(loose), left_out=left_out, notes=tuple(notes))


def some(names: Iterable[str], most: int = _LISTED) -> str:
    """The first of some folders, and how many more there are."""
    found = list(names)
    more = [f"{len(found) - most} more"] if len(found) > most else []
    return f"the {'folders' if len(found) > 1 else 'folder'} {listed([*found[:most], *more])}"


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


def _without_sides(root: Path, directories: Sequence[Directory], class_names: Collection[str]) -> list[Place]:
    """Take the sides out of the names that lead to each folder."""
    children: defaultdict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for directory in directories:
        if directory.images:
            for i, name in enumerate(directory.parts):
                children[directory.parts[:i]][name] = None
    side_folders: dict[tuple[str, ...], str] = {}
    for above, names in children.items():
        sides = {name: side for name in names if name not in class_names and (side := side_of(name, names))}
        if odd := [name for name in names if sides and name not in sides]:
            raise InvalidData(
                f"{root.joinpath(*above)} has split folders and also {listed(odd[:_LISTED])}: expected either split "
                f"folders or class folders. Move {odd[0]} into {next(iter(sides))} or elsewhere, or, if "
                f"{next(iter(sides))} is a class, name the classes: --map '{_as_themselves([*names])}'"
            )
        side_folders |= {(*above, name): side for name, side in sides.items()}
    places = []
    for directory in directories:
        parts = directory.parts
        found = [i for i in range(len(parts)) if parts[: i + 1] in side_folders]
        own = {side_folders[parts[: i + 1]] for i in found}
        if len(own) > 1:
            raise InvalidData(f"{directory.path} lies on two sides of a split, {listed(sorted(own))}: move it to one")
        kept = tuple(name for i, name in enumerate(parts) if i not in found)
        places.append(Place(directory=directory, side=next(iter(own), None), parts=kept))
    if side_folders:
        places = [place for place in places if place.side or place.directory.images]
        if stray := [place for place in places if not place.side and place.parts]:
            raise InvalidData(
                f"{stray[0].directory.path} lies on no side of the split, and others do: put its "
                f"{count(len(stray[0].directory.images), 'image')} into a folder {some(_sides_in(side_folders))}"
            )
    return places


def _sides_in(side_folders: Iterable[tuple[str, ...]]) -> list[str]:
    return sorted({parts[-1] for parts in side_folders})


def _as_themselves(names: Sequence[str]) -> str:
    return ",".join(f"{name}={name}" for name in names)


def _images_by(places: Sequence[Place]) -> dict[str, int]:
    images: Counter[str] = Counter()
    for place in places:
        images[place.parts[0]] += len(place.directory.images)
    return dict(images)


def _depth(places: Sequence[Place]) -> int:
    return max((len(place.parts) for place in places), default=0)


def _names_at(places: Sequence[Place], depth: int) -> set[str]:
    return {place.parts[depth] for place in places if len(place.parts) > depth}


def _can_enter(places: Sequence[Place]) -> bool:
    """Whether most images lie in folders further below."""
    below = sum(len(place.directory.images) for place in places if len(place.parts) > 1)
    here = sum(len(place.directory.images) for place in places if len(place.parts) == 1)
    return below > here or (not here and _depth(places) > 1)


def _leads_to_classes(places: Sequence[Place], doubt: Doubt | None) -> bool:
    """Whether folders are there for those below: alone, as storage, as roots of sides, or as patients with classes."""
    if len(_images_by(places)) == 1 or _each_on_one_side(places):
        return True
    return doubt is not None and (doubt.is_storage or any(map(reads_as_negative, _names_at(places, 1))))


def _entered(places: Sequence[Place]) -> tuple[list[Place], list[Path]]:
    """The places as seen from one folder further below, and the images that lie loose there."""
    below = [dataclasses.replace(place, parts=place.parts[1:]) for place in places if len(place.parts) > 1]
    return below, [image for place in places if len(place.parts) == 1 for image in place.directory.images]


def _each_on_one_side(places: Sequence[Place]) -> bool:
    """Whether folders side by side are the roots of sides: each holds one, and not all the same."""
    sides: defaultdict[str, set[str | None]] = defaultdict(set)
    for place in places:
        sides[place.parts[0]].add(place.side)
    return all(len(found) == 1 for found in sides.values()) and len(set.union(*sides.values())) > 1
