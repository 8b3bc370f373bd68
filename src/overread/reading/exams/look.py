"""One frame of an exam, as the networks see it, whenever someone wants to look at it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from overread.decision.task import Task
from overread.formats import Origin
from overread.images.exam_pixels import ExamPixels
from overread.reading.answers import OpenNetwork


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """A frame of an exam by itself.

    Args:
        index: its place in the exam, from 0.
        origin: where it comes from.
        pixels: `(height, width, channels)` uint8, as the network saw it.
        activation_map: `(h, w, outputs)` float32, whose mean are the logits of the frame alone: summed over the frames
            of an exam, each by its share, they are those of the exam. Of an ensemble, the mean of its networks'.
        task: what the bundle tells apart.
    """

    index: int
    origin: Origin
    pixels: np.ndarray
    activation_map: np.ndarray
    task: Task

    def evidence(self, name: str) -> np.ndarray:
        """The `(h, w)` evidence for a class, finding or cut in logits, as `Reading.evidence` gives it."""
        return self.task.evidence(self.activation_map, name)


def look_at(networks: Sequence[OpenNetwork], exam: ExamPixels, index: int) -> Look:
    """Decode one frame of an open exam and run it through the networks; see `Reader.look`."""
    index = range(len(exam))[index]
    pixels = exam.pixels(index)
    maps = [network.graph.run(pixels[None]).activation_maps[0] for network in networks]
    return Look(
        index=index,
        origin=exam.frames.origin(index),
        pixels=pixels,
        activation_map=np.mean(maps, axis=0),
        task=networks[0].task,
    )
