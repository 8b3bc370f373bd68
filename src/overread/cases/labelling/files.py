"""The files below a folder, found by what the cells of a table call them."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from overread.cases.case import SPLIT_ALIASES

Positions = tuple[int, ...]
_DRIVE = re.compile(r"[A-Za-z]:/")
_SUFFIX = re.compile(r"\.(?=[^.]*[A-Za-z])[A-Za-z0-9]{1,5}$")
_DECIMAL = re.compile(r"(?<=\d)\.0$")
_DIGIT = re.compile(r"\d")
# Where a part of a name ends that others may share, as in P01_left.png.
_PART_ENDS = re.compile(r"(?<=\w)[ _.-](?=.*\.)")
# Of more files of one name it does not matter which: none of them can be meant.
_MOST = 50
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


class Tails:
    """Files, or folders of them, by the ends of their paths, in whatever case."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, ...], list[int]] = defaultdict(list)

    def add(self, parts: Sequence[str], at: int) -> None:
        """Add what a path leads to."""
        for start in range(len(parts)):
            self._found[tuple(parts[start:])].append(at)

    def __getitem__(self, tail: tuple[str, ...]) -> list[int]:
        """All whose paths end so."""
        return self._found.get(tail, [])

    def longest_first(self, parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[int]]]:
        """The ends of a path that others have too, the longest first, with what these lead to."""
        for start in range(len(parts)):
            if found := self[parts[start:]]:
                yield parts[start:], found


class Files:
    """Image files by their names, in whatever spelling a table gives them.

    Args:
        root: of the names.
        paths: of the files, each below root.
    """

    def __init__(self, root: Path, paths: Sequence[Path]) -> None:
        self.root = root
        self.paths = tuple(paths)
        self.names = [path.relative_to(root).as_posix() for path in paths]
        self._parts = [_keys(name.split("/")) for name in self.names]
        self.by_name, self.by_stem, self.by_core = Tails(), Tails(), Tails()
        self.by_start: dict[str, list[int]] = defaultdict(list)
        self.cores = Cores([stem_of(parts[-1]) for parts in self._parts])
        below: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for at, (*folders, name) in enumerate(self._parts):
            # A name of bytes that are no UTF-8 is that of an archive packed under Chinese Windows.
            for called in filter(None, (name, _redecoded(self.paths[at].name))):
                self.by_name.add([*folders, called], at)
                self.by_stem.add([*folders, stem_of(called)], at)
            self.by_core.add([*folders, self.cores.found[at]], at)
            for end in _PART_ENDS.finditer(name):
                self.by_start[name[: end.start()]].append(at)
            for depth in range(1, len(folders) + 1):
                below[tuple(folders[:depth])].append(at)
        self._folders, self._below = Tails(), [*below.values()]
        for number, folder in enumerate(below):
            self._folders.add(folder, number)

    def __len__(self) -> int:
        return len(self.paths)

    def leading_to(self, path: Path) -> tuple[str, ...]:
        """The folders from the root of the files to another file, such as a table; none where it lies elsewhere."""
        parent = path.absolute().parent
        return parent.relative_to(self.root.absolute()).parts if parent.is_relative_to(self.root.absolute()) else ()

    def called(self, cell: str, index: Tails, *, side: str | None = None, hints: Collection[str] = ()) -> Positions:
        """The files that a cell calls by their name, by index; of several, those whose folders fit best.

        Args:
            cell: a name, with or without folders before it.
            index: of the files by the name alone.
            side: of the split that the file stands on, where folders tell one.
            hints: what else is known of the row, of which the names of folders may be.
        """
        for spelling in spellings_of(cell):
            *folders, name = _keys(spelling)
            sides = frozenset({side}) if side else sides_in(folders)
            for called in dict.fromkeys((name, stem_of(name)) if index is self.by_stem else (name,)):
                for tail, candidates in index.longest_first((*folders, called)):
                    near = [at for hint in hints for at in index[hint, *tail]]
                    for group in (near, candidates[:_MOST]):
                        if found := [at for at in group if self._is_on(at, sides)]:
                            return self._of_several(found, hints, spelling[-1])
        return ()

    def before(self, cell: str, at: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The folders before those that a cell and a file have in common: those of the cell, and those of the file."""
        folders, own = _keys(next(iter(spellings_of(cell)), ())[:-1]), self._parts[at][:-1]
        common = 0
        while common < min(len(folders), len(own)) and folders[-1 - common] == own[-1 - common]:
            common += 1
        return folders[: len(folders) - common], own[: len(own) - common]

    def below(self, cell: str) -> Positions:
        """The files of the one folder that a cell names."""
        for spelling in spellings_of(cell):
            _, found = next(self._folders.longest_first(_keys(spelling)), ((), []))
            if len(found) == 1:
                return tuple(self._below[found[0]])
        return ()

    def _is_on(self, at: int, sides: frozenset[str]) -> bool:
        """True unless the folders of a file tell a side, and none of these."""
        return not sides or not (own := sides_in(self._parts[at][:-1])) or bool(sides & own)

    def _of_several(self, found: list[int], hints: Collection[str], name: str) -> Positions:
        """Of files that go by one name, those in a folder that is hinted at, and the one that is spelled alike."""
        if len(found) > 1:
            found = [at for at in found if any(hint in self._parts[at][:-1] for hint in hints)] or found
        same = [at for at in found if name in (self.paths[at].name, stem_of(self.paths[at].name))]
        return tuple(same if len(same) == 1 else found)


def spellings_of(cell: str) -> list[tuple[str, ...]]:
    """The parts of a path, as a cell gives it and without percent encoding; of an address, of its path."""
    text = cell.replace("\\", "/")
    if "://" in text:
        try:
            text = urlsplit(text).path
        except ValueError:
            return []
    text = _DRIVE.sub("", text, count=1) if _DRIVE.match(text) else text
    # Programs that take ids for numbers write 12 as 12.0.
    spellings = dict.fromkeys((text, unquote(text), _DECIMAL.sub("", text)))
    parts = (tuple(part for part in spelling.split("/") if part not in ("", ".", "..")) for spelling in spellings)
    return [found for found in parts if found]


def sides_in(names: Iterable[str]) -> frozenset[str]:
    """The sides of a split that names of folders or tables tell, such as `train_images`."""
    return frozenset().union(*map(_sides_of, names))


@functools.cache
def _sides_of(name: str) -> frozenset[str]:
    return frozenset(SPLIT_ALIASES[word] for word in re.findall(r"[a-z]+", name.lower()) if word in SPLIT_ALIASES)


def stem_of(name: str) -> str:
    """A name without what looks like a suffix; with `.nii.gz`, without both."""
    return _SUFFIX.sub("", _SUFFIX.sub("", name) if name.endswith(".nii.gz") else name)


class Cores:
    """What tells names from one another: without what all begin and end with, and without zeros before numbers."""

    def __init__(self, stems: Sequence[str]) -> None:
        self.start = re.sub(r"\d+$", "", _common_start(stems))
        self.end = re.sub(r"\d+$", "", _common_start([stem[len(self.start) :][::-1] for stem in stems]))[::-1]
        self.found = [_ZEROS.sub("", stem[len(self.start) : len(stem) - len(self.end)]) for stem in stems]

    def goes_with(self, other: Cores) -> bool:
        """True where one begins, or ends, with letters that the other leaves out, and all else is alike."""
        pairs = [(self.start, other.start), (self.end, other.end)]
        different = [pair for pair in pairs if pair[0] != pair[1]]
        return len(different) <= 1 and all(not (one and two) and not _DIGIT.search(one + two) for one, two in different)


def _common_start(texts: Sequence[str]) -> str:
    first, last = (min(texts), max(texts)) if texts else ("", "")
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    return first[:length]


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _keys(parts: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(_key, parts))


def _redecoded(name: str) -> str | None:
    """The key of a name in the encoding of Chinese Windows, where it is in no other."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return _key(os.fsencode(name).decode("gb18030", "replace"))
    return None
