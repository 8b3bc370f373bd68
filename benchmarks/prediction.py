"""How fast are images read: `overread predict` and `Reader` against the usual Keras code, on the same network.

    python benchmarks/prediction.py [--work FOLDER]

The 624 test images of chest_xray (224 x 224 JPEG, grey, float32). The networks are untrained, or have ImageNet weights,
since speed does not depend on the weights; that both sides give the same probabilities is checked first. With --work
the networks are kept and used again; --networks adds efficientnet-lite0 to compact.
"""

from __future__ import annotations

import csv
import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from plain_keras_prediction import SIZE, read_in_batches, read_one, write
from table import Row, data_folder, interleaved, options, report

from overread import Bundle, Reader
from overread.bundle import GRAPH, REFERENCE, WEIGHTS, Graph, Member, Reference
from overread.decision import Calibration, Familiarity, OperatingPoint, Referral, Task
from overread.images import Preprocessing
from overread.networks.build import NetworkSpec, build_network
from overread.reading import write_readings
from overread.training.export import export_onnx

NETWORKS = ("compact", "efficientnet-lite0")
CLASSES = ("NORMAL", "PNEUMONIA")
# What a single answer of Keras takes is long enough to be known from a few.
FEW = 50
FIVE = 5


def hand_over(name: str, folder: Path) -> None:
    """Write a network as a bundle, and as the plain Keras model that computes the same."""
    if (folder / "bundle").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    spec = NetworkSpec(name=name, height=SIZE[0], width=SIZE[1], channels=1, outputs=1)
    network = build_network(spec, pretrained=name != "compact")
    network.save_weights(folder / WEIGHTS)
    export_onnx(spec, folder / WEIGHTS, folder / GRAPH)
    (body,) = [layer for layer in network.layers if isinstance(layer, keras.Model)]
    image = keras.Input((*SIZE, 1))
    head = keras.layers.Dense(1, activation="sigmoid")
    plain = keras.Model(image, head(keras.layers.GlobalAveragePooling2D()(body(image))))
    head.set_weights([network.get_layer("head").kernel, network.get_layer("head").bias])
    plain.save(folder / "plain.keras")
    graph, random = Graph((folder / GRAPH).read_bytes()), np.random.default_rng(0)
    _, traits = graph.logits_and_traits([random.integers(0, 256, (100, *SIZE, 1), dtype=np.uint8)])
    reference = Reference.of(Familiarity.fit(traits, traits), traits, np.zeros(0, int), np.zeros((0, 2)))
    (folder / REFERENCE).write_bytes(reference.to_bytes())
    point = OperatingPoint(threshold=0.5, rule="0.5", sensitivity=0.5, specificity=0.5, n_positive=1, n_negative=1)
    Bundle(
        task=Task.of(CLASSES),
        preprocessing=Preprocessing(height=SIZE[0], width=SIZE[1], channels=1),
        members=(Member(calibration=Calibration(method="none")),),
        operating_points={CLASSES[1]: point},
        referral=Referral(coverage=0.9, thresholds=dict.fromkeys(CLASSES, 1.0), counts=dict.fromkeys(CLASSES, 0)),
        network=dataclasses.asdict(spec),
        recipe={"seed": 0},
        data={"fingerprint": "0" * 64, "study": "none"},
        versions={},
    ).write(folder / "bundle", {name: folder / name for name in (GRAPH, WEIGHTS, REFERENCE)})


def python(*arguments: str | Path) -> None:
    """Run a Python of its own, from cold."""
    subprocess.run([sys.executable, *map(str, arguments)], check=True, capture_output=True)


def predict(folder: Path, images: Path) -> None:
    """`overread predict` from cold."""
    python("-m", "overread.cli", "predict", folder / "bundle", images, "--csv", folder / "ours.csv")


def difference(folder: Path, images: list[Path]) -> float:
    """The largest difference in probability between what `predict` wrote and Keras on the same images."""
    with (folder / "ours.csv").open(newline="") as stream:
        ours = {row["path"]: float(row[f"probability_{CLASSES[1]}"]) for row in csv.DictReader(stream)}
    model = keras.models.load_model(folder / "plain.keras")
    return max(abs(ours[str(path)] - read_one(model, path)) for path in images)


def whole_process(name: str, folder: Path, images: Path, count: int) -> Iterator[Row]:
    """Rows on whole processes, start to end."""
    targets = name == "compact"
    script = [Path(__file__).with_name("plain_keras_prediction.py")]
    seconds = interleaved(
        {
            "ours": lambda: predict(folder, images),
            "Keras": lambda: python(*script, "batches", folder / "plain.keras", images, folder / "keras.csv"),
        },
        3,
        warm_up=0,
    )
    what, target = f"{name}, folder to CSV, whole process", 2 if targets else None
    yield compared(what, seconds["ours"], "predict, batches", seconds["Keras"], count, target)
    if targets:
        alone = interleaved(
            {
                "ours": lambda: predict(folder, images),
                "Keras": lambda: python(*script, "one-by-one", folder / "plain.keras", images, folder / "one.csv"),
            },
            1,
            warm_up=0,
        )
        yield compared(what, alone["ours"], "one by one", alone["Keras"], count, 20)
    one = next(images.rglob("*.jpeg"))
    first = interleaved({"ours": lambda: predict(folder, one)}, 7)["ours"]
    yield Row(what=f"{name}, cold process to its first answer, s", ours=f"{first:.2f} s", other="", ratio=first,
              target=1.2 if targets else None, at_most=True)  # fmt: skip


def warm(name: str, folder: Path, images: Path, paths: list[Path]) -> Iterator[Row]:
    """Rows on a process that has started and loaded its network."""
    targets = name == "compact"
    reader, model = Reader.load(folder / "bundle"), keras.models.load_model(folder / "plain.keras")
    seconds = interleaved(
        {
            "ours": lambda: write_readings(folder / "ours.csv", reader.read_many(paths), reader.bundle.task),
            "Keras": lambda: write(folder / "keras.csv", *read_in_batches(model, images)),
        },
        3 if targets else 1,
    )
    yield compared(f"{name}, folder to CSV, warm", seconds["ours"], "predict, batches", seconds["Keras"], len(paths))
    few = interleaved(
        {
            "ours": lambda: list(reader.read_many(paths)),
            "Keras": lambda: [read_one(model, path) for path in paths[:FEW]],
        },
        1,
        warm_up=0,
    )
    slow = few["Keras"] * len(paths) / FEW
    yield compared(f"{name}, many images, warm", few["ours"], "one by one", slow, len(paths))
    times = []
    for path in paths:
        start = time.perf_counter()
        reader.read(path)
        times.append(1e3 * (time.perf_counter() - start))
    for percentile, target in ((50, 8.0), (99, 20.0)):
        took = float(np.percentile(times, percentile))
        yield Row(what=f"{name}, one image, p{percentile}, ms", ours=f"{took:.1f} ms",
                  other=f"Keras {1e3 * few['Keras'] / FEW:.0f} ms", ratio=took,
                  target=target if targets else None, at_most=True)  # fmt: skip


def several(name: str, folder: Path, paths: list[Path]) -> Row:
    """A row on a bundle of five networks, such as training on five folds makes, against one of a single network."""
    one = Bundle.load(folder / "bundle")
    files = {f"{number}-{own}": folder / own for number in range(FIVE) for own in (GRAPH, WEIGHTS, REFERENCE)}
    members = [
        dataclasses.replace(
            one.members[0],
            graph=f"{number}-{GRAPH}",
            weights=f"{number}-{WEIGHTS}",
            reference=f"{number}-{REFERENCE}",
        )
        for number in range(FIVE)
    ]
    five = dataclasses.replace(one, members=tuple(members)).write(folder / "five", files)
    readers = {"one": Reader(one), "five": Reader(five)}
    seconds = interleaved(
        {key: lambda reader=reader: list(reader.read_many(paths)) for key, reader in readers.items()}, 3
    )
    return Row(
        what=f"{name}, five networks in one bundle, times as long",
        ours=f"{len(paths) / seconds['five']:.0f} images/s",
        other=f"one network: {len(paths) / seconds['one']:.0f} images/s",
        ratio=seconds["five"] / seconds["one"],
        target=FIVE,
        at_most=True,
    )


def compared(what: str, ours: float, way: str, other: float, count: int, target: float | None = None) -> Row:
    """A row of two ways to read `count` images."""
    theirs = f"Keras {way}: {other:.1f} s, {count / other:.0f} images/s"
    return Row(
        what=what, ours=f"{ours:.1f} s, {count / ours:.0f} images/s", other=theirs, ratio=other / ours, target=target
    )


def main() -> None:
    """Make the networks, check that both sides agree, measure."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, help="folder in which the networks are kept")
    parser.add_argument("--networks", nargs="+", default=NETWORKS[:1], choices=NETWORKS)
    asked = parser.parse_args()
    images = data_folder() / "test"
    paths = sorted(images.rglob("*.jpeg"))
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in asked.networks:
            folder = (asked.work or Path(temporary)) / name
            hand_over(name, folder)
            predict(folder, images)
            worst = difference(folder, paths[:FEW])
            rows.append(Row(what=f"{name}, difference from Keras in probability", ours="", other="", ratio=worst,
                            target=1e-3, at_most=True))  # fmt: skip
            rows += [*whole_process(name, folder, images, len(paths)), *warm(name, folder, images, paths)]
            rows.append(several(name, folder, paths))
    report("Reading images", rows, asked.json)


if __name__ == "__main__":
    main()
