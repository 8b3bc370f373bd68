"""Open the DICOM files of one exam."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from overread.errors import UnreadableImage
from overread.formats.dicom.exams.levels import Levels
from overread.formats.dicom.exams.mosaic import Mosaic, is_mosaic, read_mosaic, tiles_of
from overread.formats.dicom.exams.order import Stack, described, in_stacks, without_copies
from overread.formats.dicom.exams.place import Place, places_of
from overread.formats.dicom.exams.stored_frames import StoredFrames
from overread.formats.dicom.objects import object_without_image
from overread.formats.dicom.picture import DicomPicture
from overread.formats.exams.frames import Instance, Origin
from overread.formats.picture import Fitted, GreyValues, Picture, as_stored
from overread.formats.source import HEAD_LENGTH, opened
from overread.words import count, first_of


@contextlib.contextmanager
def open_frames(instances: Sequence[Instance], max_pixels: int) -> Iterator[DicomFrames]:
    """Open DICOM files that belong to one exam, their frames in true order; see `ExamFormat`.

    Objects without an image are left out and named, as are copies of one object.

    Raises:
        UnreadableImage: none holds an image, or one cannot be read.
        MissingPath, MissingExtra: a file or pydicom is not there.
    """
    wanted: dict[Path, set[int | None]] = {}
    for instance in instances:
        wanted.setdefault(instance.path, set()).add(instance.frame)
    others = {path: what for path in wanted if (what := _without_image(path))}
    if len(others) == len(wanted):
        raise UnreadableImage(f"holds no image ({first_of(sorted(set(others.values())))}): leave it out")
    files: dict[Path, _File] = {}
    for path in wanted:
        if path in others:
            continue
        try:
            files[path] = _File.read(path, max_pixels)
        except UnreadableImage as error:
            if len(wanted) == 1:
                raise
            raise UnreadableImage(f"has a file among its {len(wanted)} that {error}") from None
    places = [place for path, file in files.items() for place in file.chosen(wanted[path])]
    yield DicomFrames.of(files, places, _named(others))


def _without_image(path: Path) -> str:
    with opened(path) as stream:
        return object_without_image(stream.read(HEAD_LENGTH))


def _named(others: dict[Path, str]) -> tuple[str, ...]:
    if not others:
        return ()
    kinds = first_of(sorted(set(others.values())))
    return (f"{count(len(others), 'file')} without an image left out ({kinds})",)


@dataclasses.dataclass(frozen=True, eq=False)
class _File:
    frames: StoredFrames
    places: tuple[Place, ...]
    mosaic: Mosaic | None

    @classmethod
    def read(cls, path: Path, max_pixels: int) -> _File:
        frames = StoredFrames.read(path, max_pixels)
        places, mosaic = places_of(frames.header, path, frames.count), None
        if frames.count == 1 and is_mosaic(frames.header):
            with opened(frames.source) as stream:
                mosaic = read_mosaic(stream, frames.header)
            if mosaic is not None:
                places = tiles_of(places[0], mosaic, frames.header)
        return cls(frames, tuple(places), mosaic)

    def chosen(self, wanted: set[int | None]) -> list[Place]:
        """Its frames, or those that are named.

        Raises:
            UnreadableImage: there is no such frame.
        """
        if None in wanted:
            return list(self.places)
        missing = [number for number in wanted if number is not None and not 1 <= number <= self.frames.count]
        if missing:
            held = count(self.frames.count, "frame")
            raise UnreadableImage(f"holds {held} and no frame {min(missing)}: name one that it has, counted from 1")
        return [place for place in self.places if (place.frame or 1) in wanted]

    def picture(self, place: Place) -> Picture:
        return _FramePicture(self, place)

    def box(self, place: Place) -> tuple[int, int, int, int] | None:
        """Left, top, width and height of a slice of a mosaic."""
        if self.mosaic is None or place.tile is None:
            return None
        height, width = place.size
        return place.tile % self.mosaic.across * width, place.tile // self.mosaic.across * height, width, height


@dataclasses.dataclass(frozen=True, eq=False)
class _FramePicture:
    """A frame that is decoded when something of it is asked, and a slice of a mosaic cut out."""

    file: _File
    place: Place

    @functools.cached_property
    def _whole(self) -> Picture:
        return DicomPicture(*self.file.frames.decoded((self.place.frame or 1) - 1), 0)

    def pixels(self, fitted: Fitted = as_stored, channels: int | None = None) -> np.ndarray:
        return self._cut(self._whole.pixels())

    def grey_values(self) -> GreyValues | None:
        grey = self._whole.grey_values()
        return grey and dataclasses.replace(grey, values=self._cut(grey.values))

    def _cut(self, pixels: np.ndarray) -> np.ndarray:
        if (box := self.file.box(self.place)) is None:
            return pixels
        left, top, width, height = box
        return pixels[top : top + height, left : left + width]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DicomFrames:
    """The `Frames` of DICOM files.

    Args:
        files: by their paths.
        stacks: in order.
        levels: of each stack.
        notes: what was decided.
    """

    files: dict[Path, _File]
    stacks: tuple[Stack, ...]
    levels: tuple[Levels, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, files: dict[Path, _File], places: Sequence[Place], notes: tuple[str, ...]) -> DicomFrames:
        """Put frames in order, and find how bright each stack is to be."""
        kept, copies = without_copies(places)
        if copies:
            notes += (f"{count(copies, 'frame')} left out: the same object is there more than once",)
        owners = {(place.uid, place.path) for place in kept if place.uid}
        shared = len(owners) - len({uid for uid, _ in owners})
        if shared:
            notes += (f"{count(shared, 'file')} with the UID of another, perhaps copies: all are read",)
        uncut = sum(is_mosaic(file.frames.header) and file.mosaic is None for file in files.values())
        if uncut:
            notes += (f"{count(uncut, 'mosaic')} read as one picture each: how many slices it holds is not told",)
        cut = sum(file.mosaic is not None for file in files.values())
        if cut:
            notes += (f"{count(cut, 'mosaic')} cut into slices",)
        stacks = tuple(in_stacks(kept))
        levels = tuple(_levels(files, stack) for stack in stacks)
        return cls(files=files, stacks=stacks, levels=levels, notes=(*_said(stacks, levels), *notes))

    def __len__(self) -> int:
        """How many frames there are."""
        return sum(len(stack.places) for stack in self.stacks)

    def _at(self, index: int) -> tuple[int, int]:
        """The stack of a frame, and its place in it."""
        for number, stack in enumerate(self.stacks):
            if index < len(stack.places):
                return number, index
            index -= len(stack.places)
        raise IndexError(index)

    def picture(self, index: int) -> Picture:
        """The frame at a place, as it is shown among the others of its stack."""
        number, at = self._at(index)
        place = self.stacks[number].places[at]
        return self.levels[number].shown(self.files[place.path].picture(place))

    def origin(self, index: int) -> Origin:
        """Where it comes from; of a mosaic's slice, its box in the mosaic."""
        number, at = self._at(index)
        stack = self.stacks[number]
        place = stack.places[at]
        position = stack.positions_mm[at] if stack.positions_mm else None
        return Origin(path=place.path, frame=place.frame, box=self.files[place.path].box(place), position_mm=position)

    def overview(self) -> Picture:
        """The frame in the middle of the largest stack."""
        number = max(range(len(self.stacks)), key=lambda number: len(self.stacks[number].places))
        before = sum(len(stack.places) for stack in self.stacks[:number])
        return self.picture(before + self.stacks[number].middle)


def _said(stacks: Sequence[Stack], levels: Sequence[Levels]) -> tuple[str, ...]:
    """What is to be known of each stack, of those that are alike once."""
    notes = Counter(
        "; ".join(filter(None, (described(stack), own.note))) for stack, own in zip(stacks, levels, strict=True)
    )
    if len(stacks) == 1:
        return tuple(notes)
    return (f"{len(stacks)} stacks", *(f"{often} times {note}" if often > 1 else note for note, often in notes.items()))


def _levels(files: dict[Path, _File], stack: Stack) -> Levels:
    places = stack.places
    looks = [files[place.path].frames.look((place.frame or 1) - 1) for place in places]
    # Projections that only share a series, such as views of a chest, have windows of their own by right.
    is_one_file = len({place.path for place in places}) == 1
    belong = bool(stack.positions_mm) or is_one_file or all(look.is_slice for look in looks)
    return Levels(looks if belong else (), lambda index: files[places[index].path].picture(places[index]))
