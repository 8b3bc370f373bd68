"""What a network made of images that it was not fitted to: the measure for what is unfamiliar, and for drift."""

from __future__ import annotations

import dataclasses
import io
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from overread.decision import Familiarity, Normal, Referral, Task, choose_referral, limit_of
from overread.decision.cuts import FloatArray, IntArray
from overread.decision.familiarity import PROJECTED
from overread.errors import InvalidBundle, InvalidData
from overread.machine.content.arrays import read_arrays


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """The `reference.npz` of one network; `Bundle.references` reads it.

    Args:
        familiarity: fitted on training images.
        projections: `(n, k)` whitened principal components of the pooled features of validation images.
        distances: `(n,)` of the same images, as `familiarity` measures them.
        labels: the truth, `(m,)` or as the task has it, of the images that set the thresholds of `Bundle.referral`:
            validation, too, or in an ensemble the fold that this network was not trained on (none for networks of
            further seeds).
        scores: `(m, classes)` their calibrated probabilities, in an ensemble the mean over the seeds.

    Raises:
        InvalidData: the shapes do not fit, there is no validation image, or a value is not finite.
    """

    familiarity: Familiarity
    projections: npt.NDArray[np.float32]
    distances: FloatArray
    labels: IntArray
    scores: FloatArray

    def __post_init__(self) -> None:
        k = min(PROJECTED, self.familiarity.features.components.shape[1])
        fits = self.distances.ndim == 1 and self.projections.shape == (len(self.distances), k)
        finite = np.isfinite(self.projections).all() and np.isfinite(self.distances).all()
        if not (fits and finite and self.distances.size and self.distances.min() >= 0):
            raise InvalidData("what the network made of validation images does not fit together: train again")

    @classmethod
    def of(
        cls, familiarity: Familiarity, traits: npt.NDArray[np.float32], labels: IntArray, scores: FloatArray
    ) -> Reference:
        """Measure the traits, `(n, t)`, of validation images."""
        projections, distances = familiarity.measure(traits)
        return cls(familiarity=familiarity, projections=projections, distances=distances, labels=labels, scores=scores)

    @property
    def limit(self) -> float:
        """The distance above which an image is unfamiliar."""
        return limit_of(self.distances)

    def to_bytes(self) -> bytes:
        """The content of the file; the same for the same values."""
        arrays = {name: getattr(self, name) for name in _OWN}
        for part, name in itertools.product(_PARTS, _OF_NORMAL):
            arrays[f"{part}_{name}"] = np.asarray(getattr(getattr(self.familiarity, part), name))
        arrays["limits"] = self.familiarity.limits
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **arrays)
        return content.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, task: Task) -> Reference:
        """Rebuild what `to_bytes` gave; nothing is unpickled.

        Args:
            content: of the file.
            task: of the labels and scores.

        Raises:
            InvalidBundle: it is no such file.
        """
        try:
            arrays = read_arrays(content)
            if any(array.dtype.kind != "f" for name, array in arrays.items() if name != "labels"):
                raise InvalidData("values of another type")
            parts = {
                part: Normal(
                    mean=arrays[f"{part}_mean"],
                    components=arrays[f"{part}_components"],
                    rest=float(arrays[f"{part}_rest"]),
                )
                for part in _PARTS
            }
            familiarity = Familiarity(**parts, limits=arrays["limits"])
            found = cls(familiarity=familiarity, **{name: arrays[name] for name in _OWN})
            task.checked_cases(found.labels, len(found.scores))
            task.checked_probabilities(found.scores)
            return found
        except (KeyError, TypeError, ValueError):
            raise InvalidBundle(
                "the reference of the bundle is damaged: get the bundle again from its source"
            ) from None


def referral_from(references: Sequence[Reference], task: Task, coverage: float) -> Referral:
    """Choose the thresholds of prediction sets on the labelled images of all references."""
    labels = np.concatenate([found.labels for found in references])
    scores = np.concatenate([found.scores for found in references])
    return choose_referral(labels, scores, task=task, coverage=coverage)


_OWN = ("projections", "distances", "labels", "scores")
_PARTS = ("features", "look")
_OF_NORMAL = ("mean", "components", "rest")
