"""Cases from class folders, with or without the folders of sides above or below them."""

from __future__ import annotations

import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path

from overread.cases.case import Case
from overread.cases.folder.endings import cases_by_endings
from overread.cases.folder.layout import Layout, describe_layout
from overread.cases.folder.left_out import LeftOut
from overread.cases.folder.sides import map_of, some
from overread.cases.note import Note
from overread.cases.tables.nearby import tables_near, unread_in
from overread.cases.tables.table import read_tables
from overread.errors import InvalidData, MissingPath
from overread.formats import format_names
from overread.machine.places import RUN_RECORD, holds_results
from overread.words import count, listed

_LISTED = 4
_BEGINNING = re.compile(r"[^\W\d_]+")


def read_folder(root: Path, class_names: Collection[str] = ()) -> tuple[list[Case], list[str]]:
    """The cases of a folder, and notes on what was decided and left out.

    Args:
        root: the folder.
        class_names: folders that the user calls classes, whatever their names say.

    Raises:
        MissingPath: the folder is not there.
        InvalidData: it has no class sub-folders, an empty one, or split folders beside others; or it is a run.
    """
    expected = "expected a folder of class sub-folders, or a table of labels"
    if not root.exists():
        raise MissingPath(f"{root} is not there: {expected}")
    if not root.is_dir():
        raise InvalidData(f"{root} is not a folder: {expected}")
    if (root / RUN_RECORD).is_file() and holds_results(root, [RUN_RECORD]):
        raise InvalidData(f"{root} holds results of overread: {expected}")
    layout = describe_layout(root, class_names)
    if not layout.places and (found := cases_by_endings(root, layout.loose))[0]:
        cases, notes = found
        return cases, [*notes, *layout.left_out.sentences()]
    _require_classes(root, layout)
    cases = [
        Case(path=path, name=path.relative_to(root).as_posix(), label=place.label, split=place.side)
        for place in layout.places
        for path in place.directory.images
    ]
    notes = [*layout.notes, *_merged(layout)]
    if layout.loose:
        one = len(layout.loose) == 1
        verbs = ("lies", "has", "is") if one else ("lie", "have", "are")
        notes.append(
            "{} {} in no class folder, {} no label and {} left out".format(count(len(layout.loose), "image"), *verbs)
        )
    return cases, [*notes, *layout.left_out.sentences()]


def _require_classes(root: Path, layout: Layout) -> None:
    """Refuse a layout that does not tell the class of most images."""
    labelled = sum(layout.classes.values())
    if layout.no_classes:
        below = f", or {some(layout.below)} below them," if layout.below else ""
        or_below = f" or {map_of(layout.below)}" if layout.below else ""
        raise InvalidData(
            f"{root} does not tell what its images show: {some(layout.no_classes)} {layout.why}.{_tables(root)} Give a "
            f"table with --labels TABLE, or a folder for each class; if these{below} are the classes all the same, say "
            f"so with {map_of(layout.no_classes)}{or_below}"
        )
    # Of a side whose labels were kept back, images may well lie loose.
    is_mostly_loose = len(layout.loose) > labelled and not any(place.side for place in layout.places)
    if layout.loose and (not labelled or is_mostly_loose):
        folders = dict.fromkeys(path.parent.relative_to(root).as_posix() for path in layout.loose)
        images = count(len(layout.loose), "image") + ("" if "." in folders else f" in {some(folders)}")
        raise InvalidData(
            f"{root} has no class sub-folders for {images}: what they show is not known."
            f"{_tables(root)} Give a table with --labels TABLE, or move the images of each class into a folder of "
            f"its own{_beginnings(layout.loose)}"
        )
    if not labelled:
        raise InvalidData(f"{root} has no class sub-folders with images{_instead(layout.left_out)}")
    empty = [name for name, number in layout.classes.items() if not number]
    if empty:
        own = LeftOut()
        for place in layout.places:
            if place.label == empty[0]:
                own.update(place.directory.left_out)
        raise InvalidData(
            f"the class folder {empty[0]} of {root} holds no image{_instead(own)}. Fill it, or remove it if it is none"
        )


def _instead(left_out: LeftOut) -> str:
    """What a folder without images holds, and what is read."""
    found = left_out.sentences()
    return f": {'; '.join(found)}" if found else f" of {format_names()}"


def _tables(root: Path) -> str:
    """The tables that lie near, with their columns; the labels may well be in one."""
    told = []
    for path in tables_near(root)[:_LISTED]:
        with contextlib.suppress(InvalidData):
            tables = [table for table in read_tables(str(path)) if table.columns]
            told += [f"{table.name} (columns {', '.join(table.columns[:_LISTED])})" for table in tables]
    near = f" Tables near them: {'; '.join(told)}." if told else ""
    if unread := [path.name for path in unread_in(root)]:
        near += f" {_some(unread)} {'is' if len(unread) == 1 else 'are'} not read: save it as XLSX or CSV."
    return near


def _beginnings(paths: Collection[Path]) -> str:
    """A suggestion, where file names begin with a few words."""
    found = Counter(match[0] for path in paths if (match := _BEGINNING.match(path.stem)))
    if found.total() < len(paths) or not 2 <= len(found) <= 20 or min(found.values()) < 2:
        return ""
    shown = listed([f"{word} ({number})" for word, number in found.most_common()])
    return f" (the file names begin with {shown}, which may be the classes)"


def _merged(layout: Layout) -> list[Note]:
    """Which folders below a class were taken into it."""
    below: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for place in layout.places:
        if len(place.parts) > 1 and place.directory.images:
            below[place.label]["/".join(place.parts[1:])] = None
    said = {label: f"the class {label} takes the images of {count(len(n), 'sub-folder')}" for label, n in below.items()}
    return [Note(f"{said[label]}: {_some(names)}", said[label]) for label, names in below.items()]


def _some(names: Collection[str], most: int = _LISTED) -> str:
    return ", ".join([*list(names)[:most], *([f"and {len(names) - most} more"] if len(names) > most else [])])
