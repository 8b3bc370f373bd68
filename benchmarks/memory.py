"""Whether memory grows with the number of images: peak memory of training on 5,000 and on 50,000.

    python benchmarks/memory.py [--json FILE]

Each number is a process of its own that opens a store of real chest X-rays (their rows repeated up to the number, 224 x
224), reads every batch of an epoch in its shuffled order, and trains `compact` on 20 of them spread over the epoch.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from table import Row, data_folder, options, report

FEW, MANY, BATCH, TRAINED_STEPS = 5_000, 50_000, 32, 20


def replicate(folder: Path) -> None:
    """Write `few.npy` and `many.npy`: the pixels of FEW X-rays, and the same ones repeated up to MANY."""
    from overread.images import DataSet, Preprocessing
    from overread.study.data import read_manifest

    manifest = read_manifest(data_folder())
    data_set = DataSet.open(manifest.replace(manifest.cases[:FEW]), Preprocessing(), folder=folder / "store")
    for name, count in (("few", FEW), ("many", MANY)):
        shape = (count, *data_set.store.pixels.shape[1:])
        with (folder / f"{name}.npy").open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for _ in range(count // FEW):
                for chunk in data_set.chunks(range(FEW)):
                    stream.write(chunk.data)


def train(path: Path) -> None:
    """Read all batches of an epoch from a store's file, train on TRAINED_STEPS of them, and print the peak in MB."""
    from overread.decision import Task
    from overread.images import PixelFile
    from overread.networks.build import NetworkSpec, build_network
    from overread.recipe import Recipe
    from overread.training.fit import TrainingData
    from overread.training.objective import compile_for_training

    pixels = PixelFile(path)
    task, labels = Task.of(("negative", "positive")), np.arange(len(pixels)) % 2
    data = TrainingData(pixels=pixels, y_true=labels, train=range(len(pixels)), validation=range(BATCH), task=task)
    batches, _ = data.batches(Recipe(batch_size=BATCH))
    _, height, width, channels = pixels.shape
    spec = NetworkSpec(name="compact", height=height, width=width, channels=channels, outputs=1)
    network = compile_for_training(build_network(spec, policy="float32"), Recipe(), task, len(batches))
    every, rows = len(batches) // TRAINED_STEPS, 0
    for step in range(len(batches)):
        batch = batches[step]
        rows += len(batch[0])
        if step % every == 0:
            network.train_on_batch(*batch)
    if rows != len(pixels):
        raise SystemExit(f"{rows} of {len(pixels)} rows were read")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def main() -> None:
    """Measure both numbers and print the ratio."""
    parser = options((__doc__ or "").splitlines()[0])
    parser.add_argument("--train", type=Path, help="one of the runs, on this file of pixels")
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.train)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-c", f"import memory, pathlib; memory.replicate(pathlib.Path({name!r}))"],
                       cwd=Path(__file__).parent, check=True)  # fmt: skip
        peaks = {}
        for which in ("few", "many"):
            command = [sys.executable, __file__, "--train", str(folder / f"{which}.npy")]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            peaks[which] = float(output.split()[-1])
    what = f"peak memory of training, {MANY:,} images"
    row = Row(
        what=what, ours=f"{peaks['many']:.0f} MB", other=f"{FEW:,} images: {peaks['few']:.0f} MB",
        ratio=peaks["many"] / peaks["few"], target=1.1, at_most=True,
    )  # fmt: skip
    report("Memory", [row], arguments.json)


if __name__ == "__main__":
    main()
