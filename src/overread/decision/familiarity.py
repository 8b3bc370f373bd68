"""How unlike the training images an image is: Mahalanobis distances of what the network pools and of a coarse look.

Chosen on 13 kinds of corruption of validation images of chest_xray (noise, blank, inverted, turned, dim, cut up and so
on), by the share beyond the 99th percentile of validation (November 2026):

                                              compact, 160 px, trained    efficientnet-lite0, 224 px, of ImageNet
                                              on 4,096 images             on 1,024 images
    pooled features, Mahalanobis              .85, inverted .72           .83, inverted .46
    and with a mean for each class            .85, inverted .74           .82, inverted .43
    pooled features, k nearest                .72, inverted .34
    their directions, k nearest (Sun et al.)  .56, inverted .49
    the look, Mahalanobis                     .67, inverted .99           .65, inverted 1.00
    features and look in one distance         .92, inverted 1.00          .73, inverted .25
    the larger of two distances               .93, inverted 1.00          .85, inverted 1.00

(Contrast and roughness were not yet logarithms there.)

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

from overread.decision.cuts import FloatArray
from overread.errors import InvalidData

Floats = npt.NDArray[np.float32]
PROJECTED = 16
_COMPONENTS = 128
_PERCENTILE = 0.99
_GRID, _LOOKED_AT = 8, 64
LOOK = _GRID**2 + 3
_LEVEL = 1 / 255


def measure_traits(features: npt.ArrayLike, pixels: npt.NDArray[np.uint8]) -> Floats:
    """Give `(n, f + 67)` traits: the pooled features of n images, 8 x 8 grey levels, log contrast and roughness.

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
    # By their logarithms, so that an image without any is far from all that have some: blank images measured 4.0 times
    # the limit at least, against 1.07 without (compact, 224 px, November 2026).
    look = np.log(np.stack([grey.std(axis=(1, 2)), *rough], axis=1) + _LEVEL)
    return np.concatenate([np.asarray(features), means, look], axis=1).astype(np.float32)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Normal:
    """A normal distribution by its first principal components, and one variance for all other directions.

    Args:
        mean: `(t,)`.
        components: `(t, r)` principal components over their standard deviations, the largest first, r of 128 or fewer.
        rest: the variance in every other direction, above 0.

    Raises:
        InvalidData: the shapes do not fit, a component is nothing, or a value is not finite.
    """

    mean: Floats
    components: Floats
    rest: float

    def __post_init__(self) -> None:
        fits = self.components.ndim == 2 and self.mean.shape == self.components.shape[:1]
        finite = all(np.isfinite(values).all() for values in (self.mean, self.components, self.rest))
        if not (fits and finite and self.rest > 0 and self.components.any(axis=0).all()):
            raise InvalidData("what says which images are familiar does not fit together: train again")

    @classmethod
    def fit(cls, values: npt.ArrayLike) -> Normal:
        """Describe values, `(n, t)`, with the covariance shrunk as Ledoit and Wolf do, so that few are enough."""
        values = np.asarray(values, dtype=np.float64)
        mean = values.mean(axis=0)
        variances, axes = np.linalg.eigh(_shrunk_covariance(values - mean))
        variances, axes = variances[::-1], axes[:, ::-1]
        kept = min(_COMPONENTS, len(mean))
        return cls(
            mean=mean.astype(np.float32),
            components=(axes[:, :kept] / np.sqrt(variances[:kept])).astype(np.float32),
            rest=float(variances[kept:].mean()) if kept < len(mean) else 1.0,
        )

    @functools.cached_property
    def _variances(self) -> Floats:
        return np.asarray(1 / np.square(self.components).sum(axis=0))

    def measure(self, values: Floats) -> tuple[Floats, FloatArray]:
        """Give `(n, r)` whitened principal components and `(n,)` Mahalanobis distances from the mean."""
        centred = np.asarray(values - self.mean, dtype=np.float32)
        whitened = np.asarray(centred @ self.components, dtype=np.float32)
        squares = np.square(whitened)
        squared = np.asarray(squares.sum(axis=1), dtype=np.float64)
        if self.components.shape[1] < len(self.mean):
            every = np.einsum("ij,ij->i", centred, centred)
            squared += np.maximum(every - squares @ self._variances, 0) / self.rest
        return whitened, np.sqrt(squared)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Familiarity:
    """What images are like that the network knows.

    Args:
        features: of the pooled features of training images.
        look: of their look.
        limits: `(2,)` the 99th percentiles of the distances of validation images, in features and in look; above 0.

    Raises:
        InvalidData: the limits are not these, or the look is not that of an image.
    """

    features: Normal
    look: Normal
    limits: FloatArray

    def __post_init__(self) -> None:
        within = self.limits.shape == (2,) and np.isfinite(self.limits).all() and (self.limits > 0).all()
        if not (within and self.look.mean.shape == (LOOK,)):
            raise InvalidData("what says which images are familiar does not fit together: train again")

    @classmethod
    def fit(cls, train: npt.ArrayLike, validation: Floats) -> Familiarity:
        """Learn from training images, `(n, t)` as `measure_traits` gives them, and set the limits on validation images.

        Distances of training images would set limits too low, for the network was fitted to them, too.
        """
        train = np.asarray(train)
        parts = Normal.fit(train[:, :-LOOK]), Normal.fit(train[:, -LOOK:])
        found = cls(features=parts[0], look=parts[1], limits=np.ones(2))
        distances = np.stack([part.measure(values)[1] for part, values in found._parts(validation)])
        return dataclasses.replace(found, limits=np.array([limit_of(each) for each in distances]))

    def measure(self, traits: Floats) -> tuple[Floats, FloatArray]:
        """Give `(n, k)` whitened principal components of the features, k of up to 16, and `(n,)` distances.

        A distance is the larger of those in features and in look, each over its limit.
        """
        (whitened, features), (_, look) = [part.measure(values) for part, values in self._parts(traits)]
        return np.asarray(whitened[:, :PROJECTED]), np.maximum(features / self.limits[0], look / self.limits[1])

    def _parts(self, traits: Floats) -> tuple[tuple[Normal, Floats], tuple[Normal, Floats]]:
        return (self.features, traits[:, :-LOOK]), (self.look, traits[:, -LOOK:])


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
