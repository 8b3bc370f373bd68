"""A bundle at work: image in, class, probabilities, decision and activation map out. ONNX Runtime, no TensorFlow."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from overread.bundle import Bundle, Graph, Member, Reference
from overread.bundle.graph import GraphShape, provider_asked
from overread.bundle.pooled import Pool
from overread.bundle.trial import require_sound
from overread.decision import Abstentions, Calibration, Familiarity, Task, measure_traits
from overread.decision.familiarity import LOOK
from overread.decision.pooling import Attention
from overread.errors import InvalidBundle, MissingPath, OverreadError
from overread.images import prepare
from overread.images.exam_pixels import ExamPixels
from overread.machine.remote import public_name
from overread.machine.workers import in_order
from overread.reading.fetch import Fetched, fetched
from overread.reading.frame import Frame
from overread.reading.in_memory import file_content
from overread.reading.question import questions_told
from overread.reading.reading import Failure, Reading

# Images that a worker takes at once: 389 images/s, against 383 with 4, 376 with 32 and 348 with 1 (compact, 224 px,
# 2 cores, November 2026). Beside other images, the sixth digit of a probability may be another.
CHUNK = 8


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Answers:
    """What the networks of a bundle answer to prepared images.

    `probabilities` and `uncalibrated` are `(n, classes)` float64, `activation_maps` `(n, h, w, outputs)` float32 and
    `features` `(n, f)` float32; of an ensemble, the means of its members', with their features side by side. For
    `unfamiliarity` `(n,)` and `projections` `(n, k)` see `Reading`.
    """

    probabilities: np.ndarray
    uncalibrated: np.ndarray
    activation_maps: np.ndarray
    features: np.ndarray
    unfamiliarity: np.ndarray
    projections: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Network:
    task: Task
    graph: Graph
    calibration: Calibration
    familiarity: Familiarity
    limit: float
    attention: Attention | None

    def calibrated(self, logits: np.ndarray) -> np.ndarray:
        return self.calibration.apply(logits, self.task)

    def uncalibrated(self, logits: np.ndarray) -> np.ndarray:
        return self.task.probabilities(logits)


class Reader:
    """Reads images with a bundle, each prepared exactly as the bundle's training images were.

    It can be pickled, and so be sent to where the bundle does not lie. `provider` is what ONNX Runtime computes with,
    which the environment variable OVERREAD_PROVIDER names.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle, self.references = bundle, bundle.references()
        self.provider = provider_asked()
        self._networks = [
            _network(bundle, member, reference, self.provider)
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

    def read(self, source: str | Path | bytes | Image.Image | np.ndarray, *, name: str | None = None) -> Reading:
        """Read one image.

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
        if name is None:
            name = "" if isinstance(source, bytes | Image.Image | np.ndarray) else public_name(source)
        content = file_content(source) if isinstance(source, Image.Image | np.ndarray) else source
        pixels = prepare(content, self.bundle.preprocessing, name)
        return self.read_prepared([name], pixels[None])[0]

    def __repr__(self) -> str:
        return f"Reader({self.bundle!r})"

    def answer(self, pixels: np.ndarray) -> Answers:
        """Ask the networks of prepared images, `(n, height, width, channels)` uint8 with n of 1 or more."""
        return _answer(self._networks, pixels)

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

    def read_many(self, paths: Iterable[str | Path], *, workers: int | None = None) -> Iterator[Reading | Failure]:
        """Read images in order; one that cannot be read becomes a `Failure` and the others go on.

        They are read in parallel; memory does not grow with their number.

        Args:
            paths: of the images.
            workers: threads that each take images from file to reading; by default one on each core.
        """
        sources = fetched(paths)
        chunks = iter(lambda: list(itertools.islice(sources, CHUNK)), [])
        # A worker on each core takes its images from file to reading: 10 % faster than decoding one batch ahead of a
        # network on all cores, where each waits for the other's threads (2 cores, November 2026).
        networks, workers = self._on_one_core, workers or os.cpu_count() or 1
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
    def _on_one_core(self) -> list[_Network]:
        return [dataclasses.replace(network, graph=network.graph.on_one_core()) for network in self._networks]

    def answer_exam(self, exam: ExamPixels, *, side_by_side: bool = False) -> Answers:
        """Ask the networks of all frames of one exam that is open; of n = 1, with the map of its best frame."""
        return self._answer_exam(exam, side_by_side=side_by_side)[0]

    def read_exam(self, name: str, exam: ExamPixels, *, side_by_side: bool = False) -> Reading:
        """Read an exam that is open; each frame is decoded once, and the best one twice.

        Args:
            name: of the reading.
            exam: with pixels as the bundle's training images had them.
            side_by_side: by the thread that calls, for several that call at once; else on all cores.

        Raises:
            UnreadableImage: a frame gives no pixels.
        """
        answers, pixels, frames = self._answer_exam(exam, side_by_side=side_by_side)
        (reading,) = self._readings([name], pixels[None], answers)
        return dataclasses.replace(reading, frames=frames)

    def _answer_exam(self, exam: ExamPixels, *, side_by_side: bool) -> tuple[Answers, np.ndarray, tuple[Frame, ...]]:
        networks, task = self._on_one_core if side_by_side else self._networks, self.bundle.task
        pools = [Pool(network.attention) for network in networks]
        for chunk in exam.chunks(workers=1 if side_by_side else None):
            for network, pool in zip(networks, pools, strict=True):
                pool.add(network.graph.run(chunk), chunk)
        pooled = [pool.result() for pool in pools]
        measured = [n.familiarity.measure(p.traits[None]) for n, p in zip(networks, pooled, strict=True)]
        probabilities, uncalibrated = (
            np.mean([of(n, p.logits[None]) for n, p in zip(networks, pooled, strict=True)], axis=0)
            for of in (_Network.calibrated, _Network.uncalibrated)
        )
        given = np.mean([one.given for one in pooled], axis=0)
        decided = task.label(task.decide(probabilities, self.bundle.thresholds)[0])
        name = task.foremost(decided, dict(zip(task.classes, probabilities[0], strict=True)))
        evidence = task.evidence(given[None], name)[0]  # as if the frames were positions in a map
        ranks = np.argsort(np.argsort(-evidence, kind="stable"), kind="stable") + 1
        shares = np.mean([one.shares for one in pooled], axis=0)
        best = exam.pixels(int(np.argmax(evidence)))
        outputs = [network.graph.run(best[None]) for network in networks]
        answers = Answers(
            probabilities=probabilities,
            uncalibrated=uncalibrated,
            activation_maps=np.mean([found.activation_maps for found in outputs], axis=0),
            features=np.concatenate([one.traits[None, :-LOOK] for one in pooled], axis=1),
            unfamiliarity=np.mean(
                [distances / n.limit for n, (_, distances) in zip(networks, measured, strict=True)], axis=0
            ),
            projections=measured[0][0],
        )
        frames = tuple(
            Frame(index=i, origin=origin, share=float(shares[i]), evidence=float(evidence[i]), rank=int(ranks[i]))
            for i, origin in enumerate(exam.origins)
        )
        return answers, best, frames

    def _read_prepared(self, networks: Sequence[_Network], names: Sequence[str], pixels: np.ndarray) -> list[Reading]:
        return self._readings(names, pixels, _answer(networks, pixels))

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

    def _read_chunk(self, networks: Sequence[_Network], sources: Sequence[Fetched]) -> list[Reading | Failure]:
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


def _network(bundle: Bundle, member: Member, reference: Reference, provider: str) -> _Network:
    options, content = bundle.preprocessing, bundle.read_file(member.graph)
    image = (options.height, options.width, options.channels or 0)
    require_sound(content, image)
    graph, features = Graph(content, provider=provider), reference.familiarity.features.mean.size
    if graph.shape != GraphShape(image=image, outputs=bundle.task.outputs, features=features):
        raise InvalidBundle("the network of the bundle is another than it describes: get it again from its source")
    return _Network(
        task=bundle.task,
        graph=graph,
        calibration=member.calibration,
        familiarity=reference.familiarity,
        limit=reference.limit,
        attention=bundle.attention(member),
    )


def _answer(networks: Sequence[_Network], pixels: np.ndarray) -> Answers:
    outputs = [network.graph.run(pixels) for network in networks]
    measured = [
        network.familiarity.measure(measure_traits(found.features, pixels))
        for network, found in zip(networks, outputs, strict=True)
    ]
    probabilities = [n.calibrated(found.logits) for n, found in zip(networks, outputs, strict=True)]
    uncalibrated = [n.uncalibrated(found.logits) for n, found in zip(networks, outputs, strict=True)]
    unfamiliarity = [distances / n.limit for n, (_, distances) in zip(networks, measured, strict=True)]
    return Answers(
        probabilities=np.mean(probabilities, axis=0),
        uncalibrated=np.mean(uncalibrated, axis=0),
        activation_maps=np.mean([found.activation_maps for found in outputs], axis=0),
        features=np.concatenate([found.features for found in outputs], axis=1),
        unfamiliarity=np.mean(unfamiliarity, axis=0),
        projections=measured[0][0],
    )
