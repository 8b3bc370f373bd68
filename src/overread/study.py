"""The main job, top to bottom: from a folder of labelled images to a trained network, its evaluation and a bundle."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import json
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from overread.bundle import GRAPH, WEIGHTS, Bundle, Graph
from overread.cases import Manifest, Split, pseudonym, split_cases
from overread.errors import InvalidOption, MissingExtra
from overread.evaluation import Evaluation, choose_operating_point
from overread.evaluation import evaluate as compute_metrics
from overread.files import RUN_FILE, Existing, open_run_folder, write_csv, write_json
from overread.images import DataSet, Preprocessing, is_dicom, patient_id_hash
from overread.networks.augmentation import Augmentation
from overread.reading import Reader
from overread.reading import write_csv as write_readings
from overread.report import pages
from overread.training.recipe import Recipe

if TYPE_CHECKING:
    from overread.training.trained import Trained

# Validation images on which the ONNX graph is held against the Keras network before a bundle is written.
_PARITY_IMAGES = 64
_PHANTOM_PATIENT = r"^(P\d+)_"
_DEMO_RECIPE = Recipe(
    size=96,
    epochs=12,
    batch_size=16,
    precision="float32",  # at this size the measuring would cost more than it can gain
    augmentation=Augmentation(horizontal_flip=True, rotation_degrees=25),
)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """A finished training run: where it is, the bundle, how the images were split, and what the test side says."""

    out: Path
    bundle: Bundle
    split: Split
    history: tuple[dict[str, float], ...]
    evaluation: Evaluation

    @property
    def report(self) -> Path:
        """The page to open first."""
        return self.out / "report.html"


def read_manifest(
    data: str | Path,
    *,
    positive: str | None = None,
    patient_pattern: str | None = None,
    classes: tuple[str, ...] | None = None,
) -> Manifest:
    """Read a folder or CSV and name its patients: from the CSV, a pattern over file names, or DICOM headers (hashed).

    Raises:
        MissingPath: data is not there.
        InvalidData: it cannot be used as it is.
        InvalidOption: positive or patient_pattern does not fit.
    """
    manifest = Manifest.read(data, positive=positive, classes=classes)
    if patient_pattern is not None:
        return manifest.with_patient_pattern(patient_pattern)
    if manifest.has_patients:
        return manifest
    dicom = [is_dicom(case.path) for case in manifest.cases]
    if not any(dicom):
        return manifest
    ids = [
        case.patient_id or (patient_id_hash(case.path) if found else None)
        for case, found in zip(manifest.cases, dicom, strict=True)
    ]
    cases = [dataclasses.replace(case, patient_id=i) for case, i in zip(manifest.cases, ids, strict=True)]
    return manifest.replace(cases, "patients come from the DICOM headers, hashed")


def train(
    data: Manifest | str | Path,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    console: Console | None = None,
) -> Study:
    """Split by patient, train, choose the operating point on validation, open the test side once, write a bundle.

    Args:
        data: a manifest, or a folder or CSV to read one from.
        out: the folder of this run: `bundle/`, `bundle.zip`, `report.html`, `figures/`, `test/`, `log.csv`, `run.json`.
        recipe: how to train; by default the compact network.
        existing: what to do when out holds something: refuse, resume the run in it, or replace it.
        skip_unreadable: leave unreadable images out, naming each in the report, instead of stopping.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        console: where progress is written; nowhere by default.

    Raises:
        OverreadError: one sentence on what is wrong with the data, the options, the output or the export.

    Example:
        >>> train("larynx", "runs/larynx", Recipe(network="efficientnet-lite0"))  # doctest: +SKIP
    """
    recipe, console, out = recipe or Recipe(), console or Console(quiet=True), Path(out)
    manifest = data if isinstance(data, Manifest) else read_manifest(data)
    _require_training(recipe.network)
    split = _split(manifest, recipe)  # an impossible split is told before the decoding
    _tell(console, (*split.manifest.notes, *split.notes), split.warnings)
    open_run_folder(out, existing)
    preprocessing = Preprocessing(height=recipe.size, width=recipe.size, channels=recipe.channels, fit=recipe.fit)
    data_set = _open(manifest, preprocessing, store, skip_unreadable, console)
    split = _split(data_set.manifest, recipe)
    data_set = data_set.with_split(split.manifest)
    run = _start_run(out, recipe, split, data_set)
    _draw_samples(data_set, recipe, out / "figures")

    from overread.training.trained import train_network

    trained = train_network(data_set, recipe, out, console=console)
    bundle = _write_bundle(trained, data_set, recipe, run, out)
    console.print(f"the bundle is written; the test side ({len(split.manifest.select('test'))} images) is opened once")
    evaluation = _evaluate(Reader(bundle), data_set, out / "test")

    rows, best_epoch = trained.history.rows, trained.history.best_epoch
    run = {
        **run,
        "precision": trained.precision,
        "best_epoch": best_epoch,
        "seconds": round(trained.history.seconds, 1),
    }
    pages.write_training_report(
        out, split=split, failures=data_set.failures, rows=rows, bundle=bundle, evaluation=evaluation, run=run
    )
    write_json(out / RUN_FILE, {**run, "finished": True})
    return Study(out=out, bundle=bundle, split=split, history=rows, evaluation=evaluation)


def evaluate(
    bundle: str | Path,
    data: Manifest | str | Path,
    out: str | Path,
    *,
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    console: Console | None = None,
) -> Evaluation:
    """Read labelled images with a bundle and compare: metrics, predictions, figures and a report in `out`.

    The test side is taken where the data name sides, else every image.

    Args:
        bundle: a bundle directory or zip.
        data: a manifest with the bundle's classes, or a folder or CSV to read one from.
        out: the folder of the results.
        existing: what to do when out holds something: refuse or replace.
        skip_unreadable: leave unreadable images out, naming each, instead of stopping.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        console: where progress is written; nowhere by default.

    Raises:
        OverreadError: one sentence on what is wrong with the bundle, the data or the output.
    """
    _require_extra("report", ("matplotlib", "jinja2"))
    console, out, reader = console or Console(quiet=True), Path(out), Reader.load(bundle)
    manifest = data if isinstance(data, Manifest) else read_manifest(data, classes=reader.bundle.classes)
    chosen = manifest.select("test") or range(len(manifest))
    cases = [dataclasses.replace(manifest.cases[i], split="test") for i in chosen]
    manifest = manifest.replace(cases, f"{len(cases)} of {len(manifest)} images are evaluated")
    _tell(console, manifest.notes)
    open_run_folder(out, existing)
    data_set = _open(manifest, reader.bundle.preprocessing, store, skip_unreadable, console)
    run = {"bundle": reader.bundle.fingerprint, "data": {"fingerprint": data_set.fingerprint}, **_environment()}
    write_json(out / RUN_FILE, run)
    evaluation = _evaluate(reader, data_set, out)
    pages.write_evaluation_report(
        out,
        manifest=data_set.manifest,
        failures=data_set.failures,
        bundle=reader.bundle,
        evaluation=evaluation,
        run=run,
    )
    return evaluation


def demo(out: str | Path, *, existing: Existing = "refuse", console: Console | None = None) -> Study:
    """Do the whole job on computer-made phantoms: make them, train, test, and read some with the bundle.

    Args:
        out: receives `images/` and the run in `run/`, with `readings.csv`.
        existing: what to do when out holds something: refuse or replace.
        console: where progress is written; nowhere by default.
    """
    from overread.cases.phantom import write_phantoms

    console, out = console or Console(quiet=True), Path(out)
    open_run_folder(out, existing)
    write_json(out / RUN_FILE, {"demo": True, **_environment()})
    images = write_phantoms(out / "images")
    console.print(f"{images} holds computer-made endoscopy phantoms with a few planted defects; none shows a patient")
    manifest = read_manifest(images, patient_pattern=_PHANTOM_PATIENT)
    result = train(manifest, out / "run", _DEMO_RECIPE, skip_unreadable=True, console=console)
    failures = write_readings(out / "readings.csv", Reader(result.bundle).read_many(manifest.paths), manifest.classes)
    console.print(f"{out / 'readings.csv'} has the reading of every image, {failures} named failures among them")
    return result


def _split(manifest: Manifest, recipe: Recipe) -> Split:
    return split_cases(manifest, validation=recipe.validation, test=recipe.test, seed=recipe.seed)


def _tell(console: Console, notes: tuple[str, ...], warnings: tuple[str, ...] = ()) -> None:
    for note in notes:
        console.print(note, highlight=False)
    for warning in warnings:
        console.print(f"WARNING: {warning}", style="bold yellow", highlight=False)


def _require_extra(extra: str, modules: tuple[str, ...]) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(f"this needs {module}, which is not installed: pip install 'overread[{extra}]'")


def _require_training(network: str) -> None:
    _require_extra("train", ("keras", "tensorflow", "tf2onnx", "matplotlib", "jinja2"))
    from overread.networks.zoo import require_network

    require_network(network)


def _open(
    manifest: Manifest, preprocessing: Preprocessing, store: Path | None, skip_unreadable: bool, console: Console
) -> DataSet:
    with console.status("decoding images") as status:
        data_set = DataSet.open(
            manifest,
            preprocessing,
            folder=store,
            skip_unreadable=skip_unreadable,
            progress=lambda done, of: status.update(f"decoding images: {done} of {of}"),
        )
    for name, reason in data_set.failures.items():
        console.print(f"WARNING: left out, unreadable: {name}: {reason}", style="bold yellow", highlight=False)
    _, height, width, channels = data_set.store.pixels.shape
    colour = "grey" if channels == 1 else "colour"
    console.print(f"{len(data_set.manifest)} images are decoded to {width} x {height} {colour}", highlight=False)
    return data_set


def _start_run(out: Path, recipe: Recipe, split: Split, data_set: DataSet) -> dict[str, Any]:
    """Record what this run is; one that is resumed must be the same.

    Raises:
        InvalidOption: the folder holds a run of another recipe or other data.
    """
    data = {"fingerprint": data_set.fingerprint, "images": split.counts(), "patients": split.patients()}
    run = {"recipe": recipe.to_dict(), "data": data, "command": _command(), **_environment()}
    if (out / RUN_FILE).exists():
        former = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
        changed = [name for name, value in run["recipe"].items() if former["recipe"].get(name) != value]
        changed += ["the images or their split"] * (former["data"]["fingerprint"] != data["fingerprint"])
        if changed:
            raise InvalidOption(
                f"{out} holds a run that differs in {', '.join(changed)}: resume it with the same options and data, or "
                "give another --out"
            )
    write_json(out / RUN_FILE, run)
    split.manifest.write_csv(out / "manifest.csv")
    return run


def _command() -> str:
    called = Path(sys.argv[0]).name == "overread"
    return shlex.join(["overread", *sys.argv[1:]]) if called else "overread.train, from Python"


def _environment() -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for name in ("overread", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "onnxruntime", "numpy", "pillow"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"versions": versions, "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"}


def _draw_samples(data_set: DataSet, recipe: Recipe, folder: Path) -> None:
    """Sample images of each class, and what augmentation makes of one of each."""
    from overread.training.trained import augmented_previews

    train = data_set.manifest.select("train")
    labels = [data_set.manifest.cases[i].label for i in train]
    firsts = data_set.pixels([train[labels.index(name)] for name in data_set.manifest.classes[:4]])
    pages.draw_samples(
        folder,
        lambda chosen: data_set.pixels([train[i] for i in chosen]),
        labels,
        firsts,
        augmented_previews(firsts, recipe),
    )


def _write_bundle(trained: Trained, data_set: DataSet, recipe: Recipe, run: dict[str, Any], out: Path) -> Bundle:
    """Export the network, prove the export on validation images, choose the operating point there, write the bundle."""
    from overread.bundle.onnx import check_parity, export_onnx

    manifest = data_set.manifest
    validation = manifest.select("val")
    exported = out / "checkpoints" / GRAPH
    export_onnx(trained.spec, trained.weights, exported)
    graph = Graph(exported.read_bytes())
    difference = check_parity(trained.network, graph, data_set.pixels(validation[:_PARITY_IMAGES]))
    probabilities = graph.probabilities(data_set.chunks(validation))
    point = None
    if manifest.positive is not None:
        point = choose_operating_point(data_set.labels[validation], probabilities[:, 1])
    bundle = Bundle(
        classes=manifest.classes,
        preprocessing=data_set.store.preprocessing,
        operating_point=point,
        network=dataclasses.asdict(trained.spec),
        recipe={**recipe.to_dict(), "precision": trained.precision},
        data={**run["data"], "onnx_keras_difference": difference},
        versions=run["versions"],
    )
    return bundle.write(out / "bundle", {GRAPH: exported, WEIGHTS: trained.weights})


def _evaluate(reader: Reader, data_set: DataSet, out: Path) -> Evaluation:
    """Read the test side with the bundle itself, and write what came out."""
    manifest, point = data_set.manifest, reader.bundle.operating_point
    test = manifest.select("test")
    y_true, y_prob = data_set.labels[test], reader.graph.probabilities(data_set.chunks(test))
    threshold = point.threshold if point else None
    evaluation = compute_metrics(y_true, y_prob, classes=manifest.classes, threshold=threshold)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "metrics.json", evaluation.to_dict())
    cases = [manifest.cases[i] for i in test]
    write_csv(
        out / "predictions.csv",
        ["path", "patient_id", "label", *(f"probability_{name}" for name in manifest.classes)],
        [[c.name, pseudonym(c.patient_id), c.label, *row] for c, row in zip(cases, y_prob.tolist(), strict=True)],
    )
    pages.draw_evaluation(out / "figures", y_true, y_prob, evaluation)
    return evaluation
