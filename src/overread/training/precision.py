"""Which numeric precision trains faster on this machine: measured with the network itself, not looked up."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import keras
import numpy as np

_WARM_UP_STEPS, _TIMED_STEPS = 2, 4
# A smaller gain is within the noise of a busy machine, and float32 is the plainer choice.
_WORTHWHILE_GAIN = 1.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class PrecisionChoice:
    """The chosen Keras dtype policy and the images/s of each that was measured (none when the user chose)."""

    policy: str
    images_per_second: dict[str, float]

    def __str__(self) -> str:
        if not self.images_per_second:
            return f"{self.policy} (as asked)"
        measured = ", ".join(f"{policy} {rate:.0f}" for policy, rate in self.images_per_second.items())
        return f"{self.policy} (measured images/s of training steps: {measured})"


def choose_precision(
    build: Callable[[str], keras.Model], batch: tuple[np.ndarray, np.ndarray], *, asked: str = "auto"
) -> PrecisionChoice:
    """Time a few training steps in float32 and in mixed bfloat16, and take bfloat16 where it is a tenth faster.

    Args:
        build: makes a compiled network under a dtype policy; its weights are thrown away.
        batch: one batch of images and targets.
        asked: a policy that the user wants, which is then not measured, or `auto`.
    """
    if asked != "auto":
        return PrecisionChoice(policy=asked, images_per_second={})
    models = {policy: build(policy) for policy in ("float32", "mixed_bfloat16")}
    seconds: dict[str, list[float]] = {policy: [] for policy in models}
    for _ in range(_WARM_UP_STEPS + _TIMED_STEPS):  # in turn, so that a change of load meets both
        for policy, model in models.items():
            start = time.perf_counter()
            model.train_on_batch(*batch)
            seconds[policy].append(time.perf_counter() - start)
    rates = {policy: len(batch[0]) / min(times[_WARM_UP_STEPS:]) for policy, times in seconds.items()}
    faster = rates["mixed_bfloat16"] >= _WORTHWHILE_GAIN * rates["float32"]
    return PrecisionChoice(policy="mixed_bfloat16" if faster else "float32", images_per_second=rates)
