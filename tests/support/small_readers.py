"""Readers of any kind of task, whose network is a few nodes: what they say of an image is set beforehand."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from overread import Reader
from overread.bundle import Graph, Reference
from overread.cases.exams.gathering import Gathering
from overread.decision import Familiarity, OrderedGrades, SeveralFindings, SeveralTasks, Task, measure_traits
from overread.images import Preprocessing
from support.bundles import telling, write_small_bundle
from support.graphs import SHAPE, tiny_graph

CHEST = SeveralFindings(("Effusion", "Mass", "Edema", "Nodule"))
# Of which a reader says "Mass, Effusion; unsure: Edema".
CHEST_LOGITS = (3.0, 6.0, 0.3, -6.0)
GRADES = OrderedGrades(tuple("01234"), (1, 2))
# Of which a reader says 2, and is sure of "1 or more" only.
GRADES_LOGITS = (6.0, 1.5, -3.0, -3.0)
BOTH = SeveralTasks.together({"retinopathy": GRADES, "signs": SeveralFindings(("drusen", "scar"))})
BOTH_LOGITS = (*GRADES_LOGITS, 6.0, -6.0)
KINDS = {"findings": (CHEST, CHEST_LOGITS), "grades": (GRADES, GRADES_LOGITS), "both": (BOTH, BOTH_LOGITS)}
# What a mean of 125 adds to each logit.
_OF_GREY = 20.0


def picture(seed: int = 0) -> np.ndarray:
    """An image like those that the reader knows, `(16, 16)` uint8 with a mean of 125."""
    noise = np.random.default_rng(seed).normal(0, 20, SHAPE[:2])
    return np.clip(np.rint(noise - noise.mean() + 125), 0, 255).astype(np.uint8)


def png(pixels: np.ndarray) -> bytes:
    """Pixels as a file."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def readers_of_kinds(folder: Path) -> dict[str, Reader]:
    """A small reader of each kind of task, by the name of the kind."""
    return {name: small_reader(folder / name, *kind) for name, kind in KINDS.items()}


def small_reader(
    folder: Path, task: Task, logits: Sequence[float], *, rare: Sequence[str] = (), exams: Gathering | None = None
) -> Reader:
    """A reader that gives these logits to an image with a mean of 125.

    Its calibration divides them by 1.5; the first question has no operating point, all others have 0.4; an answer is
    ruled out below a probability of 0.3, but for rare ones, which never are. With a gathering it reads exams, and each
    frame counts alike.
    """
    told = telling(task) if task.questions else {"task": task}
    if rare:
        told["referral"] = dataclasses.replace(
            told["referral"],
            thresholds={**told["referral"].thresholds, **dict.fromkeys(rare, 1.0)},
            counts={**told["referral"].counts, **dict.fromkeys(rare, 3)},
        )
    bias = np.array(logits) - _OF_GREY
    graph = tiny_graph(bias=bias, outputs=task.outputs).SerializeToString()
    pixels = np.stack([picture(seed)[..., None] for seed in range(120)])
    traits = measure_traits(Graph(graph).run(pixels).features, pixels)
    y_prob = task.probabilities(np.random.default_rng(1).normal(size=(30, task.outputs)))
    reference = Reference.of(Familiarity.fit(traits[:90], traits[90:]), traits[90:], task.decide(y_prob), y_prob)
    height, width, channels = SHAPE
    preprocessing = Preprocessing(height=height, width=width, channels=channels)
    return Reader(
        write_small_bundle(folder, graph, reference.to_bytes(), **told, preprocessing=preprocessing, exams=exams)
    )


def of_all(reader: Reader) -> Reader:
    """A reader of the same bundle to whom nothing is unfamiliar."""
    made = Reader(reader.bundle)
    made._networks = [dataclasses.replace(network, limit=1e9) for network in made._networks]
    return made
