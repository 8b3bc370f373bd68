"""From logits to probabilities: the one place where sigmoid and softmax are applied."""

from __future__ import annotations

import numpy as np


def to_probabilities(logits: np.ndarray) -> np.ndarray:
    """Probabilities of each class, in float64.

    Args:
        logits: `(n, 1)` for two classes (of the second, positive one), `(n, classes)` for more.

    Returns:
        `(n, classes)` of rows that sum to 1; for two classes the columns are negative, positive.
    """
    logits = np.asarray(logits, dtype=np.float64)
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
