"""The slices of the volumes of an exam, in order."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from overread.errors import UnreadableImage
from overread.formats.exams.frames import Instance, Origin
from overread.formats.nifti.described import MOST_BYTES
from overread.formats.nifti.volume import Slice, Volume, read_volume
from overread.formats.picture import Picture, frame_index
from overread.formats.source import opened


@dataclasses.dataclass(frozen=True, eq=False)
class VolumeFrames:
    """Slices of volumes that are open.

    Args:
        places: of each, its file, its volume and its number in that, from 0.
        notes: of the volumes.
    """

    places: tuple[tuple[Path, Volume, int], ...]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.places)

    def picture(self, index: int) -> Picture:
        """A slice."""
        _, volume, place = self.places[index]
        return Slice(volume, place)

    def origin(self, index: int) -> Origin:
        """Where it comes from: its number is that in the direction of the slices, whatever the file's order."""
        path, volume, place = self.places[index]
        number = place + 1 if len(volume) > 1 else None
        return Origin(path=path, frame=number, position_mm=volume.layout.position_mm(place))

    def overview(self) -> Picture:
        """The slice in the middle."""
        return self.picture(len(self) // 2)


def read_volumes(instances: Sequence[Instance], max_pixels: int) -> VolumeFrames:
    """Open the volumes of an exam, by their paths, and choose the slices that are named.

    Raises:
        UnreadableImage: one gives no slices, or together they take more memory than one may.
    """
    volumes: dict[Path, Volume] = {}
    places = []
    unpacked = 0
    for instance in sorted(set(instances), key=lambda one: (str(one.path), one.frame or 0)):
        if instance.path not in volumes:
            with opened(instance.path) as stream:
                volume = read_volume(stream, max_pixels)
            unpacked += volume.described.volume_bytes if volume.described.compressed else 0
            if unpacked > MOST_BYTES:
                raise UnreadableImage(
                    f"has compressed volumes of more than {MOST_BYTES // 2**30} GiB in all: name fewer of them, or "
                    "unpack them to .nii"
                )
            volumes[instance.path] = volume
        volume = volumes[instance.path]
        chosen = range(len(volume)) if instance.frame is None else [frame_index(len(volume), instance.frame)]
        places += [(instance.path, volume, place) for place in chosen]
    return VolumeFrames(tuple(places), _notes(list(volumes.values())))


def _notes(volumes: Sequence[Volume]) -> tuple[str, ...]:
    if len(volumes) == 1:
        return volumes[0].notes
    return tuple(f"volume {number}: {note}" for number, volume in enumerate(volumes, 1) for note in volume.notes)
