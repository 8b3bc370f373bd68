"""Fit a calibration on validation data, never on test data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from overread.decision.calibrating.temperature import SEPARATED, fit_temperature, fit_temperature_and_offset, smoothed
from overread.decision.calibration import CALIBRATION_METHODS, Calibration, beta_columns, checked_logits
from overread.decision.cuts import FloatArray, IntArray
from overread.decision.logistic import fit_logistic
from overread.decision.task import Choice, Task
from overread.errors import InvalidData, InvalidOption
from overread.words import listed

# Below this, isotonic steps tend to follow noise (Niculescu-Mizil and Caruana 2005, figure 3).
ENOUGH_FOR_ISOTONIC = 1000


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
        shares: `Task.shares` of the cases that a network learnt from, weighed by `Task.loss_weights`; None
            where no class was weighed. The temperature then comes with an offset that leads back to them, from which
            few cases move it little. The other methods find the way back by themselves.

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
    values = checked_logits(logits, task)
    if len(values) == 0:
        raise InvalidData("there is no case to calibrate on: give labels and logits of one case or more")
    expected = None if method != "temperature" or shares is None else task.share_logits(shares)
    alike = "answer it alike" if task.questions else "are of one class"
    fitted = [
        _fit_choice(choice, method, None if expected is None else expected[choice.outputs], alike)
        for choice in task.choices(task.checked_cases(y_true, len(values)), values)
    ]
    if len(fitted) == 1:
        return fitted[0]
    return Calibration(method=method, each=tuple(fitted), n=len(values), note=_notes(fitted, task))


def check_calibration_method(method: str, task: Task | None = None) -> None:
    """Refuse an unknown method, or one that the task has too many logits for, before hours of training lead up to it.

    Raises:
        InvalidOption: it is none of `CALIBRATION_METHODS`, or calibrates a single logit and the task has several.
    """
    if method not in CALIBRATION_METHODS:
        raise InvalidOption(f"calibration {method!r} is unknown: use one of {', '.join(CALIBRATION_METHODS)}")
    if task is not None and task.activation == "softmax" and method in _OF_ONE_LOGIT:
        raise InvalidOption(f"{method} calibrates two classes and the data hold {len(task.classes)}: use temperature")


def _fit_choice(choice: Choice, method: str, expected: FloatArray | None, alike: str) -> Calibration:
    chosen, scores = choice.truth, choice.scores
    if method != "none" and np.all(chosen == chosen[:1]):
        note = f"All {len(chosen)} validation cases {alike}, so no {method} calibration could be fitted."
        return Calibration(method="none", n=len(chosen), note=note)
    if expected is None:
        return dataclasses.replace(_FIT[method](chosen, scores), n=len(chosen))
    return fit_temperature_and_offset(chosen, scores, effect=choice.effect, expected=expected)


def _notes(fitted: Sequence[Calibration], task: Task) -> str | None:
    """What is to be said of the questions that are calibrated each by itself; alike of several at once."""
    names: dict[str, list[str]] = {}
    for name, one in zip(task.output_names, fitted, strict=True):
        if one.note is not None:
            names.setdefault(one.note, []).append(name)
    return " ".join(f"{listed(found)}: {note}" for note, found in names.items()) or None


def _fit_none(labels: IntArray, scores: FloatArray) -> Calibration:
    return Calibration(method="none", n=labels.size)


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
    target = smoothed(labels, 2)[:, 1] if separated else labels.astype(np.float64)
    columns = beta_columns(logit)
    a, b, c = fit_logistic(columns, target)
    if a < 0:
        a, (b, c) = 0.0, fit_logistic(columns[:, 1:], target)
    elif b < 0:
        b, (a, c) = 0.0, fit_logistic(columns[:, ::2], target)
    note = SEPARATED if separated else None
    if min(a, b) < 0:
        a, b, c = 0.0, 0.0, math.log(target.mean() / (1 - target.mean()))
        note = "The logits rank validation cases no better than chance, so every case gets the share of positive ones."
    return Calibration(method="beta", beta=(float(a), float(b), float(c)), n=n, note=note)


_OF_ONE_LOGIT = ("isotonic", "beta")
_FIT: dict[str, Callable[[IntArray, FloatArray], Calibration]] = {
    "temperature": fit_temperature,
    "isotonic": _fit_isotonic,
    "beta": _fit_beta,
    "none": _fit_none,
}
