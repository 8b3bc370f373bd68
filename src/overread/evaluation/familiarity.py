"""How unlike the training images an image is, by the features that the network pools from it.

References:
    Lee K et al. A Simple Unified Framework for Detecting Out-of-Distribution Samples. NeurIPS 2018. arXiv:1807.03888
    Sun Y et al. Out-of-Distribution Detection with Deep Nearest Neighbors. ICML 2022. arXiv:2204.06507
"""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from overread.evaluation.curves import FloatArray

PROJECTED = 16
_COMPONENTS = 64
_PERCENTILE = 0.99


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Familiarity:
    """A normal distribution of pooled features, by its first principal components and one variance for the rest.

    Args:
        mean: `(f,)` of the training images.
        components: `(f, r)` principal components over their standard deviations, the largest first.
        rest: the standard deviation in every other direction, above 0.
    """

    mean: npt.NDArray[np.float32]
    components: npt.NDArray[np.float32]
    rest: float

    @classmethod
    def fit(cls, features: npt.ArrayLike) -> Familiarity:
        """Describe the features of training images.

        Args:
            features: `(n, f)`, n of 1 or more; constant ones are allowed.
        """
        features = np.asarray(features, dtype=np.float64)
        n, f = features.shape
        mean = features.mean(axis=0)
        _, singular, axes = np.linalg.svd(features - mean, full_matrices=False)
        variances = np.square(singular) / max(1, n - 1)
        floor = max(float(variances.sum()) / f * 1e-3, 1e-12)
        r = min(_COMPONENTS, f, max(1, n // 4))
        rest = max(float(variances[r:].sum()) / max(1, f - r), floor)
        deviations = np.sqrt(np.maximum(variances[:r], rest))
        return cls(
            mean=mean.astype(np.float32), components=(axes[:r].T / deviations).astype(np.float32), rest=rest**0.5
        )

    def measure(self, features: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], FloatArray]:
        """Give `(n, k)` whitened principal components, k of up to 16, and `(n,)` distances from the training images."""
        centred = np.asarray(features - self.mean, dtype=np.float32)
        projected = centred @ self.components
        squared = np.square(centred).sum(axis=1)
        inside = np.square(projected) @ (1 / np.square(self.components).sum(axis=0))
        distances = np.square(projected).sum(axis=1) + np.maximum(squared - inside, 0) / self.rest**2
        return np.asarray(projected[:, :PROJECTED], dtype=np.float32), np.sqrt(distances / len(self.mean))


def limit_of(distances: FloatArray) -> float:
    """The 99th percentile of distances of images that are no training images; the largest where there are under 100."""
    return max(float(np.quantile(distances, _PERCENTILE, method="higher")), 1e-12)
