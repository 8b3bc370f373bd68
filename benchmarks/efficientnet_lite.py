"""How fast is EfficientNet-Lite0 fine-tuned on a CPU, against plain Keras `fit` of the published network?"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers
from table import Row, data_folder, interleaved, options, report

from overread.decision import Task
from overread.images import Preprocessing, prepare
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.training.objective import compile_for_training

IMAGES, BATCH, TARGET = 64, 32, 3
# Repeats, kernel, stride, expansion, output channels of each stage.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def published_body(size: int) -> keras.Model:
    """The network as published, up to its last feature map, written as a user of Keras would, in float32."""

    def normalised(x: keras.KerasTensor, *, activation: bool = True) -> keras.KerasTensor:
        x = layers.BatchNormalization(epsilon=1e-3)(x)
        return layers.ReLU(6.0)(x) if activation else x

    inputs = keras.Input((size, size, 3))
    x = layers.Rescaling(1 / 128, offset=-127 / 128)(inputs)
    x = normalised(layers.Conv2D(32, 3, 2, padding="same", use_bias=False)(x))
    for repeats, kernel, stride, expansion, filters in STAGES:
        for strides in (stride, *(1,) * (repeats - 1)):
            shortcut, width = x, x.shape[-1]
            if expansion != 1:
                x = normalised(layers.Conv2D(width * expansion, 1, use_bias=False)(x))
            x = normalised(layers.DepthwiseConv2D(kernel, strides, padding="same", use_bias=False)(x))
            x = normalised(layers.Conv2D(filters, 1, use_bias=False)(x), activation=False)
            if strides == 1 and width == filters:
                x = layers.Add()([shortcut, x])
    return keras.Model(inputs, normalised(layers.Conv2D(1280, 1, use_bias=False)(x)))


def published(size: int) -> keras.Model:
    """The same with a new end, compiled."""
    body = published_body(size)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(body.output))
    model = keras.Model(body.input, layers.Dense(1)(x))
    model.compile(keras.optimizers.Adam(1e-4), keras.losses.BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def ours(size: int, policy: str, frozen_stages: int = 0) -> keras.Model:
    """overread's network, with its augmentation, compiled as for training."""
    recipe = Recipe(network="efficientnet-lite0", size=size)
    spec = NetworkSpec(name=recipe.network, height=size, width=size, channels=1, outputs=1, frozen_stages=frozen_stages)
    network = build_network(spec, augmentation=recipe.augmentation, pretrained=True, policy=policy)
    return compile_for_training(network, recipe, Task.of(("negative", "positive")), IMAGES // BATCH)


def main() -> None:
    """Train each for a few steps in turn."""
    arguments = options(__doc__ or "").parse_args()
    folder = data_folder() / "train"
    paths = [path for label in ("NORMAL", "PNEUMONIA") for path in sorted((folder / label).iterdir())[: IMAGES // 2]]
    targets = np.repeat([0.0, 1.0], IMAGES // 2)[:, None]
    rows = []
    for size in (224, 160):
        grey = np.stack([prepare(path, Preprocessing(height=size, width=size, channels=1)) for path in paths])
        models = {
            "published": (published(size), np.repeat(grey, 3, axis=3)),
            "float32": (ours(size, "float32"), grey),
            "bfloat16": (ours(size, "mixed_bfloat16"), grey),
            "frozen": (ours(size, "mixed_bfloat16", 2), grey),
        }
        runs = {
            name: lambda model=model, images=images: model.fit(images, targets, batch_size=BATCH, verbose=0)
            for name, (model, images) in models.items()
        }
        speed = {name: IMAGES / seconds for name, seconds in interleaved(runs, 3).items()}
        for what, mine, other, target in (
            ("all trained, mixed bfloat16", "bfloat16", "published", TARGET if size == 224 else None),
            ("all trained, float32", "float32", "published", None),
            ("all trained, mixed bfloat16", "bfloat16", "float32", None),
            ("stem and two stages frozen, mixed bfloat16", "frozen", "published", None),
        ):
            against = "published network, plain fit, float32" if other == "published" else "ours, float32"
            rows.append(
                Row(
                    what=f"fine-tuning at {size} px: {what}",
                    ours=f"{speed[mine]:.0f} images/s",
                    other=f"{against}: {speed[other]:.0f} images/s",
                    ratio=speed[mine] / speed[other],
                    target=target,
                )
            )
    report("EfficientNet-Lite0 fine-tuning, batch 32", rows, arguments.json)


if __name__ == "__main__":
    main()
