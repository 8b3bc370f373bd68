"""What a search of a folder did not take, counted by kind and said in sentences."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path

from overread.cases.note import Note
from overread.formats import OtherFile, format_names
from overread.formats.other_files import NO_IMAGE
from overread.words import count, listed

# Why a folder is left out.
OF_OVERREAD = "for overread wrote it"
LINK_BACK = "for it is a link to what is read anyway"
UNOPENED = "for it cannot be opened"
# What systems, archives, file servers and tools leave in folders, besides all that is hidden.
_JUNK = frozenset({
    "__macosx", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "folder.htt", "picasa.ini", "icon\r",
    "zbthumbnail.info", "@eadir", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "$recycle.bin", "recycler",
    "system volume information", "lost+found", "network trash folder", "temporary items", "__pycache__",
})  # fmt: skip
_HIDDEN = frozenset({".ds_store", ".git", ".ipynb_checkpoints", ".appledouble"})
# Windows writes it beside every download, and other systems show its colon as they can.
_DOWNLOADED = "zone.identifier"
_SUFFIX = re.compile(r"(\.(nii|tar|img|mif|mnc))?\.\w{1,10}$")


def is_junk(name: str) -> bool:
    """Whether a file or folder of this name is never data."""
    lower = name.lower()
    return name.startswith((".", "~$")) or lower in _JUNK or lower.endswith(_DOWNLOADED)


class LeftOut:
    """What was left out of a search, by kind.

    `losses` counts what should have been images and could not be had: pointers to files that were not fetched, links
    that lead nowhere, files and folders that cannot be opened.
    """

    def __init__(self) -> None:
        # Each path once, though several patterns may come upon it.
        self._files: defaultdict[OtherFile, dict[Path, None]] = defaultdict(dict)
        self._folders: defaultdict[str, dict[Path, None]] = defaultdict(dict)
        self._junk: dict[Path, None] = {}

    def add_file(self, path: Path, kind: OtherFile) -> None:
        """Leave out a file that is no image."""
        self._files[kind][path] = None

    def add_folder(self, path: Path, reason: str) -> None:
        """Leave out a folder with all that lies in it, for one of the reasons of this module."""
        self._folders[reason][path] = None

    def add_junk(self, path: Path) -> None:
        """Leave out what is never data."""
        self._junk[path] = None

    def update(self, other: LeftOut) -> None:
        """Leave out what another search left out, too."""
        for kind, paths in other._files.items():
            self._files[kind] |= paths
        for reason, paths in other._folders.items():
            self._folders[reason] |= paths
        self._junk |= other._junk

    @property
    def losses(self) -> int:
        """How many images could not be had, or folders of them."""
        return sum(len(paths) for kind, paths in self._files.items() if kind.is_loss) + len(
            self._folders.get(UNOPENED, ())
        )

    @property
    def holds_candidates(self) -> bool:
        """Whether there is anything that its user may take for images."""
        return bool(self.losses) or any(kind.noun for kind in self._files)

    @property
    def is_empty(self) -> bool:
        """Whether nothing but junk was left out."""
        return not self._files and not self._folders

    def sentences(self) -> tuple[str, ...]:
        """What was left out and why, what concerns images first; without anything, no sentence."""
        found: list[str] = []
        for kind, paths in self._files.items():
            if kind.remark:
                said = f"{count(len(paths), kind.noun)} {_are(len(paths))} left out"
                found.append(Note(f"{said}, the first {next(iter(paths))}: {kind.remark}", f"{said}: {kind.remark}"))
        for reason, paths in self._folders.items():
            said = f"{count(len(paths), 'folder')} {_are(len(paths))} left out, {reason}"
            found.append(Note(f"{said}: {_some(paths)}", said))
        unread = {kind: paths for kind, paths in self._files.items() if kind.noun and not kind.remark}
        if unread:
            kinds = listed([f"{count(len(paths), kind.noun)}{_suffixes(paths)}" for kind, paths in unread.items()])
            total = sum(map(len, unread.values()))
            found.append(f"{kinds} {_are(total)} left out: read are images of {format_names()}")
        if others := self._files.get(NO_IMAGE):
            suffixes = Counter(_suffix(path) or "without suffix" for path in others)
            shown = ", ".join(f"{number} {suffix}" for suffix, number in suffixes.most_common())
            verb = "is no image" if len(others) == 1 else "are no images"
            found.append(f"{count(len(others), 'file')} {verb} ({shown})")
        if self._junk:
            names = Counter(_called(path.name) for path in self._junk)
            shown = ", ".join(f"{number} {name}" for name, number in names.most_common(5))
            found.append(f"what systems and tools leave behind is left out ({shown})")
        return tuple(found)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _called(junk: str) -> str:
    """What junk is called: a name that systems give, or the kind of names."""
    lower = junk.lower()
    if lower in _JUNK or lower in _HIDDEN:
        return junk
    return "Zone.Identifier" if lower.endswith(_DOWNLOADED) else "hidden or temporary"


def _some(paths: Collection[Path], most: int = 3) -> str:
    return ", ".join([*map(str, itertools.islice(paths, most)), *(["..."] if len(paths) > most else [])])


def _suffixes(paths: Collection[Path]) -> str:
    found = sorted({_suffix(path) for path in paths} - {""})
    return f" ({', '.join(found)})" if found else ""


def _suffix(path: Path) -> str:
    match = _SUFFIX.search(path.name.lower().strip())
    return match[0] if match else ""
