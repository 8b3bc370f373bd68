"""A stranger's network on trial: in a process of its own, before it runs in this one.

A graph may be made so that it crashes what loads it, takes all memory, or never ends. Found sound, it is remembered for
thirty days; so is one that was trained here, without a trial.
"""

from __future__ import annotations

import hashlib

import numpy as np

from overread.bundle.graph import Graph
from overread.bundle.onnx_file import check_onnx
from overread.errors import InvalidBundle, MissingPath
from overread.machine.apart import Processes, WorkEnded, is_apart
from overread.machine.memo import recall_or_work_out
from overread.machine.places import cache_folder

# An image takes the largest of the networks that come with overread 0.1 s at 224 px on one core (November 2026).
_TIMEOUT_S = 60.0
_MEMORY_BYTES = 4 * 2**30
# Of activations and weights, which are copied as they are loaded.
_BYTES_A_PIXEL, _COPIES = 4096, 6


def require_sound(content: bytes, shape: tuple[int, int, int]) -> None:
    """Refuse a graph that cannot read one image of this (height, width, channels), or does harm.

    Raises:
        InvalidBundle: it crashes, takes more than memory for such an image or a minute, or is none for such images.
    """
    check_onnx(content)
    if not is_apart():
        _recalled(content, shape, on_trial=True)


def remember_sound(content: bytes, shape: tuple[int, int, int]) -> None:
    """Remember a graph that this computer has made itself, and run."""
    _recalled(content, shape, on_trial=False)


def _recalled(content: bytes, shape: tuple[int, int, int], *, on_trial: bool) -> None:
    def work_out() -> bool:
        if on_trial:
            _try(content, shape)
        return True

    try:
        store = cache_folder()
    except MissingPath:
        work_out()
        return
    key = [hashlib.sha256(content).hexdigest(), shape]
    recall_or_work_out(store, "graph", key, work_out, write=bool, read=bool)


def _try(content: bytes, shape: tuple[int, int, int]) -> None:
    pixels = shape[0] * shape[1]
    processes = Processes(1, memory_bytes=_MEMORY_BYTES + _COPIES * len(content) + _BYTES_A_PIXEL * pixels)
    try:
        processes.run(_run, content, shape, timeout_s=_TIMEOUT_S)
    except (MemoryError, WorkEnded) as error:
        reason = error.code if isinstance(error, WorkEnded) else "out of memory"
        raise InvalidBundle(
            f"the network of the bundle cannot be run ({reason}): get the bundle again from its source"
        ) from None
    finally:
        processes.close()


def _run(content: bytes, shape: tuple[int, int, int]) -> None:
    Graph(content, threads=1).run(np.zeros((1, *shape), np.uint8))
