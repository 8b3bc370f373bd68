"""From what a network says of each frame of an exam to what it says of the exam.

The logits of an exam are the sum of those of its frames, each by its share; the shares sum to 1. So the share times the
logit of a frame is what it gave to the answer, exactly.

References:
    Ilse M et al. Attention-based Deep Multiple Instance Learning. ICML 2018. arXiv:1802.04712
"""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData
from overread.machine.content.arrays import read_arrays

Floats = npt.NDArray[np.float32]
_NAMES = ("tanh", "gate", "tanh_bias", "gate_bias", "weights")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Attention:
    """Gated attention: which frames matter, told from their features.

    Args:
        tanh, gate: `(features, hidden)`.
        tanh_bias, gate_bias: `(hidden,)`.
        weights: `(hidden,)`.

    Raises:
        InvalidData: the shapes do not fit, or a value is not finite.
    """

    tanh: Floats
    gate: Floats
    tanh_bias: Floats
    gate_bias: Floats
    weights: Floats

    def __post_init__(self) -> None:
        hidden = self.weights.shape
        fits = self.tanh.ndim == 2 and self.tanh.shape == self.gate.shape and self.tanh.shape[1:] == hidden
        fits = fits and self.tanh_bias.shape == self.gate_bias.shape == hidden
        if not (fits and all(np.isfinite(getattr(self, name)).all() for name in _NAMES)):
            raise InvalidData("what says which frames matter does not fit together: train again")

    def scores(self, features: Floats) -> npt.NDArray[np.float64]:
        """`(n,)` of n frames with `(n, features)`; the shares of an exam are their softmax."""
        gate = 1 / (1 + np.exp(-np.clip(features @ self.gate + self.gate_bias, -60, 60)))
        return np.asarray((np.tanh(features @ self.tanh + self.tanh_bias) * gate) @ self.weights, dtype=np.float64)

    def to_bytes(self) -> bytes:
        """The content of a file; the same for the same values."""
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **{name: getattr(self, name) for name in _NAMES})
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Attention:
        """Rebuild what `to_bytes` gave.

        Raises:
            InvalidData, ValueError, KeyError: it is nothing that `to_bytes` gives.
        """
        arrays = read_arrays(content)
        return cls(**{name: np.asarray(arrays[name], dtype=np.float32) for name in _NAMES})


def shares_of(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`(n,)` shares of the n frames of one exam, which sum to 1, of their scores; of equal scores equal ones."""
    exponentials = np.exp(np.asarray(scores, dtype=np.float64) - np.max(scores))
    return np.asarray(exponentials / exponentials.sum())
