"""How fast whole epochs are, augmentation and validation included: overread against the pipelines that users have.

Every network is trained by overread and by the others, and by nothing but its own arithmetic (the limit): the same
steps on one resident batch without input, augmentation, averaging of weights, logs or saved states, with Keras's own
Adam and with overread's optimizer, which is the stricter limit. All run in turn, epoch by epoch.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from plain_keras import BATCH, SIZE, classic_cnn, compile_plainly, image_data_generator, image_dataset
from table import Row, data_folder, interleaved, options, report

from overread.decision import Task
from overread.images import PixelStore, Preprocessing
from overread.networks.augment import Augment
from overread.networks.augmentation import Augmentation
from overread.networks.build import precision
from overread.networks.compact import compact
from overread.recipe import Recipe
from overread.training.fit import TrainingData, fit
from overread.training.objective import compile_for_training
from overread.training.optimizer import LayerwiseAdamW
from overread.training.precision import choose_precision

TASK = Task.of(("negative", "positive"))
Body = Callable[[], keras.Model]
LIMIT, STRICTER = "limit", "limit with overread's optimizer"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Folders:
    """The same images as class folders and as decoded pixels."""

    train: Path
    validation: Path
    data: TrainingData


class Resident(keras.utils.PyDataset):
    """One batch that stays in memory, as often as there are steps."""

    def __init__(self, steps: int) -> None:
        super().__init__(workers=2)  # as overread's, see training.batches: the limit does not wait for tf.data either
        rng = np.random.default_rng(0)
        images = rng.integers(0, 256, (BATCH, SIZE, SIZE, 1), dtype=np.uint8)
        targets = rng.integers(0, 2, (BATCH, 1)).astype("float32")
        self._batch, self._steps = (keras.ops.convert_to_tensor(images), keras.ops.convert_to_tensor(targets)), steps

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, step: int) -> tuple[Any, Any]:
        return self._batch


class InTurn(keras.callbacks.Callback):
    """Between the epochs of overread, lets each of the others run one, and notes what all of them took."""

    def __init__(self, others: dict[str, Callable[[], float]]) -> None:
        super().__init__()
        self._others, self._began = others, 0.0
        self.seconds: dict[str, list[float]] = {name: [] for name in ("overread", *others)}

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch > 0:  # the whole of the former epoch, with what was saved after it
            self.seconds["overread"].append(time.perf_counter() - self._began)
        for name, run in self._others.items():
            self.seconds[name].append(run())
        self._began = time.perf_counter()

    def median(self, name: str) -> float:
        """Seconds of an epoch, the first one, in which graphs are made, left out."""
        return statistics.median(self.seconds[name][1:])


def with_logits(body: keras.Model, augmentation: Augmentation, policy: str) -> keras.Model:
    """A network from uint8 images to one logit, as overread trains it."""
    image = keras.Input((SIZE, SIZE, 1), dtype="uint8")
    with precision(policy):
        x = Augment(augmentation)(image)
        return keras.Model(image, {"logits": keras.layers.Activation("linear", dtype="float32")(body(x))})


def classic_body() -> keras.Model:
    """The classic network, from 0 to 255 to a logit."""
    network = classic_cnn()
    network.layers[-1].activation = keras.activations.linear
    return keras.Sequential([keras.layers.Rescaling(1 / 255), network])


def compact_body() -> keras.Model:
    """overread's own network, from 0 to 255 to a logit."""
    pooling = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dropout(0.3), keras.layers.Dense(1)]
    return keras.Sequential([compact((SIZE, SIZE, 1)), *pooling])


def plain_compact() -> keras.Model:
    """The same for pipelines whose images are 0 to 1."""
    inputs = [keras.Input((SIZE, SIZE, 1)), keras.layers.Rescaling(255.0)]
    return keras.Sequential([*inputs, compact_body(), keras.layers.Activation("sigmoid")])


def body_of_json(text: str) -> keras.Model:
    """A network that AUCMEDI printed, with one logit in place of the softmax, under the dtype policy in force."""
    config = json.loads(text)
    *_, last, activation = config["config"]["layers"]
    last["config"]["units"], activation["config"]["activation"] = 1, "linear"
    policy = keras.config.dtype_policy().name

    def under_policy(value: Any) -> Any:
        if isinstance(value, dict) and value.get("class_name") == "DTypePolicy":
            return {**value, "config": {"name": policy}}
        if isinstance(value, dict):
            return {key: under_policy(item) for key, item in value.items()}
        return [under_policy(item) for item in value] if isinstance(value, list) else value

    network = keras.models.model_from_json(json.dumps(under_policy(config)))
    return keras.Sequential([keras.layers.Rescaling(1 / 127.5, offset=-1), network])


def compare(folders: Folders, body: Body, others: dict[str, Callable[[], float]], epochs: int) -> tuple[InTurn, str]:
    """Train a network by overread with the others in turn; also says in which precision."""
    data = folders.data
    recipe = Recipe(network="compact", size=SIZE, epochs=epochs + 2, patience=epochs + 2, batch_size=BATCH)
    training, validation = data.batches(recipe)

    def build(policy: str, augmentation: Augmentation) -> keras.Model:
        with precision(policy):
            inner = body()
        return with_logits(inner, augmentation, policy)

    chosen = choose_precision(
        lambda policy: compile_for_training(build(policy, recipe.augmentation), recipe, TASK, len(training)),
        training[0],
    )
    policy = chosen.policy
    resident, watched = Resident(len(training)), Resident(len(validation))

    def limit(make_optimizer: Callable[[keras.Model], keras.optimizers.Optimizer]) -> Callable[[], float]:
        network = build(policy, Augmentation.off())
        network = keras.Model(network.input, network.output["logits"])
        network.compile(make_optimizer(network), keras.losses.BinaryCrossentropy(from_logits=True))
        return lambda: timed(lambda: network.fit(resident, validation_data=watched, verbose=0))

    limits = {
        LIMIT: limit(lambda network: keras.optimizers.Adam()),
        STRICTER: limit(lambda network: LayerwiseAdamW(1e-3, factors=[1.0] * len(network.trainable_variables))),
    }
    in_turn = InTurn({**others, **limits})
    model = compile_for_training(build(policy, recipe.augmentation), recipe, TASK, len(training))
    with tempfile.TemporaryDirectory() as folder:
        fit(model, data, recipe, Path(folder), callbacks=[in_turn])
    return in_turn, policy


def timed(run: Callable[[], object]) -> float:
    """Seconds that it took."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def rows_of(network: str, turns: InTurn, policy: str, images: int, targets: dict[str, float]) -> Iterator[Row]:
    """A line for each pipeline that a network was trained by."""
    ours = turns.median("overread")
    for name in list(turns.seconds)[1:]:
        other = turns.median(name)
        print(f"{network}: {name} {other:.1f} s an epoch, overread {ours:.1f} s", file=sys.stderr, flush=True)
        yield Row(
            what=f"training `{network}`, against {name}",
            ours=f"{images / ours:.0f} images/s ({policy})",
            other=f"{images / other:.0f} images/s",
            ratio=other / ours,
            target=targets.get(name),
        )


@contextlib.contextmanager
def prepared(train: int, validation: int) -> Iterator[Folders]:
    """Radiographs of the train side in folders of links, and decoded."""
    with tempfile.TemporaryDirectory() as temporary:
        root, paths, labels = Path(temporary), [], []
        for label, name in enumerate(("NORMAL", "PNEUMONIA")):
            found = sorted((data_folder() / "train" / name).iterdir())[: (train + validation) // 2]
            for position, path in enumerate(found):
                folder = root / ("train" if position < train // 2 else "val") / name
                folder.mkdir(parents=True, exist_ok=True)
                (folder / path.name).symlink_to(path.resolve())
            paths += found
            labels += [label] * len(found)
        store = PixelStore.open(paths, Preprocessing(channels=1), folder=root / "store")
        sides = [index for first in (0, len(paths) // 2) for index in range(first, first + train // 2)]
        rest = sorted(set(range(len(paths))) - set(sides))
        data = TrainingData(pixels=store.pixels, y_true=np.array(labels), train=sides, validation=rest, task=TASK)
        yield Folders(train=root / "train", validation=root / "val", data=data)


@contextlib.contextmanager
def aucmedi(python: str, architecture: str, folders: Folders) -> Iterator[tuple[str, Callable[[], float]]]:
    """AUCMEDI in a process of its own: its network as JSON, and a function that runs an epoch and gives its seconds."""
    worker = Path(__file__).with_name("aucmedi_epochs.py")
    command = [python, str(worker), architecture, str(folders.train), str(folders.validation)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        questions, answers = process.stdin, process.stdout

        def epoch() -> float:
            print("next", file=questions, flush=True)
            return float(answers.readline())

        yield answers.readline(), epoch
        questions.close()


def arithmetic_share(seconds_of_step: float) -> Row:
    """What the classic network needs over the rate of one large matrix product, both in the better precision."""
    flops, side = 0.0, SIZE
    for channels, filters in ((1, 32), (32, 64), (64, 128)):
        side -= 2
        # Forward, and the gradients of kernel and input; the first layer's input needs none.
        flops += (2 if channels == 1 else 3) * 2 * 9 * channels * filters * side**2
        side //= 2
    flops = BATCH * (flops + 3 * 2 * side**2 * 128 * 128)
    rates = {}
    for dtype in ("float32", "bfloat16"):
        matrix = keras.ops.ones((3072, 3072), dtype=dtype)
        rates[dtype] = 2 * 3072**3 / interleaved({"": lambda m=matrix: keras.ops.matmul(m, m)}, 5)[""]
    best = max(rates, key=lambda dtype: rates[dtype])
    return Row(
        what="`classic`: arithmetic of a training step over the rate of a large matrix product",
        ours=f"{flops / seconds_of_step / 1e9:.0f} GFLOP/s",
        other=f"{rates[best] / 1e9:.0f} GFLOP/s ({best})",
        ratio=flops / seconds_of_step / rates[best],
    )


def main() -> None:
    """Run and print."""
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--train", type=int, default=448, help="training images")
    parser.add_argument("--validation", type=int, default=112, help="validation images")
    parser.add_argument("--epochs", type=int, default=2, help="timed epochs of each")
    parser.add_argument("--aucmedi-python", help="a Python that has AUCMEDI from PyPI, in an environment of its own")
    arguments = parser.parse_args()
    rows: list[Row] = []
    with prepared(arguments.train, arguments.validation) as folders:
        for network, body, plain in (("classic", classic_body, classic_cnn), ("compact", compact_body, plain_compact)):
            a = image_data_generator(compile_plainly(plain()), folders.train, folders.validation)
            b = image_dataset(compile_plainly(plain()), folders.train, folders.validation)
            others = {"(a) ImageDataGenerator": lambda a=a: timed(a), "(b) tf.data": lambda b=b: timed(b)}
            turns, policy = compare(folders, body, others, arguments.epochs)
            targets = {"(a) ImageDataGenerator": 3, "(b) tf.data": 2, LIMIT: 0.95}
            rows += rows_of(network, turns, policy, arguments.train, targets)
            if network == "classic":
                steps = -(-arguments.train // BATCH)
                share = arguments.train / (arguments.train + arguments.validation / 3)
                rows.append(arithmetic_share(turns.median(STRICTER) * share / steps))
    if arguments.aucmedi_python:
        # A quarter of the images: AUCMEDI reads 11 to 40 of them a second.
        few = arguments.train // 4
        with prepared(few, arguments.validation // 4) as folders:
            for architecture in ("2D.Vanilla", "2D.MobileNetV2"):
                with aucmedi(arguments.aucmedi_python, architecture, folders) as (text, epoch):
                    turns, policy = compare(
                        folders, lambda text=text: body_of_json(text), {"(c) AUCMEDI": epoch}, arguments.epochs
                    )
                rows += rows_of(f"AUCMEDI {architecture}", turns, policy, few, {"(c) AUCMEDI": 3})
    else:
        print("AUCMEDI is left out: name a Python that has it with --aucmedi-python")
    report("Training, whole epochs", rows, arguments.json)


if __name__ == "__main__":
    main()
