"""Any network of keras.applications, up to its last feature map, for colour or grey images of 0 to 255."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from overread.errors import InvalidOption, MissingPath
from overread.networks.backend import keras, layers, ops

# Layers that map each colour by itself, so that their effect can be measured on four pixels.
_COLOUR_LAYERS = (layers.Rescaling, layers.Normalization)


def application_names() -> dict[str, Callable[..., keras.Model]]:
    """The networks of keras.applications by lower-case name."""
    return {name.lower(): getattr(keras.applications, name) for name in dir(keras.applications) if name[0].isupper()}


def application(name: str, channels: int, size: tuple[int, int], *, pretrained: bool) -> keras.Model:
    """Build a network of keras.applications with its own preprocessing inside.

    The affine colour change that the network expects is measured, not listed: whatever keras.applications does to
    black and to the three pure colours becomes a 1x1 convolution. For grey images it is folded, with the sum over
    colours, into the first convolution; a second, constant channel carries the offset so that the result is exact at
    the padded border too.

    Args:
        name: such as `densenet121`.
        channels: 1 or 3.
        size: height and width.
        pretrained: take the ImageNet weights, which Keras downloads once, and keep those of batch normalisation.

    Returns:
        A model from `(batch, height, width, channels)` of 0 to 255 to `(batch, h, w, features)`.

    Raises:
        InvalidOption: no such network, or images too small for it.
        MissingPath: the weights are not on this machine and cannot be downloaded.
    """
    build = application_names()[name]
    try:
        body = build(include_top=False, weights="imagenet" if pretrained else None, input_shape=(*size, 3))
    except ValueError as error:
        raise InvalidOption(f"{name} cannot be built for {size[0]} x {size[1]} images: {error}") from None
    except Exception as error:  # noqa: BLE001 - keras.utils.get_file raises a plain one when a download fails
        raise MissingPath(
            f"the ImageNet weights of {name} are not on this machine and could not be downloaded "
            f"({type(error).__name__}): connect to the network once, or take --network efficientnet-lite0, whose "
            "weights are installed, or --no-pretrained"
        ) from None
    if pretrained:
        _keep_statistics(body)
    preprocess = importlib.import_module(build.__module__).preprocess_input
    return _grey(body, preprocess, name) if channels == 1 else _colour(body, preprocess, name)


def _keep_statistics(body: keras.Model) -> None:
    """Let batch normalisation stay as it was learnt, as Keras advises for fine-tuning.

    In a few hundred steps its moving averages, which forget a hundredth a step, come to describe neither the images
    that it was trained on nor these.
    """
    for layer in body.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.trainable = False


def _colour(body: keras.Model, preprocess: Callable[..., Any], name: str) -> keras.Model:
    matrix, offset = _measure_colours(preprocess)
    inputs = keras.Input(body.input_shape[1:])
    x = inputs
    if not (np.allclose(matrix, np.eye(3)) and np.allclose(offset, 0)):
        normalise = layers.Conv2D(3, 1, trainable=False, dtype="float32", name="imagenet_colours")
        x = normalise(x)
        normalise.set_weights([matrix[None, None], offset])
    return keras.Model(inputs, body(x), name=name)


def _grey(body: keras.Model, preprocess: Callable[..., Any], name: str) -> keras.Model:
    colour_layers, padding, stem = _stem(body)
    inputs = keras.Input((*body.input_shape[1:3], 1))
    if stem is None:
        return keras.Model(inputs, _colour(body, preprocess, name)(layers.Concatenate()([inputs] * 3)), name=name)

    def to_stem(pixels: Any) -> Any:
        values = preprocess(pixels)
        for layer in colour_layers:
            values = layer(values)
        return ops.convert_to_numpy(values)

    matrix, offset = _measure_colours(to_stem)
    kernel, *bias = stem.get_weights()
    grey_kernel = np.stack(
        [np.einsum("hwco,c->hwo", kernel, colour) for colour in (matrix.sum(axis=0), offset)], axis=2
    )
    config = {key: value for key, value in stem.get_config().items() if key not in ("dtype", "trainable")}
    folded = layers.Conv2D.from_config(config)
    x = layers.Concatenate()([inputs, ops.ones_like(inputs)])
    for layer in padding:
        x = layer(x)
    x = folded(x)
    folded.set_weights([grey_kernel, *bias])
    return keras.Model(inputs, keras.Model(stem.output, body.output, name=f"{name}-body")(x), name=name)


def _measure_colours(change: Callable[..., Any]) -> tuple[np.ndarray, np.ndarray]:
    """The 3x3 matrix (row vector times matrix) and offset of an affine colour change."""
    colours = np.concatenate([np.zeros((1, 3)), 255 * np.eye(3)]).astype("float32")[None, None]
    changed = np.asarray(change(colours))[0, 0]
    return (changed[1:] - changed[0]) / 255, changed[0]


def _stem(body: keras.Model) -> tuple[list[Any], list[Any], Any]:
    """The colour layers, padding layers and convolution that a network begins with; no convolution if it does not."""
    colour_layers, padding = [], []
    for layer in body.layers[1:]:
        if isinstance(layer, _COLOUR_LAYERS):
            colour_layers.append(layer)
        elif isinstance(layer, layers.ZeroPadding2D):
            padding.append(layer)
        else:
            plain = type(layer) is layers.Conv2D and layer.get_weights()[0].shape[2] == 3
            return colour_layers, padding, layer if plain else None
    return colour_layers, padding, None
