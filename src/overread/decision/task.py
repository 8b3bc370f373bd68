"""What is told apart."""

from __future__ import annotations

import numpy as np

from overread.decision.cuts import FloatArray, IntArray


def decide(probabilities: FloatArray, threshold: float | None) -> IntArray:
    """The class each case is called: by the threshold of two classes, else the most probable one."""
    if threshold is None:
        return probabilities.argmax(axis=1)
    return (probabilities[:, 1] >= threshold).astype(np.int64)
