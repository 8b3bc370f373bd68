"""The minimum of a smooth convex function of many numbers."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence

import numpy as np

from overread.decision.cuts import FloatArray


def minimise(
    function: Callable[[FloatArray], tuple[float, FloatArray]], start: FloatArray, *, steps: int = 200
) -> FloatArray:
    """The minimum of a smooth convex function of curvature about 1, by limited-memory BFGS.

    References:
        Nocedal J, Wright S. Numerical Optimization, 2nd ed., Springer 2006, algorithm 7.4.
    """
    at, (value, slope) = start, function(start)
    moves: collections.deque[tuple[FloatArray, FloatArray]] = collections.deque(maxlen=10)
    for _ in range(steps):
        if np.linalg.norm(slope) < 1e-3:
            break
        direction, length = -_in_newton_metric(slope, moves), 1.0
        expected = float(slope @ direction)
        while (found := function(at + length * direction))[0] > value + 1e-4 * length * expected and length > 1e-6:
            length /= 2
        move, change = length * direction, found[1] - slope
        if found[0] >= value:
            break
        at, (value, slope) = at + move, found
        if move @ change > 0:
            moves.append((move, change))
    return at


def _in_newton_metric(slope: FloatArray, moves: Sequence[tuple[FloatArray, FloatArray]]) -> FloatArray:
    """The slope times the inverse curvature that the last moves let guess."""
    result, factors = slope.copy(), []
    for move, change in reversed(moves):
        factors.append(float(move @ result) / float(move @ change))
        result -= factors[-1] * change
    if moves:
        move, change = moves[-1]
        result *= float(move @ change) / float(change @ change)
    for (move, change), factor in zip(moves, reversed(factors), strict=True):
        result += (factor - float(change @ result) / float(move @ change)) * move
    return result
