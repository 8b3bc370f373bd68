"""The picture that stands for an exam in a pixel store."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import numpy as np

from overread.errors import MissingPath, OverreadError, UnreadableImage
from overread.formats import HEAD_LENGTH, Instance, View, format_of, open_exam
from overread.formats.source import opened
from overread.images.exam_pixels import naming_frame
from overread.images.prepare import Preprocessing, fit_picture

_PIECE = 2**20


@dataclasses.dataclass(frozen=True)
class StoredExam:
    """An exam, known by the content of its files; its pixels are those of its overview.

    Args:
        instances: its files and frames.
        digest: SHA-256 over those of the files, with their frames, in any order; empty where one cannot be read.
        format: the name of the format of the first.
    """

    instances: tuple[Instance, ...]
    digest: str
    format: str

    @classmethod
    def of(cls, instances: Sequence[Instance]) -> StoredExam:
        """Read the files; whether they give pixels is not asked."""
        try:
            found = [_content(instance) for instance in instances]
        except (MissingPath, UnreadableImage):
            return cls(tuple(instances), "", "")
        return cls(tuple(instances), _digest([digest for digest, _ in found]), found[0][1])

    def fitted(self, preprocessings: Sequence[Preprocessing]) -> list[np.ndarray]:
        """Its overview, as `fit_pixels` gives a picture, where each of several files gives pixels.

        Raises:
            UnreadableImage: it gives none, or a file has changed.
            MissingPath: a file is gone.
        """
        with open_exam(self.instances, View(microns=preprocessings[0].view.microns)) as frames:
            if len(self.instances) > 1:  # of one file with many frames the overview stands for all
                for index in range(len(frames)):
                    with naming_frame(index, len(frames)):
                        fit_picture(frames.picture(index), preprocessings[0])
            picture = frames.overview()
            return [fit_picture(picture, preprocessing) for preprocessing in preprocessings]

    def reads(self, preprocessing: Preprocessing) -> bool:
        """Whether it gives pixels now."""
        try:
            self.fitted([preprocessing])
        except (OverreadError, MissingPath):
            return False
        return True


def _content(instance: Instance) -> tuple[str, str]:
    """The hash of a file with its frame, and the name of its format."""
    digest = hashlib.sha256()
    with opened(instance.path) as stream:
        head = stream.read(HEAD_LENGTH)
        digest.update(head)
        while piece := stream.read(_PIECE):
            digest.update(piece)
    if instance.frame is not None:
        digest.update(b"frame %d" % instance.frame)
    found = format_of(head, instance.path)
    return digest.hexdigest(), "" if found is None else found.name


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256(("exam " + " ".join(sorted(parts))).encode()).hexdigest()
