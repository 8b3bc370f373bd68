"""The readable cases of a manifest with their pixels: what training and evaluation work on."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from overread.cases import Manifest, pseudonym
from overread.errors import UnreadableImages
from overread.formats import Instance
from overread.images.exam_pixels import ExamPixels, open_exam_pixels
from overread.images.pixel_store import PixelStore
from overread.images.prepare import Preprocessing
from overread.machine.content.text import storable
from overread.machine.places import cache_folder
from overread.machine.workers import Progress

_CHUNK = 1024
_LISTED = 10


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class DataSet:
    """Cases that all have pixels; made by `DataSet.open`.

    Args:
        manifest: the readable cases.
        store: the pixels of these and perhaps of other cases.
        rows: the row of the store that each case has.
        failures: name to reason for each case of the first manifest that could not be read and was left out.
    """

    manifest: Manifest
    store: PixelStore
    rows: np.ndarray
    failures: Mapping[str, str]

    @classmethod
    def open(
        cls,
        manifest: Manifest,
        preprocessing: Preprocessing,
        *,
        folder: Path | None = None,
        skip_unreadable: bool = False,
        progress: Progress | None = None,
    ) -> DataSet:
        """Decode every image, or open what an earlier run decoded.

        Args:
            manifest: the cases.
            preprocessing: see `PixelStore.open`.
            folder, skip_unreadable, progress: as for `open_each`.

        Raises:
            OverreadError: as `open_each`.
        """
        (data_set,) = cls.open_each(
            manifest, [preprocessing], folder=folder, skip_unreadable=skip_unreadable, progress=progress
        )
        return data_set

    @classmethod
    def open_each(
        cls,
        manifest: Manifest,
        preprocessings: Sequence[Preprocessing],
        *,
        folder: Path | None = None,
        skip_unreadable: bool = False,
        progress: Progress | None = None,
    ) -> tuple[DataSet, ...]:
        """Do so for each preprocessing; what has to be decoded for several is opened once.

        Args:
            manifest: the cases.
            preprocessings: see `PixelStore.open_each`.
            folder: where stores are kept; by default in the user's cache.
            skip_unreadable: leave unreadable images out.
            progress: called with the images done and of all.

        Raises:
            UnreadableImages: some cannot be read and may not be skipped; it names each.
            OutputUnwritable: the folder cannot be written or its disk is full.
        """
        stores = PixelStore.open_each(
            manifest.paths,
            preprocessings,
            folder=folder or cache_folder(),
            frames=[case.frame for case in manifest.cases],
            exams=[case.instances for case in manifest.cases],
            progress=progress,
        )
        return tuple(cls._of(manifest, store, skip_unreadable=skip_unreadable) for store in stores)

    @classmethod
    def _of(cls, manifest: Manifest, store: PixelStore, *, skip_unreadable: bool) -> DataSet:
        failures = {manifest.cases[i].full_name: reason for i, reason in store.failures.items()}
        if failures and not (skip_unreadable and len(failures) < len(manifest)):
            listed = "; ".join(f"{name}: {reason}" for name, reason in list(failures.items())[:_LISTED])
            more = f"; and {len(failures) - _LISTED} more" if len(failures) > _LISTED else ""
            raise UnreadableImages(
                f"{len(failures)} of {len(manifest)} {manifest.noun}s cannot be read ({listed}{more}): repair or "
                "remove them, or pass --skip-unreadable to go on without them",
                failures,
            )
        rows = [i for i in range(len(manifest)) if i not in store.failures]
        readable = manifest.replace(manifest.cases[i] for i in rows)
        return cls(manifest=readable, store=store, rows=np.array(rows), failures=failures)

    def with_split(self, manifest: Manifest) -> DataSet:
        """The same cases with their sides, as `split_cases` gives them."""
        return dataclasses.replace(self, manifest=manifest)

    def without(self, rows: Collection[int]) -> DataSet:
        """The same without the cases in these rows of the store."""
        kept = [i for i, row in enumerate(self.rows.tolist()) if row not in rows]
        manifest = self.manifest.replace(self.manifest.cases[i] for i in kept)
        return dataclasses.replace(self, manifest=manifest, rows=self.rows[kept])

    @property
    def y_true(self) -> np.ndarray:
        """The truth of each case, as `Manifest.task` has it."""
        return self.manifest.y_true

    @property
    def fingerprint(self) -> str:
        """SHA-256 over content, label, side and patient of every case, in any order."""
        lines = sorted(
            f"{self.store.digests[row]} {case.label} {case.split} {pseudonym(case.patient_id)}"
            for row, case in zip(self.rows, self.manifest.cases, strict=True)
        )
        return hashlib.sha256(storable("\n".join(lines)).encode()).hexdigest()

    def content_fingerprint(self, positions: Sequence[int]) -> str:
        """SHA-256 over content and label of these cases, in any order: what makes a test set the same one."""
        lines = sorted(f"{self.store.digests[self.rows[i]]} {self.manifest.cases[i].label}" for i in positions)
        return hashlib.sha256(storable("\n".join(lines)).encode()).hexdigest()

    def pixels(self, positions: Sequence[int]) -> np.ndarray:
        """`(k, height, width, channels)` uint8 of the cases at these positions, copied into memory."""
        return self.store.pixels[self.rows[list(positions)]]

    @property
    def is_of_exams(self) -> bool:
        """Whether any case is an exam, whose pixels here are those of its overview."""
        return any(case.instances for case in self.manifest.cases)

    @contextlib.contextmanager
    def exam(self, position: int) -> Iterator[ExamPixels]:
        """Open every frame of the exam at a position; an image is an exam of one.

        Raises:
            OverreadError: as `open_exam_pixels`.
        """
        case = self.manifest.cases[position]
        instances = case.instances or (Instance(case.path, case.frame),)
        with open_exam_pixels(instances, self.store.preprocessing) as frames:
            yield frames

    def chunks(self, positions: Sequence[int]) -> Iterator[np.ndarray]:
        """The same, piece by piece, so that memory does not grow with their number."""
        for start in range(0, len(positions), _CHUNK):
            yield self.pixels(positions[start : start + _CHUNK])
