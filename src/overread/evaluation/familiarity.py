"""How unlike the training images an image is: a Mahalanobis distance of what the network pools and of a coarse look.

Chosen on 13 kinds of corruption of validation images of chest_xray (noise, blank, inverted, turned, dim, cut up and so
on; compact, 160 px, 4,096 training images, November 2026), by the share beyond the 99th percentile of validation:

    pooled features, Mahalanobis              .85, inverted .72; with a mean for each class the same
    pooled features, k nearest of 4,096       .72, inverted .34; of their directions, as Sun et al., .56
    the look alone                            .44
    both together, Mahalanobis                .91, inverted 1.00; with 128 components .92

Of 10 neighbours among 1,024 images, as much as a file can hold, it was .44 and less.

References:
    Lee K et al. A Simple Unified Framework for Detecting Out-of-Distribution Samples. NeurIPS 2018. arXiv:1807.03888
    Sun Y et al. Out-of-Distribution Detection with Deep Nearest Neighbors. ICML 2022. arXiv:2204.06507
    Ledoit O, Wolf M. J Multivar Anal 2004;88:365-411. doi:10.1016/S0047-259X(03)00096-4
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import numpy.typing as npt

from overread.errors import InvalidData
from overread.evaluation.curves import FloatArray

Floats = npt.NDArray[np.float32]
PROJECTED = 16
_COMPONENTS = 128
_PERCENTILE = 0.99
_GRID, _LOOKED_AT = 8, 64


def describe(features: npt.ArrayLike, pixels: npt.NDArray[np.uint8]) -> Floats:
    """Give `(n, f + 67)` traits: the pooled features of n images, 8 x 8 grey levels, contrast and roughness each way.

    A network pools what tells its classes apart, and an inverted radiograph may have the features of an upright one.

    Args:
        features: `(n, f)`.
        pixels: `(n, height, width, channels)` uint8, of 8 x 8 or more, as the network saw them.
    """
    # Every pixel of 224 x 224 would take 0.4 ms an image, and in colour 1.2 ms, against 0.05 (November 2026).
    every = max(1, min(pixels.shape[1:3]) // _LOOKED_AT)
    grey = pixels[:, ::every, ::every, pixels.shape[3] // 2].astype(np.float32) / 255
    down, across = map(_averaging, grey.shape[1:])
    means = (down @ grey @ across.T).reshape(len(grey), -1)
    steps = (grey[:, 1:] - grey[:, :-1], grey[:, :, 1:] - grey[:, :, :-1])
    rough = [np.abs(step).mean(axis=(1, 2)) for step in steps]
    look = np.stack([grey.std(axis=(1, 2)), *rough], axis=1)
    return np.concatenate([np.asarray(features), means, look], axis=1).astype(np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Familiarity:
    """A normal distribution of traits, as `describe` gives them, by principal components and one variance for the rest.

    Args:
        mean: `(t,)` of the training images.
        scale: `(t,)` their standard deviations, those near 0 raised; above 0.
        components: `(t, r)` principal components of the scaled traits, each over its standard deviation, the largest
            first, r of 128 or fewer.
        rest: the variance in every other direction, above 0.

    Raises:
        InvalidData: the shapes do not fit, or a deviation is not above 0.
    """

    mean: Floats
    scale: Floats
    components: Floats
    rest: float

    def __post_init__(self) -> None:
        fits = self.mean.ndim == 1 and self.scale.shape == self.mean.shape == self.components.shape[:-1]
        if not (fits and (self.scale > 0).all() and self.rest > 0 and np.isfinite(self.components).all()):
            raise InvalidData("the traits of familiar images do not fit together: train again")

    @classmethod
    def fit(cls, traits: npt.ArrayLike) -> Familiarity:
        """Describe the training images, with the covariance shrunk as Ledoit and Wolf do, so that few are enough.

        Args:
            traits: `(n, t)`, n of 1 or more; constant ones are allowed.
        """
        traits = np.asarray(traits, dtype=np.float64)
        mean, deviations = traits.mean(axis=0), traits.std(axis=0)
        scale = np.maximum(deviations, 1e-3 * deviations.mean())
        scale[scale == 0] = 1
        variances, axes = np.linalg.eigh(_shrunk_covariance((traits - mean) / scale))
        variances, axes = variances[::-1], axes[:, ::-1]
        kept = min(_COMPONENTS, len(mean))
        return cls(
            mean=mean.astype(np.float32),
            scale=scale.astype(np.float32),
            components=(axes[:, :kept] / np.sqrt(variances[:kept])).astype(np.float32),
            rest=float(variances[kept:].mean()) if kept < len(mean) else 1.0,
        )

    @functools.cached_property
    def _variances(self) -> Floats:
        return np.asarray(1 / np.square(self.components).sum(axis=0))

    def measure(self, traits: Floats) -> tuple[Floats, FloatArray]:
        """Give `(n, k)` whitened principal components, k of up to 16, and `(n,)` distances from the training images."""
        scaled = np.asarray((traits - self.mean) / self.scale, dtype=np.float32)
        whitened: Floats = scaled @ self.components
        squared = np.square(whitened)
        inside, every = squared @ self._variances, np.einsum("ij,ij->i", scaled, scaled)
        squared = squared.sum(axis=1)
        if self.components.shape[1] < len(self.mean):
            squared += np.maximum(every - inside, 0) / self.rest
        return np.asarray(whitened[:, :PROJECTED]), np.sqrt(np.asarray(squared, dtype=np.float64) / len(self.mean))


@functools.cache
def _averaging(size: int) -> Floats:
    """`(8, size)`, which takes the means of 8 stretches along an axis."""
    sizes = np.diff(np.arange(_GRID + 1) * size // _GRID)
    stretch = np.repeat(np.arange(_GRID), sizes)
    return np.asarray((stretch == np.arange(_GRID)[:, None]) / sizes[:, None], dtype=np.float32)


def limit_of(distances: FloatArray) -> float:
    """The 99th percentile of distances of images that are no training images; the largest where there are under 100."""
    return max(float(np.quantile(distances, _PERCENTILE, method="higher")), 1e-9)


def _shrunk_covariance(centred: FloatArray) -> FloatArray:
    n, t = centred.shape
    sample = centred.T @ centred / n
    mean = float(np.trace(sample)) / t or 1.0
    target = mean * np.eye(t)
    distance = float(np.square(sample - target).sum())
    error = float((np.square(centred).T @ np.square(centred) / n - np.square(sample)).sum()) / n
    # Never all of the sample: a direction without any variance would make every image unfamiliar.
    share = float(np.clip(error / distance if distance else 1.0, 1e-4, 1.0))
    return np.asarray(share * target + (1 - share) * sample)
