"""The sides of a split that folders are named after, above or below the classes."""

from __future__ import annotations

import dataclasses
import shlex
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from overread.cases.folder.names import shared_words, side_of
from overread.cases.folder.walk import Directory
from overread.cases.relabel import written_mapping
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


def some(names: Iterable[str], most: int = _LISTED) -> str:
    """The first of some folders, and how many more there are."""
    found = list(names)
    more = [f"{len(found) - most} more"] if len(found) > most else []
    return f"the {'folders' if len(found) > 1 else 'folder'} {listed([*found[:most], *more])}"


def map_of(names: Sequence[str]) -> str:
    """The option that says that folders are classes, called as they are."""
    pairs = written_mapping({name: name for name in names[:_LISTED]}) + ",..." * (len(names) > _LISTED)
    return f"--map {shlex.quote(pairs)}"


def without_sides(root: Path, directories: Sequence[Directory], class_names: Collection[str]) -> list[Place]:
    """Take the sides out of the names that lead to each folder.

    Raises:
        InvalidData: folders that are no sides lie beside some, or images lie on two sides, or on none where others do.
    """
    side_folders = _side_folders(root, directories, class_names)
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
                f"{stray[0].directory.path} lies on no side of the split, and others do: move its "
                f"{count(len(stray[0].directory.images), 'image')} into one of {listed(_sides_in(side_folders))}"
            )
    return places


def _side_folders(
    root: Path, directories: Sequence[Directory], class_names: Collection[str]
) -> dict[tuple[str, ...], str]:
    """The side of each folder that is named after one, by the names that lead to it."""
    children: defaultdict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    for directory in directories:
        if directory.images:
            for i, name in enumerate(directory.parts):
                children[directory.parts[:i]][name] = None
    found: dict[tuple[str, ...], str] = {}
    for above, names in children.items():
        shared = shared_words(names)
        sides = {name: side for name in names if name not in class_names and (side := side_of(name, shared))}
        if odd := [name for name in names if sides and name not in sides]:
            fewer = min(odd, [*sides], key=len)
            raise InvalidData(
                f"{root.joinpath(*above)} has split folders and also {listed(odd[:_LISTED])}: expected either split "
                f"folders or class folders. Take {listed(fewer[:_LISTED])} out, or give one folder alone, such as "
                f"{root.joinpath(*above, next(iter(sides)))}; if all are classes, say so with "
                f"{map_of([*names])}"
            )
        found |= {(*above, name): side for name, side in sides.items()}
    return found


def _sides_in(side_folders: Iterable[tuple[str, ...]]) -> list[str]:
    return sorted({parts[-1] for parts in side_folders})
