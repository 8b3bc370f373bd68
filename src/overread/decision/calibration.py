"""Probabilities that mean what they say: a map from logits, fitted on validation data and never on test data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray, IntArray
from overread.decision.logistic import fit_logistic
from overread.decision.probability import to_probabilities
from overread.decision.task import Task
from overread.errors import InvalidData, InvalidOption

CALIBRATION_METHODS = ("temperature", "isotonic", "beta", "none")
SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE = 0.05, 20.0
# Below this, isotonic steps tend to follow noise (Niculescu-Mizil and Caruana 2005, figure 3).
ENOUGH_FOR_ISOTONIC = 1000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """How logits become probabilities; `fit_calibration` makes it, and exactly the field of its method is filled.

    Args:
        method: one of `CALIBRATION_METHODS`; with "none" the probabilities are sigmoid or softmax of the logits.
        temperature: above 0; the logits are divided by it.
        offset: added to the logits once they are divided, one number an output: the log of the shares of the classes,
            where a network learnt them as equal ones; None where nothing is added.
        beta: a, b (0 or more) and c of sigmoid(a ln p - b ln(1 - p) + c), p the sigmoid of the logit.
        isotonic: (logit, probability) points, rising; straight lines between them, level beyond them.
        n: the number of cases it was fitted on.
        note: a sentence where the fit was limited by its cases, so that a reader of the report sees it.

    Raises:
        InvalidData: an unknown method, or fields that are not those of the method.
    """

    method: str
    temperature: float | None = None
    offset: tuple[float, ...] | None = None
    beta: tuple[float, float, float] | None = None
    isotonic: tuple[tuple[float, float], ...] | None = None
    n: int = 0
    note: str | None = None

    def __post_init__(self) -> None:
        filled = {name for name in ("temperature", "beta", "isotonic") if getattr(self, name) is not None}
        if self.method not in CALIBRATION_METHODS or filled != {self.method} - {"none"}:
            raise InvalidData(f"calibration {self.method!r} has the fields {sorted(filled)}: fit the calibration again")
        if not self._is_valid():
            raise InvalidData(f"the {self.method} calibration holds impossible numbers: fit the calibration again")

    def apply(self, logits: npt.ArrayLike, task: Task) -> FloatArray:
        """Give the calibrated probabilities, in float64.

        Args:
            logits: `(n, outputs)`; n may be 0.
            task: what is told apart, which makes probabilities of the logits.

        Returns:
            `(n, classes)`. Temperature keeps the order of the cases, and without an offset the most probable class
            (as far as float64 tells probabilities near 1 apart); isotonic and beta may tie cases, never swap them.

        Raises:
            InvalidData: another shape, a logit that is not finite, or several logits for a method of one.
        """
        values = _checked_logits(logits, task)
        if self.isotonic is None and self.beta is None:
            return task.probabilities(values / (self.temperature or 1.0) + np.array(self.offset or 0.0))
        if values.shape[1] != 1:
            raise InvalidData(f"{self.method} calibrates one logit a case, not {values.shape[1]}: fit a temperature")
        if self.beta is not None:
            a, b, c = self.beta
            return task.probabilities(_beta_columns(values[:, 0]) @ np.array([[a], [b], [c]]))
        positive = np.interp(values[:, 0], *np.transpose(np.array(self.isotonic)))
        return np.column_stack([1 - positive, positive])

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return {
            **dataclasses.asdict(self),
            "offset": None if self.offset is None else list(self.offset),
            "beta": None if self.beta is None else list(self.beta),
            "isotonic": None if self.isotonic is None else [list(point) for point in self.isotonic],
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Calibration:
        """Rebuild what `to_dict` gave; the offset may be missing.

        Raises:
            InvalidData: a field is missing, unknown or outside its range.
        """
        try:
            offset, beta, isotonic = fields.get("offset"), fields["beta"], fields["isotonic"]
            lists = {
                "offset": None if offset is None else tuple(offset),
                "beta": None if beta is None else tuple(beta),
                "isotonic": None if isotonic is None else tuple((logit, share) for logit, share in isotonic),
            }
            return cls(**{**fields, **lists})
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, InvalidData):
                raise
            raise InvalidData("the calibration has missing, unknown or damaged fields: fit it again") from None

    def _is_valid(self) -> bool:
        if self.offset is not None and (self.temperature is None or not all(map(math.isfinite, self.offset))):
            return False
        if self.temperature is not None:
            return 0 < self.temperature < math.inf
        if self.beta is not None:
            return len(self.beta) == 3 and all(map(math.isfinite, self.beta)) and min(self.beta[:2]) >= 0
        if self.isotonic is not None:
            logits, probabilities = np.array(self.isotonic, dtype=np.float64).reshape(-1, 2).T
            rising = bool(np.all(np.diff(logits) > 0) and np.all(np.diff(probabilities) >= 0))
            return logits.size > 0 and rising and probabilities[0] >= 0 and probabilities[-1] <= 1
        return True


def fit_calibration(
    y_true: npt.ArrayLike,
    logits: npt.ArrayLike,
    *,
    task: Task,
    method: str = "temperature",
    shares: npt.ArrayLike | None = None,
) -> Calibration:
    """Fit a calibration on validation cases, by greatest likelihood (temperature, beta) or least squares (isotonic).

    Cases that leave no best fit are met as follows, and the note says so. One class only: method "none". Classes that
    the logits separate without error, where the best probabilities would be 0 and 1: the labels count as Laplace's
    rule has them, with two classes (n + 1) / (n + 2) of its n cases for the true class, as Platt did. A temperature
    stays within 0.05 and 20, an isotonic probability within 1 / (n + 2) and (n + 1) / (n + 2). Beta logits that rank
    no better than chance: the share of positive cases for every case.

    Args:
        y_true: `(n,)` integers, the index of the true class, or what else the task has as truth.
        logits: `(n, outputs)`, finite.
        task: what is told apart.
        method: "temperature" for any number of logits; "isotonic" and "beta" for one; "none".
        shares: `(K,)` of each class among the cases that a network learnt from while all classes counted alike; the
            temperature then comes with the offset that leads back to them. None where no class was weighed.

    Raises:
        InvalidOption: an unknown method, or one for a single logit where there are several.
        InvalidData: no case, shapes that differ, a label out of range, a share of 0 or a logit that is not finite.

    Example:
        >>> from overread.decision import Task
        >>> found = fit_calibration([0, 1, 1, 1], [[3.0], [3.0], [3.0], [3.0]], task=Task.of(("no", "yes")))
        >>> round(found.temperature, 3)
        2.731

    References:
        Guo C et al. Proc. ICML 2017;70:1321-1330 (temperature). arXiv:1706.04599
        Zadrozny B, Elkan C. Proc. KDD 2002:694-699 (isotonic). doi:10.1145/775047.775151
        Kull M, Silva Filho TM, Flach P. Electron J Stat 2017;11:5052-5080 (beta). doi:10.1214/17-EJS1338SI
        Platt J. In: Advances in Large Margin Classifiers, MIT Press 1999:61-74 (smoothed labels).
        Niculescu-Mizil A, Caruana R. Proc. ICML 2005:625-632. doi:10.1145/1102351.1102430
    """
    check_calibration_method(method, task)
    values = _checked_logits(logits, task)
    if len(values) == 0:
        raise InvalidData("there is no case to calibrate on: give labels and logits of one case or more")
    chosen, scores = task.choices(task.checked_cases(y_true, len(values)), values)
    if method != "none" and np.all(chosen == chosen[0]):
        note = f"All {len(values)} validation cases are of one class, so no {method} calibration could be fitted."
        return Calibration(method="none", n=len(values), note=note)
    if method != "temperature" or shares is None:
        return dataclasses.replace(_FIT[method](chosen, scores), n=len(values))
    offset = _offset_of(shares, task)
    _, added = task.choices(y_true, np.tile(offset, (len(values), 1)))
    return dataclasses.replace(_fit_temperature(chosen, scores, added), offset=tuple(offset.tolist()), n=len(values))


def check_calibration_method(method: str, task: Task | None = None) -> None:
    """Refuse an unknown method, or one that the task has too many logits for, before hours of training lead up to it.

    Raises:
        InvalidOption: it is none of `CALIBRATION_METHODS`, or calibrates a single logit and the task has several.
    """
    if method not in CALIBRATION_METHODS:
        raise InvalidOption(f"calibration {method!r} is unknown: use one of {', '.join(CALIBRATION_METHODS)}")
    if task is not None and task.outputs > 1 and method in _OF_ONE_LOGIT:
        raise InvalidOption(f"{method} calibrates two classes and the data hold {len(task.classes)}: use temperature")


def _fit_none(labels: IntArray, scores: FloatArray) -> Calibration:
    return Calibration(method="none", n=labels.size)


def _fit_temperature(labels: IntArray, scores: FloatArray, added: FloatArray | float = 0.0) -> Calibration:
    rows = np.arange(labels.size)
    others = scores.copy()
    others[rows, labels] = -np.inf
    margin = scores[rows, labels] - others.max(axis=1)
    separated = bool(margin.min() >= 0 and margin.max() > 0)
    target = _smoothed(labels, scores.shape[1]) if separated else np.eye(scores.shape[1])[labels]
    temperature = 1 / _best_factor(scores, target, added)
    note = _SEPARATED if separated else None
    if temperature in (SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE):
        side = "below" if temperature < 1 else "above"
        note = f"The best temperature lies {side} {temperature:g}, and it was held there."
    return Calibration(method="temperature", temperature=temperature, n=labels.size, note=note)


def _best_factor(scores: FloatArray, target: FloatArray, added: FloatArray | float) -> float:
    """The factor of the scores (1 / temperature) of greatest likelihood; its loss is convex, so Newton is safe."""

    def slope(factor: float) -> tuple[float, float]:
        probability = to_probabilities(factor * scores + added)
        mean = (probability * scores).sum(axis=1)
        curvature = (probability * np.square(scores - mean[:, None])).sum()
        return float(mean.sum() - (target * scores).sum()), float(curvature)

    low, high, factor = 1 / LARGEST_TEMPERATURE, 1 / SMALLEST_TEMPERATURE, 1.0
    if slope(low)[0] > 0:
        return low
    if slope(high)[0] < 0:
        return high
    for _ in range(100):
        gradient, curvature = slope(factor)
        low, high = (low, factor) if gradient > 0 else (factor, high)
        newton = factor - gradient / curvature if curvature > 0 else factor
        # A converged or flat step may land on the bracket itself; only one beyond it is replaced by bisection.
        following = newton if low <= newton <= high else (low + high) / 2
        if abs(following - factor) <= 1e-12 * factor:
            break
        factor = following
    return factor


def _fit_isotonic(labels: IntArray, scores: FloatArray) -> Calibration:
    distinct, group = np.unique(scores[:, 1], return_inverse=True)
    blocks: list[tuple[int, int, int]] = []
    for row, (positive, cases) in enumerate(zip(np.bincount(group, labels), np.bincount(group), strict=True)):
        block = (int(positive), int(cases), row)
        # Pool adjacent violators; whole numbers, so that equal shares are told from rising ones exactly.
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2])
        blocks.append(block)
    n = labels.size
    ends = [block[2] - 1 for block in blocks[1:]] + [distinct.size - 1]
    points: dict[float, float] = {}
    for (positive, cases, start), end in zip(blocks, ends, strict=True):
        share = min(max(positive / cases, 1 / (n + 2)), (n + 1) / (n + 2))
        points |= {float(distinct[start]): share, float(distinct[end]): share}
    few = f"Fitted on {n} cases; isotonic steps follow noise below about {ENOUGH_FOR_ISOTONIC}: consider temperature."
    note = few if n < ENOUGH_FOR_ISOTONIC else None
    return Calibration(method="isotonic", isotonic=tuple(points.items()), n=n, note=note)


def _fit_beta(labels: IntArray, scores: FloatArray) -> Calibration:
    logit, n = scores[:, 1], labels.size
    separated = bool(logit[labels == 0].max() <= logit[labels == 1].min())
    target = _smoothed(labels, 2)[:, 1] if separated else labels.astype(np.float64)
    columns = _beta_columns(logit)
    a, b, c = fit_logistic(columns, target)
    if a < 0:
        a, (b, c) = 0.0, fit_logistic(columns[:, 1:], target)
    elif b < 0:
        b, (a, c) = 0.0, fit_logistic(columns[:, ::2], target)
    note = _SEPARATED if separated else None
    if min(a, b) < 0:
        a, b, c = 0.0, 0.0, math.log(target.mean() / (1 - target.mean()))
        note = "The logits rank validation cases no better than chance, so every case gets the share of positive ones."
    return Calibration(method="beta", beta=(float(a), float(b), float(c)), n=n, note=note)


def _beta_columns(logit: FloatArray) -> FloatArray:
    """ln p, -ln(1 - p) and 1, from the logit, so that no p rounds to 0 or 1."""
    return np.column_stack([-np.logaddexp(0, -logit), np.logaddexp(0, logit), np.ones_like(logit)])


def _smoothed(labels: IntArray, n_classes: int) -> FloatArray:
    counts = np.bincount(labels, minlength=n_classes)
    return ((np.eye(n_classes) * counts[:, None] + 1) / (counts[:, None] + n_classes))[labels]


def _offset_of(shares: npt.ArrayLike, task: Task) -> FloatArray:
    values = np.asarray(shares, dtype=np.float64)
    if values.shape != (len(task.classes),) or not np.all((values > 0) & (values <= 1)):
        expected = f"give one for each of the {len(task.classes)} classes, above 0 and at most 1"
        raise InvalidData(f"the shares of the classes are {values.tolist()}: {expected}")
    return task.share_logits(values)


def _checked_logits(logits: npt.ArrayLike, task: Task) -> FloatArray:
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != task.outputs:
        raise InvalidData(f"the logits have shape {values.shape}: give (n, {task.outputs})")
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise InvalidData(f"row {row} (from 0) of the logits is {values[row]}: give finite logits")
    return values


_OF_ONE_LOGIT = ("isotonic", "beta")
_SEPARATED = "The logits separate the validation classes without error, so smoothed labels were fitted in their place."
_FIT: dict[str, Callable[[IntArray, FloatArray], Calibration]] = {
    "temperature": _fit_temperature,
    "isotonic": _fit_isotonic,
    "beta": _fit_beta,
    "none": _fit_none,
}
