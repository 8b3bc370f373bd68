"""Keras with the settings that networks are built and trained with; whoever needs Keras takes it from here.

A user's `keras.json` and variables are for other programs: of them only KERAS_BACKEND counts, which says what computes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator

from overread.errors import InvalidOption, MissingExtra
from overread.machine.places import keras_folder

_BACKENDS = ("tensorflow", "jax", "torch")
# Keras and TensorFlow load these wherever they are installed, for what no network needs: 1.9 of 4.2 s and 240 MB
# (November 2026). Whoever needs Keras's wrappers of scikit-learn imports Keras first.
_NOT_NEEDED = ("jax", "matplotlib.pyplot", "sklearn")


def _prepare() -> None:
    """Choose what Keras asks for as it is loaded, which cannot be changed afterwards."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")  # else TensorFlow tells how it was built
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend not in _BACKENDS:
        raise InvalidOption(
            f"KERAS_BACKEND is {backend!r}: expected {', '.join(_BACKENDS)}, or no such variable for tensorflow"
        )
    if importlib.util.find_spec(backend) is None:
        raise MissingExtra(
            f"KERAS_BACKEND={backend} needs {backend}, which is not installed: unset the variable to train with "
            f"TensorFlow, or pip install {backend}"
        )
    os.environ["KERAS_BACKEND"] = backend
    for name in ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH"):
        os.environ.pop(name, None)
    os.environ.setdefault("KERAS_HOME", str(keras_folder()))


@contextlib.contextmanager
def _without(modules: set[str]) -> Iterator[None]:
    """Let nothing import these modules for a while; what has been imported stays."""
    absent = modules - sys.modules.keys()
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]  # None is "not to be found"
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


if "keras" not in sys.modules:
    _prepare()
try:
    with _without({*_NOT_NEEDED} - {os.environ.get("KERAS_BACKEND", "")}):
        import keras as keras
        from keras import layers as layers
        from keras import ops as ops
except (ValueError, AttributeError, TypeError) as error:
    raise InvalidOption(
        f"Keras cannot be loaded ({error}): correct or remove the file ~/.keras/keras.json, or the one in KERAS_HOME"
    ) from error
# Networks that are tried one after the other, and a last chunk that is shorter, are traced anew, as they must be.
logging.getLogger("tensorflow").addFilter(lambda record: "tf.function retracing" not in record.getMessage())
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")
