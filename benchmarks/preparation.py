"""How fast images are prepared the first time, against a loop over Pillow and against tf.data.

    python benchmarks/preparation.py [--json FILE]

Real chest X-rays: as they are (224 x 224 JPEG), and enlarged to 2000 x 2000 as JPEG (quality 90) and as PNG. Each run
ends with all in one file (Pillow, overread) or one array (tf.data) of 224 x 224 grey pixels.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from table import Row, data_folder, interleaved, options, report

from overread.images import PixelStore, Preprocessing

SIDE, SMALL, LARGE, REPETITIONS = 224, 1500, 48, 3


def by_overread(paths: list[Path]) -> None:
    """Into a fresh store, with every default."""
    with tempfile.TemporaryDirectory() as folder:
        PixelStore.open(paths, Preprocessing(height=SIDE, width=SIDE), folder=Path(folder))


def by_pillow(paths: list[Path]) -> None:
    """In one thread, as most scripts do."""
    pixels = np.empty((len(paths), SIDE, SIDE), np.uint8)
    for i, path in enumerate(paths):
        pixels[i] = Image.open(path).convert("L").resize((SIDE, SIDE))
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "pixels.npy", pixels)


def by_tf_data(paths: list[Path]) -> None:
    """In all threads that tf.data sees fit, with the antialiasing that keeps fine texture."""

    def load(path: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(tf.io.read_file(path), channels=1, expand_animations=False)
        return tf.cast(tf.image.resize(image, (SIDE, SIDE), antialias=True), tf.uint8)

    files = tf.data.Dataset.from_tensor_slices([str(path) for path in paths])
    batches = files.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(32).prefetch(tf.data.AUTOTUNE)
    np.concatenate(list(batches.as_numpy_iterator()))


def enlarged(paths: list[Path], folder: Path, suffix: str) -> list[Path]:
    """Write the images at 2000 x 2000, in grey."""
    made = []
    for i, path in enumerate(paths):
        made.append(folder / f"{i:03}{suffix}")
        image = Image.open(path).convert("L").resize((2000, 2000), Image.Resampling.LANCZOS)
        image.save(made[-1], **({"quality": 90} if suffix == ".jpeg" else {}))
    return made


def main() -> None:
    """Time the three in turn on each kind of file."""
    arguments = options((__doc__ or "").splitlines()[0]).parse_args()
    every = sorted(data_folder().rglob("*.jpeg"))
    small = every[:: len(every) // SMALL][:SMALL]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        kinds = {"224 x 224 JPEG": small}
        for suffix in (".jpeg", ".png"):
            kinds[f"2000 x 2000 {suffix[1:].upper()}"] = enlarged(
                every[:: len(every) // LARGE][:LARGE], Path(name), suffix
            )
        for kind, paths in kinds.items():
            runs = {"overread": by_overread, "Pillow, one thread": by_pillow, "tf.data": by_tf_data}
            seconds = interleaved({who: partial(run, paths) for who, run in runs.items()}, REPETITIONS)
            speeds = {who: f"{len(paths) / taken:,.0f} images/s" for who, taken in seconds.items()}
            for who, target in (("Pillow, one thread", 3.0), ("tf.data", 1.0)):
                other, ratio = f"{who}: {speeds[who]}", seconds[who] / seconds["overread"]
                rows.append(Row(what=kind, ours=speeds["overread"], other=other, ratio=ratio, target=target))
    report("Preparing images for the first time", rows, arguments.json)


if __name__ == "__main__":
    main()
