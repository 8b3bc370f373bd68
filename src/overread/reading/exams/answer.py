"""What the networks of a bundle answer to all frames of one exam."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from overread.bundle.pooled import Pool, PooledExam
from overread.decision import measure_traits
from overread.decision.familiarity import LOOK
from overread.images.exam_pixels import ExamPixels
from overread.machine.workers import in_order
from overread.reading.answers import Answers, OpenNetwork
from overread.reading.exams.frame import ReadFrames
from overread.reading.exams.look import look_at


class ExamAnswers(NamedTuple):
    """What came out of an exam: answers of n = 1 with the map of the frame with most evidence, whose pixels follow."""

    answers: Answers
    pixels: np.ndarray
    frames: ReadFrames


def ask_of_exam(
    networks: Sequence[OpenNetwork], exam: ExamPixels, thresholds: Mapping[str, float], *, workers: int | None = None
) -> ExamAnswers:
    """Run every frame once, the one with most evidence twice, and pool what comes out.

    Each worker takes some frames from file to logits, so memory does not grow with their number.

    Args:
        networks: that each work on one core.
        exam: that is open.
        thresholds: the operating points by question.
        workers: threads; by default one on each core.

    Raises:
        UnreadableImage: a frame gives no pixels.
    """
    pooled = _pooled(networks, exam, workers or os.cpu_count() or 1)
    task = networks[0].task
    probabilities = _mean(networks, pooled, OpenNetwork.calibrated)
    measured = [n.familiarity.measure(p.traits[None]) for n, p in zip(networks, pooled, strict=True)]
    decided = task.label(task.decide(probabilities, thresholds)[0])
    frames = ReadFrames(
        task=task,
        name=task.foremost(decided, dict(zip(task.classes, probabilities[0], strict=True))),
        origins=exam.origins,
        shares=np.mean([one.shares for one in pooled], axis=0),
        given=np.mean([one.given for one in pooled], axis=0),
        shown=0,
    )
    best = look_at(networks, exam, frames.top(1)[0].index)
    answers = Answers(
        probabilities=probabilities,
        uncalibrated=_mean(networks, pooled, OpenNetwork.uncalibrated),
        activation_maps=best.activation_map[None],
        features=np.concatenate([one.traits[None, :-LOOK] for one in pooled], axis=1),
        unfamiliarity=np.mean(
            [distances / n.limit for n, (_, distances) in zip(networks, measured, strict=True)], axis=0
        ),
        projections=measured[0][0],
    )
    return ExamAnswers(answers, best.pixels, dataclasses.replace(frames, shown=best.index))


def _pooled(networks: Sequence[OpenNetwork], exam: ExamPixels, workers: int) -> list[PooledExam]:
    pools = [Pool(network.attention) for network in networks]

    def run(places: range) -> list[tuple[np.ndarray, np.ndarray]]:
        pixels = exam.some(places)
        outputs = [network.graph.run(pixels) for network in networks]
        return [(found.logits, measure_traits(found.features, pixels)) for found in outputs]

    chunks = exam.places()
    for found in map(run, chunks) if min(workers, len(chunks)) == 1 else in_order(run, chunks, workers):
        for pool, (logits, traits) in zip(pools, found, strict=True):
            pool.add_traits(logits, traits)
    return [pool.result() for pool in pools]


def _mean(
    networks: Sequence[OpenNetwork],
    pooled: Sequence[PooledExam],
    probabilities: Callable[[OpenNetwork, np.ndarray], np.ndarray],
) -> np.ndarray:
    return np.mean([probabilities(n, one.logits[None]) for n, one in zip(networks, pooled, strict=True)], axis=0)
