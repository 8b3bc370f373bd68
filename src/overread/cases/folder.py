"""Cases from class sub-folders, with or without train/val/test folders above them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from overread.cases.case import SPLIT_ALIASES, Case
from overread.errors import InvalidData, MissingPath
from overread.formats import is_image_name

_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})


def images_below(folder: Path, ignored: Counter[str] | None = None) -> list[Path]:
    """All image files of a folder and its sub-folders, sorted; other files are counted by suffix in `ignored`."""
    found = _images_in(folder, ignored)
    for child in _subfolders(folder):
        found += images_below(child, ignored)
    return found


def read_folder(root: Path) -> tuple[list[Case], list[str]]:
    """The cases of a folder and notes on what was left out.

    Raises:
        MissingPath: the folder is not there.
        InvalidData: it has no class sub-folders, an empty one, or split folders beside class folders.
    """
    expected = "expected a folder of class sub-folders, or a CSV of path,label"
    if not root.exists():
        raise MissingPath(f"{root} is not there: {expected}")
    if not root.is_dir():
        raise InvalidData(f"{root} is not a folder: {expected}")
    top = _enter_single_folder(root)
    class_folders = _class_folders(top)
    ignored = Counter[str]()
    loose = _images_in(top, ignored)
    if not class_folders:
        raise InvalidData(f"{root} has no class sub-folders ({len(loose)} images lie loose): make one for each class")
    cases: list[Case] = []
    for split, folder in class_folders:
        images = images_below(folder, ignored)
        cases += [
            Case(path=path, name=path.relative_to(root).as_posix(), label=folder.name, split=split) for path in images
        ]
    filled = {case.label for case in cases}
    for _, folder in class_folders:
        if folder.name not in filled:
            raise InvalidData(f"the class folder {folder.name} of {root} holds no image: fill it or remove it")
    notes = [f"{len(loose)} images beside the class folders have no label and are left out"] if loose else []
    if ignored:
        kinds = ", ".join(f"{count} {suffix or 'without suffix'}" for suffix, count in ignored.most_common())
        notes.append(f"{ignored.total()} files are no images and are left out ({kinds})")
    return cases, notes


def _enter_single_folder(root: Path) -> Path:
    """Step down while a folder holds nothing but one folder of folders, as unpacked archives do."""
    top = root
    while len(children := _subfolders(top)) == 1:
        if children[0].name.lower() in SPLIT_ALIASES or not _subfolders(children[0]):
            break
        top = children[0]
    return top


def _class_folders(top: Path) -> list[tuple[str | None, Path]]:
    children = _subfolders(top)
    splits = [SPLIT_ALIASES.get(path.name.lower()) for path in children]
    if not any(splits):
        return [(None, path) for path in children]
    if not all(splits):
        odd = ", ".join(path.name for path, split in zip(children, splits, strict=True) if split is None)
        raise InvalidData(f"{top} has split folders and also {odd}: expected either split folders or class folders")
    pairs = zip(splits, children, strict=True)
    return [(split, folder) for split, parent in pairs for folder in _subfolders(parent)]


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _images_in(folder: Path, ignored: Counter[str] | None) -> list[Path]:
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() or path.name.startswith(".") or path.name.lower() in _SYSTEM_FILES:
            continue
        if is_image_name(path):
            found.append(path)
        elif ignored is not None:
            ignored[path.suffix.lower()] += 1
    return found
