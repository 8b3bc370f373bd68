"""How logits become probabilities, as a bundle keeps it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.decision.cuts import FloatArray
from overread.decision.numbers import is_count, is_number, is_text
from overread.decision.task import Task
from overread.errors import InvalidData

CALIBRATION_METHODS = ("temperature", "isotonic", "beta", "none")
# A logit divided by less may be infinite.
_SMALLEST_TEMPERATURE = 1e-100
_SMALLEST_PROBABILITY = 1e-15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Calibration:
    """How logits become probabilities; `fit_calibration` makes it, and exactly the field of its method is filled.

    Args:
        method: one of `CALIBRATION_METHODS`; with "none" the probabilities are sigmoid or softmax of the logits.
        temperature: 1e-100 or more; the logits are divided by it.
        offset: added to the logits once they are divided, one number an output: the log of the shares of the classes,
            where a network learnt them as equal ones; None where nothing is added.
        beta: a, b (0 or more) and c of sigmoid(a ln p - b ln(1 - p) + c), p the sigmoid of the logit.
        isotonic: (logit, probability) points, rising; straight lines between them, level beyond them.
        each: of a task that answers several questions, how each logit is calibrated, in place of the above.
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
    each: tuple[Calibration, ...] | None = None
    n: int = 0
    note: str | None = None

    def __post_init__(self) -> None:
        filled = {name for name in ("temperature", "beta", "isotonic") if getattr(self, name) is not None}
        expected = {self.method} - {"none"} if self.each is None else set()
        if self.method not in CALIBRATION_METHODS or filled != expected:
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
        values = checked_logits(logits, task)
        if self.each is not None:
            pairs = zip(self.each, values.T, strict=True)
            return task.probabilities(np.stack([one._calibrated(column) for one, column in pairs], axis=1))
        if self.isotonic is None and self.beta is None:
            return task.probabilities(values / (self.temperature or 1.0) + np.array(self.offset or 0.0))
        if values.shape[1] != 1:
            raise InvalidData(f"{self.method} calibrates one logit a case, not {values.shape[1]}: fit a temperature")
        if self.beta is not None:
            a, b, c = self.beta
            return task.probabilities(beta_columns(values[:, 0]) @ np.array([[a], [b], [c]]))
        positive = self._interpolated(values[:, 0])
        return np.column_stack([1 - positive, positive])

    def _calibrated(self, logits: FloatArray) -> FloatArray:
        """`(n,)` logits of one question, such that their sigmoid is the calibrated probability of yes."""
        if self.beta is not None:
            return np.asarray(beta_columns(logits) @ np.array(self.beta))
        if self.isotonic is not None:
            positive = np.clip(self._interpolated(logits), _SMALLEST_PROBABILITY, 1 - _SMALLEST_PROBABILITY)
            return np.asarray(np.log(positive) - np.log1p(-positive))
        return np.asarray(logits / (self.temperature or 1.0) + (self.offset or (0.0,))[0])

    def _interpolated(self, logits: FloatArray) -> FloatArray:
        return np.interp(logits, *np.transpose(np.array(self.isotonic)))

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values, an offset, and how each logit is calibrated, only where there is one.

        So one without is written as before there were any, and an older bundle keeps its fingerprint.
        """
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        offset, each = fields.pop("offset"), fields.pop("each")
        return {
            **fields,
            **({} if offset is None else {"offset": list(offset)}),
            **({} if each is None else {"each": [one.to_dict() for one in each]}),
            "beta": None if self.beta is None else list(self.beta),
            "isotonic": None if self.isotonic is None else [list(point) for point in self.isotonic],
        }

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Calibration:
        """Rebuild what `to_dict` gave; the offset and each logit's own may be missing.

        Raises:
            InvalidData: a field is missing, unknown or outside its range.
        """
        try:
            offset, beta, isotonic, each = (fields.get(name) for name in ("offset", "beta", "isotonic", "each"))
            lists = {
                "offset": None if offset is None else tuple(offset),
                "beta": None if beta is None else tuple(beta),
                "isotonic": None if isotonic is None else tuple((logit, share) for logit, share in isotonic),
                "each": None if each is None else tuple(cls.from_dict(one) for one in each),
            }
            return cls(**{**fields, **lists})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InvalidData):
                raise
            raise InvalidData("the calibration has missing, unknown or damaged fields: fit it again") from None

    def require_outputs(self, outputs: int) -> None:
        """Refuse a calibration of a network with another number of logits.

        Raises:
            InvalidData: it is none for this many.
        """
        one = self.beta is not None or self.isotonic is not None
        expected = next((len(of_each) for of_each in (self.offset, self.each) if of_each is not None), outputs)
        if (one and outputs != 1) or expected != outputs:
            raise InvalidData(f"the {self.method} calibration is none of {outputs} logits: fit the calibration again")

    def _is_valid(self) -> bool:
        if not (is_count(self.n) and (self.note is None or is_text(self.note))):
            return False
        if self.offset is not None and (self.temperature is None or not all(map(is_number, self.offset))):
            return False
        if self.each is not None:
            return all(one.each is None and len(one.offset or (0.0,)) == 1 for one in self.each)
        if self.temperature is not None:
            return is_number(self.temperature, _SMALLEST_TEMPERATURE)
        if self.beta is not None:
            return len(self.beta) == 3 and all(map(is_number, self.beta)) and min(self.beta[:2]) >= 0
        if self.isotonic is not None:
            if not all(is_number(value) for point in self.isotonic for value in point):
                return False
            logits, probabilities = np.array(self.isotonic, dtype=np.float64).reshape(-1, 2).T
            rising = bool(np.all(np.diff(logits) > 0) and np.all(np.diff(probabilities) >= 0))
            return logits.size > 0 and rising and probabilities[0] >= 0 and probabilities[-1] <= 1
        return True


def beta_columns(logit: FloatArray) -> FloatArray:
    """Give ln p, -ln(1 - p) and 1 of each logit, so that no p rounds to 0 or 1."""
    return np.column_stack([-np.logaddexp(0, -logit), np.logaddexp(0, logit), np.ones_like(logit)])


def checked_logits(logits: npt.ArrayLike, task: Task) -> FloatArray:
    """Give logits as an array `(n, outputs)`, once they are found to be such.

    Raises:
        InvalidData: another shape, or a logit that is not finite.
    """
    values = np.asarray(logits, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != task.outputs:
        raise InvalidData(f"the logits have shape {values.shape}: give (n, {task.outputs})")
    if not np.isfinite(values).all():
        row = int(np.argmin(np.isfinite(values).all(axis=1)))
        raise InvalidData(f"row {row} (from 0) of the logits is {values[row]}: give finite logits")
    return values
