"""Which numeric precision trains faster on this machine: measured with the network itself, not looked up."""

from __future__ import annotations

import dataclasses
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from overread.networks.backend import keras
from overread.recipe import PRECISIONS

_WARM_UP_STEPS, _LEAST_STEPS, _MOST_STEPS = 2, 2, 4
# A smaller gain is within the noise of a busy machine, and float32 is the plainer choice.
_WORTHWHILE_GAIN = 1.1
# This far from it, on either side, two steps say what four would.
_CLEAR = 1.2
# What sets the threads and the kernels of the libraries that compute.
_SETTINGS = ("TF_", "ONEDNN_", "DNNL_", "OMP_", "XLA_", "CUDA_")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecisionChoice:
    """The chosen Keras dtype policy and the images/s of each that was measured (none when the user chose).

    Raises:
        ValueError: there is no such policy.
    """

    policy: str
    images_per_second: dict[str, float]

    def __post_init__(self) -> None:
        if self.policy not in PRECISIONS[1:]:
            raise ValueError(f"{self.policy!r} is no precision that was measured")

    def __str__(self) -> str:
        if not self.images_per_second:
            return f"{self.policy} (as asked)"
        measured = ", ".join(f"{policy} {rate:.0f}" for policy, rate in self.images_per_second.items())
        return f"{self.policy} (measured images/s of training steps: {measured})"


def choose_precision(
    build: Callable[[str], keras.Model], batch: tuple[np.ndarray, ...], *, asked: str = "auto"
) -> PrecisionChoice:
    """Time a few training steps in float32 and in mixed bfloat16, and take bfloat16 where it is a tenth faster.

    Args:
        build: makes a compiled network under a dtype policy; its weights are thrown away.
        batch: one batch of images, targets and weights, if any.
        asked: a policy that the user wants, which is then not measured, or `auto`.
    """
    if asked != "auto":
        return PrecisionChoice(policy=asked, images_per_second={})
    models = {policy: build(policy) for policy in ("float32", "mixed_bfloat16")}
    for model in models.values():
        # Plain descent is traced in half the time of AdamW with averages (compact: 0.8 s against 1.4 s, November 2026).
        model.compile(keras.optimizers.SGD(), model.loss, jit_compile=model.jit_compile)
    seconds: dict[str, list[float]] = {policy: [] for policy in models}
    for step in range(_WARM_UP_STEPS + _MOST_STEPS):  # in turn, so that a change of load meets both
        for policy, model in models.items():
            start = time.perf_counter()
            model.train_on_batch(*batch)
            seconds[policy].append(time.perf_counter() - start)
        best = {policy: min(times[_WARM_UP_STEPS:], default=np.nan) for policy, times in seconds.items()}
        gain = best["float32"] / best["mixed_bfloat16"]
        is_clear = not _WORTHWHILE_GAIN / _CLEAR < gain < _WORTHWHILE_GAIN * _CLEAR
        if step + 1 >= _WARM_UP_STEPS + _LEAST_STEPS and is_clear:
            break
    rates = {policy: len(batch[0]) / least for policy, least in best.items()}
    return PrecisionChoice(policy="mixed_bfloat16" if gain >= _WORTHWHILE_GAIN else "float32", images_per_second=rates)


def computer() -> dict[str, Any]:
    """What a measured speed depends on besides the network and the versions of the libraries."""
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "devices": keras.distribution.list_devices(),
        "backend": keras.backend.backend(),
        "settings": {name: value for name, value in os.environ.items() if name.startswith(_SETTINGS)},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    return next((line for line in lines if line.startswith("model name")), platform.machine())
