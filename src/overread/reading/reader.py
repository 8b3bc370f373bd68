"""A bundle at work: image in, class, probabilities, decision and activation map out. ONNX Runtime, no TensorFlow."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from overread.bundle import Bundle
from overread.bundle.graph import provider_asked
from overread.cases.exams.exam import Exam
from overread.decision import Abstentions
from overread.errors import InvalidOption, MissingPath, OverreadError
from overread.images import prepare
from overread.images.exam_pixels import ExamPixels
from overread.machine.remote import public_name
from overread.machine.workers import in_order
from overread.reading.answers import Answers, OpenNetwork, answers_from
from overread.reading.exams.answer import ask_of_exam
from overread.reading.exams.look import Look, look_at
from overread.reading.exams.opened import ExamFile, files_of, open_files
from overread.reading.fetch import Fetched, fetched
from overread.reading.in_memory import file_content
from overread.reading.question import questions_told
from overread.reading.reading import Failure, Reading

# Images that a worker takes at once: 389 images/s, against 383 with 4, 376 with 32 and 348 with 1 (compact, 224 px,
# 2 cores, November 2026). Beside other images, the sixth digit of a probability may be another.
CHUNK = 8


class Reader:
    """Reads images with a bundle, each prepared exactly as the bundle's training images were.

    It can be pickled, and so be sent to where the bundle does not lie. `provider` is what ONNX Runtime computes with,
    which the environment variable OVERREAD_PROVIDER names.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle, self.references = bundle, bundle.references()
        self.provider = provider_asked()
        self._networks = [
            OpenNetwork.of(bundle, member, reference, self.provider)
            for member, reference in zip(bundle.members, self.references, strict=True)
        ]

    @classmethod
    def load(cls, bundle: Reader | Bundle | str | Path) -> Reader:
        """Read with a bundle, its directory or zip, or the one in the folder of a run; a reader is given back.

        Raises:
            MissingPath: nothing is there.
            InvalidBundle: it is no bundle, was altered, or has an unknown version.
            InvalidOption: OVERREAD_PROVIDER names what ONNX Runtime cannot compute with here.

        Example:
            >>> reader = Reader.load("runs/cxr/bundle")  # doctest: +SKIP
            >>> reader.read("image.jpeg").predicted_label  # doctest: +SKIP
            'PNEUMONIA'
        """
        return bundle if isinstance(bundle, Reader) else cls(Bundle.load(bundle))

    @property
    def reads_exams(self) -> bool:
        """Whether what gets one answer is an exam, of one image or of many."""
        return self.bundle.exams is not None

    def read(self, source: str | Path | bytes | Image.Image | np.ndarray, *, name: str | None = None) -> Reading:
        """Read one image; with a bundle that reads exams one exam, which a single file or folder is.

        Args:
            source: the path of a file, the bytes of one, an image of Pillow, or `(height, width)` or
                `(height, width, 3)` uint8.
            name: of the reading; by default the path, and empty for what has none. Of bytes, it tells a DICOM file
                without preamble.

        Raises:
            MissingPath: nothing is at the path.
            UnreadableImage: it gives no pixels.

        Example:
            >>> reader.read(np.zeros((512, 512), np.uint8), name="black")  # doctest: +SKIP
        """
        if self.reads_exams:
            return self.read_exam(source, name=name)
        if name is None:
            name = "" if isinstance(source, bytes | Image.Image | np.ndarray) else public_name(source)
        content = file_content(source) if isinstance(source, Image.Image | np.ndarray) else source
        pixels = prepare(content, self.bundle.preprocessing, name)
        return self.read_prepared([name], pixels[None])[0]

    def __repr__(self) -> str:
        return f"Reader({self.bundle!r})"

    def answer(self, pixels: np.ndarray) -> Answers:
        """Ask the networks of prepared images, `(n, height, width, channels)` uint8 with n of 1 or more."""
        return answers_from(self._networks, pixels)

    def abstentions(self, y_prob: np.ndarray, unfamiliarity: np.ndarray) -> Abstentions:
        """Tell what speaks against the readings of n images, from what `answer` says of them."""
        task, thresholds = self.bundle.task, self.bundle.thresholds
        return Abstentions(
            task=task,
            sets=self.bundle.referral.sets(y_prob, task),
            decided=task.decide(y_prob, thresholds),
            unfamiliarity=unfamiliarity,
            called=task.called(y_prob, thresholds),
            always=self.bundle.referral.always,
        )

    def read_many(
        self, paths: Iterable[str | Path | Exam], *, workers: int | None = None
    ) -> Iterator[Reading | Failure]:
        """Read images or exams in order; one that cannot be read becomes a `Failure` and the others go on.

        They are read in parallel; memory does not grow with their number.

        Args:
            paths: of the images; of a bundle that reads exams, exams, or files and folders that each are one.
            workers: threads that each take images from file to reading; by default one on each core.
        """
        workers = workers or os.cpu_count() or 1
        if self.reads_exams:
            yield from self._read_exams(paths, workers)
            return
        sources = fetched(_files(paths))
        chunks = iter(lambda: list(itertools.islice(sources, CHUNK)), [])
        # A worker on each core takes its images from file to reading: 10 % faster than decoding one batch ahead of a
        # network on all cores, where each waits for the other's threads (2 cores, November 2026).
        networks = self._on_one_core
        for readings in in_order(lambda chunk: self._read_chunk(networks, chunk), chunks, workers):
            yield from readings

    def read_prepared(self, names: Sequence[str], pixels: np.ndarray, *, side_by_side: bool = False) -> list[Reading]:
        """Read images that `images.prepare` made ready.

        Args:
            names: n names for the readings.
            pixels: `(n, height, width, channels)` uint8; n may be 0.
            side_by_side: by the thread that calls, for several that call at once; else on all cores.
        """
        networks = self._on_one_core if side_by_side else self._networks
        return self._read_prepared(networks, names, pixels) if names else []

    @functools.cached_property
    def _on_one_core(self) -> list[OpenNetwork]:
        return [network.on_one_core() for network in self._networks]

    @contextlib.contextmanager
    def open_exam(self, files: Exam | ExamFile | Sequence[ExamFile], name: str = "") -> Iterator[ExamPixels]:
        """Open an exam for as long as someone looks at its frames, with pixels as the bundle's training images had.

        Args:
            files: an exam; or a file, a folder of images, or several of these that are one exam.
            name: of what came as bytes, whose ending may tell a format.

        Raises:
            UnreadableImage: it gives no frames.
            MissingPath: a file is not there.
            InvalidOption: the bundle reads images.
        """
        if not self.reads_exams:
            raise InvalidOption("the bundle reads single images and no exams: read each with `read`")
        with open_files(files_of(files)[1], self.bundle.preprocessing, name) as exam:
            yield exam

    def read_exam(self, files: Exam | ExamFile | Sequence[ExamFile], *, name: str | None = None) -> Reading:
        """Read one exam; each frame is decoded once, and the one with most evidence twice.

        Args:
            files: as `open_exam` takes them.
            name: of the reading; by default that of the exam, or the first path.

        Raises:
            UnreadableImage, MissingPath, InvalidOption: as `open_exam`, or a frame gives no pixels.

        Example:
            >>> reading = reader.read_exam("scans/patient-7")  # doctest: +SKIP
            >>> reading.predicted_label, reading.best_frame.origin.path  # doctest: +SKIP
        """
        name = files_of(files)[0] if name is None else name
        with self.open_exam(files, name) as exam:
            return self.read_open(name, exam)

    def answer_exam(self, exam: ExamPixels, *, side_by_side: bool = False) -> Answers:
        """Ask the networks of all frames of one exam that is open; of n = 1, with the map of its best frame."""
        workers = 1 if side_by_side else None
        return ask_of_exam(self._on_one_core, exam, self.bundle.thresholds, workers=workers).answers

    def read_open(self, name: str, exam: ExamPixels, *, side_by_side: bool = False) -> Reading:
        """Read an exam that is open.

        Args:
            name: of the reading.
            exam: as `open_exam` gives it.
            side_by_side: by the thread that calls, for several that call at once; else on all cores.

        Raises:
            UnreadableImage: a frame gives no pixels.
        """
        workers = 1 if side_by_side else None
        found = ask_of_exam(self._on_one_core, exam, self.bundle.thresholds, workers=workers)
        (reading,) = self._readings([name], found.pixels[None], found.answers)
        return dataclasses.replace(reading, frames=found.frames, notes=tuple(exam.frames.notes))

    def look(self, exam: ExamPixels, index: int) -> Look:
        """Look at any frame of an exam that is open, at its place from 0: its pixels and its activation map.

        Raises:
            IndexError: there is no such frame.
            UnreadableImage: it gives no pixels.
        """
        return look_at(self._on_one_core, exam, index)

    def _read_exams(self, sources: Iterable[str | Path | Exam], workers: int) -> Iterator[Reading | Failure]:
        waiting = iter(sources)
        first = list(itertools.islice(waiting, workers))
        if len(first) < workers:  # too few to keep all cores at work, unless they work on one together
            for source in first:
                yield self._try_exam(source, side_by_side=False)
            return
        yield from in_order(self._try_exam, itertools.chain(first, waiting), workers)

    def _try_exam(self, source: str | Path | Exam, *, side_by_side: bool = True) -> Reading | Failure:
        name = source.name if isinstance(source, Exam) else public_name(source)
        try:
            with self.open_exam(source, name) as exam:
                return self.read_open(name, exam, side_by_side=side_by_side)
        except MissingPath:
            return Failure(path=name, error="a file of it is not there: check the name")
        except OverreadError as error:
            return Failure(path=name, error=str(error))

    def _read_prepared(
        self, networks: Sequence[OpenNetwork], names: Sequence[str], pixels: np.ndarray
    ) -> list[Reading]:
        return self._readings(names, pixels, answers_from(networks, pixels))

    def _readings(self, names: Sequence[str], pixels: np.ndarray, answers: Answers) -> list[Reading]:
        task, thresholds = self.bundle.task, self.bundle.thresholds
        abstentions = self.abstentions(answers.probabilities, answers.unfamiliarity)
        refer, questions = abstentions.reasons, questions_told(answers.probabilities, abstentions, thresholds)
        return [
            Reading(
                path=name,
                task=task,
                predicted_label=task.label(abstentions.decided[i]),
                probabilities=dict(zip(task.classes, answers.probabilities[i].tolist(), strict=True)),
                threshold=thresholds[task.positive] if task.positive else None,
                activation_map=answers.activation_maps[i],
                pixels=pixels[i],
                prediction_set=tuple(itertools.compress(task.answers, abstentions.sets[i])),
                unfamiliarity=float(answers.unfamiliarity[i]),
                refer=refer[i],
                projection=answers.projections[i],
                questions=questions[i],
            )
            for i, name in enumerate(names)
        ]

    def _read_chunk(self, networks: Sequence[OpenNetwork], sources: Sequence[Fetched]) -> list[Reading | Failure]:
        prepared = [self._try_prepare(source) for source in sources]
        good = [(i, pixels) for i, pixels in enumerate(prepared) if isinstance(pixels, np.ndarray)]
        names = [sources[i].name for i, _ in good]
        found = iter(self._read_prepared(networks, names, np.stack([pixels for _, pixels in good])) if good else [])
        return [
            Failure(path=source.name, error=outcome) if isinstance(outcome, str) else next(found)
            for source, outcome in zip(sources, prepared, strict=True)
        ]

    def _try_prepare(self, source: Fetched) -> np.ndarray | str:
        """Pixels, or the reason why there are none."""
        try:
            return prepare(source.content(), self.bundle.preprocessing, source.name)
        except MissingPath:
            return "the file is not there: check the name"
        except OverreadError as error:
            return str(error)


def _files(paths: Iterable[str | Path | Exam]) -> Iterator[str | Path]:
    for path in paths:
        if isinstance(path, Exam):
            raise InvalidOption("the bundle reads single images and no exams: give it paths")
        yield path
