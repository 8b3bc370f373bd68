"""From trained networks to the bundle: export, proof, and all that is chosen on images that they never saw."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.bundle import ATTENTION, GRAPH, REFERENCE, WEIGHTS, Bundle, Graph, Member, Reference, referral_from
from overread.bundle.pooled import Pool, pool_exam
from overread.bundle.trial import remember_sound
from overread.cases.exams.gathering import Gathering
from overread.cases.exams.known import gathering_of
from overread.decision import Calibration, Familiarity, Task, choose_operating_points, fit_calibration
from overread.decision.of_patients import join_patients
from overread.decision.pooling import Attention
from overread.errors import ExportMismatch, InvalidBundle, InvalidData, MissingPath
from overread.images import DataSet
from overread.machine.files import read_regular, replace_file
from overread.networks.backend import keras
from overread.run import RunFolder, TrainingRun
from overread.training.exams.frame_traits import FrameTraits, features_digest
from overread.training.export import check_parity, export_onnx
from overread.training.map_checks import check_activation_maps
from overread.training.train_network import TrainedNetwork

# Unseen images on which the ONNX graph is held against the Keras network before a bundle is written.
_PARITY_IMAGES = 64
# Training images that say what is familiar.
_FAMILIAR_IMAGES = 4096
# Exams that are read once more, frame by frame, to hold what is kept of frames against.
_PARITY_EXAMS = 2
_LogitsAndTraits = tuple[np.ndarray, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Fitted:
    """A network with the data that it was fitted to.

    Args:
        trained: the network.
        data_set: its train side is what the network was fitted to, its validation side what it never saw.
        folder: of its log and checkpoints.
    """

    trained: TrainedNetwork
    data_set: DataSet
    folder: RunFolder

    @property
    def attention(self) -> Attention | None:
        """What says which frames of an exam matter; None where all count alike."""
        path = self.trained.attention
        return None if path is None else Attention.from_bytes(read_regular(path))


def write_bundle(fitted: Sequence[Fitted], run: TrainingRun, folder: RunFolder) -> Bundle:
    """Export networks, prove the exports, calibrate them, choose when they call and when they refer, write the bundle.

    Every choice is made on what networks say of images that they never saw: of one network those of its validation
    side, of several those of all their validation sides together; an image that several never saw has their mean.
    A bundle that this very run has written of the same weights is taken as it is, with its record of evaluations.

    Args:
        fitted: the networks, of one shape, with data sets of the same images; the training sides say what is familiar.
        run: with the recipe, which says which calibration, rule and coverage.
        folder: of the run, whose bundle it becomes.

    Raises:
        ExportMismatch: a graph and its Keras network disagree.
        InvalidOption: the calibration does not fit the number of classes.
    """
    if (former := _written_before(fitted, run, folder)) is not None:
        return former
    recipe, first = run.request.recipe, fitted[0]
    task = first.data_set.manifest.task
    exports = [_export(each, recipe.seed) for each in fitted]
    shares = _shares(fitted) if recipe.class_weights else None
    unseen = _Unseen.of(exports, task=task, method=recipe.calibration, shares=shares)
    members, files = _members(exports, unseen)
    references = [Reference.from_bytes(read_regular(files[member.reference]), task) for member in members]
    bundle = Bundle(
        task=task,
        preprocessing=first.data_set.store.preprocessing,
        members=members,
        operating_points=choose_operating_points(
            unseen.labels, unseen.y_prob, task=task, rule=recipe.operating_point, patients=unseen.patients
        ),
        referral=referral_from(references, task, recipe.coverage),
        network=first.trained.spec.to_dict(),
        recipe={**recipe.shown(), "precision": first.trained.precision},
        data={
            **run.data,
            "onnx_keras_difference": max(export.difference for export in exports),
            **_by_patient(unseen, task, run),
        },
        versions=run.versions,
        created=run.started,
        exams=_gathering(first.data_set, run),
    )
    pairs = ((export.graph, export.fitted.data_set) for export in exports)
    maps = check_activation_maps(first.trained, pairs, bundle, of=len(exports))
    return dataclasses.replace(bundle, data={**bundle.data, "activation_maps": maps}).write(folder.bundle, files)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Export:
    """A network as a graph, which a file holds, and what it makes of the images that it never saw.

    `rows` `(n,)` are theirs in the store, `patients` `(n,)` who they count as, `logits` `(n, outputs)` and `traits`
    `(n, t)` as `Graph` gives them.
    """

    fitted: Fitted
    difference: float
    rows: np.ndarray
    labels: np.ndarray
    patients: np.ndarray
    logits: np.ndarray
    traits: np.ndarray
    familiarity: Familiarity

    @property
    def graph(self) -> Graph:
        return Graph(read_regular(self.fitted.folder.checkpoints / GRAPH))


@functools.lru_cache(maxsize=20)  # a run in a given time makes a bundle anew with each further network
def _export(fitted: Fitted, seed: int) -> _Export:
    trained, data_set, manifest = fitted.trained, fitted.data_set, fitted.data_set.manifest
    validation = manifest.select("val")
    exported = fitted.folder.checkpoints / GRAPH
    export_onnx(trained.spec, trained.weights, exported)
    graph = Graph(content := read_regular(exported))
    network = trained.build()
    difference = check_parity(network, graph, manifest.task, data_set.pixels(validation[:_PARITY_IMAGES]))
    remember_sound(content, (trained.spec.height, trained.spec.width, trained.spec.channels))
    if data_set.is_of_exams:
        read = functools.partial(_of_exams, network, graph, fitted)
    else:
        read = functools.partial(_of_images, graph, data_set)
    logits, traits = read(validation)
    return _Export(
        fitted=fitted,
        difference=difference,
        rows=data_set.rows[validation],
        labels=data_set.y_true[validation],
        patients=np.array([manifest.cases[index].counts_as for index in validation], dtype=object),
        logits=logits,
        traits=traits,
        familiarity=_familiar(read, manifest.select("train"), traits, seed),
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Unseen:
    """What is said of each image by the networks that never saw it.

    `owners` `(n,)` has the place of the first of these networks, `labels` `(n,)` the truth, `patients` `(n,)` who each
    counts as, `y_prob` `(n, classes)` the mean of their calibrated probabilities.
    """

    calibration: Calibration
    owners: np.ndarray
    labels: np.ndarray
    patients: list[str]
    y_prob: np.ndarray

    @classmethod
    def of(cls, exports: Sequence[_Export], *, task: Task, method: str, shares: np.ndarray | None) -> _Unseen:
        rows, labels, patients, logits = (
            np.concatenate([getattr(export, name) for export in exports])
            for name in ("rows", "labels", "patients", "logits")
        )
        calibration = fit_calibration(labels, logits, task=task, method=method, shares=shares)
        y_prob = calibration.apply(logits, task)
        _, first, image, said = np.unique(rows, return_index=True, return_inverse=True, return_counts=True)
        sums = np.zeros((len(first), y_prob.shape[1]))
        np.add.at(sums, image, y_prob)
        owners = np.repeat(np.arange(len(exports)), [len(export.rows) for export in exports])
        return cls(
            calibration=calibration,
            owners=owners[first],
            labels=labels[first],
            patients=patients[first].tolist(),
            y_prob=sums / said[:, None],
        )


def _by_patient(unseen: _Unseen, task: Task, run: TrainingRun) -> dict[str, Any]:
    """The operating points of patients, where these are judged too, chosen on unseen ones who were joined alike."""
    way = run.request.options.get("by_patient")
    if not isinstance(way, str):
        return {}
    try:
        found = join_patients(unseen.patients, unseen.labels, unseen.y_prob, task=task, way=way)
        points = choose_operating_points(
            found.y_true, found.y_prob, task=task, rule=run.request.recipe.operating_point, patients=found.names
        )
    except InvalidData:  # all of them are ill, or none: the points of images stay
        return {}
    return {"by_patient": {"way": way, "thresholds": {name: point.threshold for name, point in points.items()}}}


def _gathering(data_set: DataSet, run: TrainingRun) -> Gathering | None:
    if not data_set.is_of_exams:
        return None
    source = run.request.source
    return (source and source.gathering) or gathering_of(data_set.manifest.cases)


def _shares(fitted: Sequence[Fitted]) -> np.ndarray:
    """The shares of the classes among the images that the networks were fitted to, as the task has them."""
    sides = [each.data_set.y_true[each.data_set.manifest.select("train")] for each in fitted]
    return fitted[0].data_set.manifest.task.shares(np.concatenate(sides))


def _members(exports: Sequence[_Export], unseen: _Unseen) -> tuple[tuple[Member, ...], dict[str, Path]]:
    """How each network is read, and where the files of all lie by their names in the bundle."""
    members: list[Member] = []
    files: dict[str, Path] = {}
    for number, export in enumerate(exports):
        own, checkpoints = unseen.owners == number, export.fitted.folder.checkpoints
        reference = Reference.of(export.familiarity, export.traits, unseen.labels[own], unseen.y_prob[own])
        replace_file(checkpoints / REFERENCE, reference.to_bytes())
        mark = f"-{number + 1:02d}" if len(exports) > 1 else ""
        member = Member(
            graph=_marked(GRAPH, mark),
            weights=_marked(WEIGHTS, mark),
            reference=_marked(REFERENCE, mark),
            calibration=unseen.calibration,
            attention=None if export.fitted.trained.attention is None else _marked(ATTENTION, mark),
        )
        members.append(member)
        if member.attention is not None and (attention := export.fitted.trained.attention) is not None:
            files[member.attention] = attention
        files |= {
            member.graph: checkpoints / GRAPH,
            member.weights: export.fitted.trained.weights,
            member.reference: checkpoints / REFERENCE,
        }
    return tuple(members), files


def _marked(name: str, mark: str) -> str:
    stem, _, kind = name.partition(".")
    return f"{stem}{mark}.{kind}"


def _of_images(graph: Graph, data_set: DataSet, positions: Sequence[int]) -> _LogitsAndTraits:
    return graph.logits_and_traits(data_set.chunks(positions))


def _of_exams(network: keras.Model, graph: Graph, fitted: Fitted, positions: Sequence[int]) -> _LogitsAndTraits:
    """The same of exams with their frames pooled, from the features of frames that are kept, by the linear head.

    Raises:
        ExportMismatch: an exam that is read by the graph gives other logits.
    """
    data_set, attention, found = fitted.data_set, fitted.attention, []
    frames = FrameTraits.work_out(data_set, graph, features_digest(network, fitted.trained.spec), positions)
    kernel, bias = network.layers[-1].get_weights()
    for number in range(len(positions)):
        pool = Pool(attention)
        for traits in frames.pieces(number):
            pool.add_traits(traits[:, : len(kernel)] @ kernel + bias, traits)
        found.append(pool.result())
    for pooled, position in zip(found[:_PARITY_EXAMS], positions, strict=False):
        with data_set.exam(position) as exam:
            read = pool_exam(graph, attention, exam.chunks()).logits
        if not np.allclose(read, pooled.logits, rtol=1e-3, atol=1e-3):
            raise ExportMismatch(
                f"an exam has logits of {read} as it is read and of {pooled.logits} from the features of its frames "
                "that are kept: remove them from the store and train again"
            )
    return np.stack([one.logits for one in found]).astype(np.float32), np.stack([one.traits for one in found])


def _familiar(
    read: Callable[[Sequence[int]], _LogitsAndTraits], train: Sequence[int], validation: np.ndarray, seed: int
) -> Familiarity:
    if len(train) > _FAMILIAR_IMAGES:
        train = np.sort(np.random.default_rng(seed).choice(train, _FAMILIAR_IMAGES, replace=False)).tolist()
    _, seen = read(train)
    return Familiarity.fit(seen, validation)


def _written_before(fitted: Sequence[Fitted], run: TrainingRun, folder: RunFolder) -> Bundle | None:
    try:
        bundle = Bundle.load(folder.bundle)
    except (MissingPath, InvalidBundle):
        return None
    same = bundle.data["fingerprint"] == run.fingerprint and bundle.data["study"] == run.study
    weights = [hashlib.sha256(read_regular(each.trained.weights)).hexdigest() for each in fitted]
    held = [bundle.files[member.weights] for member in bundle.members]
    return bundle if same and held == weights and bundle.versions == run.versions else None
