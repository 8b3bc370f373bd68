"""Classifiers that tell a class from one property of the images, learnt on some cases and tried on others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from overread.auditing.rules.shortcuts.properties import Property
from overread.decision import BoolArray
from overread.decision.cuts import FloatArray, IntArray
from overread.evaluation import roc_auc

# Takes the rows to learn from and the rows to try, and gives the scores of the latter.
Classifier = Callable[[IntArray, IntArray], FloatArray]
_RIDGE = 0.03


def classifiers_for(subject: Property, is_label: BoolArray, levels: IntArray) -> list[Classifier]:
    """The classifiers that suit a property, the simplest first.

    Args:
        subject: the property.
        is_label: `(n,)` which cases are of the class.
        levels: `(n,)` of each case, see `levels_of`.
    """
    if subject.values.ndim == 2:
        return [_ridge_classifier(subject.values, is_label)]
    by_level = _rate_classifier(levels, is_label)
    return [by_level] if subject.categories else [_direction_classifier(subject.values, is_label), by_level]


def _direction_classifier(values: FloatArray, is_label: BoolArray) -> Classifier:
    """Higher, or lower, values for the class: what it learns is which."""

    def scores(learnt: IntArray, tried: IntArray) -> FloatArray:
        rises = roc_auc(is_label[learnt], values[learnt]) >= 0.5
        return values[tried] if rises else -values[tried]

    return scores


def _rate_classifier(levels: IntArray, is_label: BoolArray) -> Classifier:
    """The rate of the class at each level, both classes weighing alike and one more case of each added.

    A level that was not met gives 1/2 whatever the class mix, so a value that only one patient has tells nothing.
    """
    count = int(levels.max()) + 1

    def scores(learnt: IntArray, tried: IntArray) -> FloatArray:
        inside, outside = (levels[learnt[is_label[learnt] == wanted]] for wanted in (True, False))
        added = 1 / min(inside.size, outside.size)
        with_class = np.bincount(inside, minlength=count) / inside.size + added
        without = np.bincount(outside, minlength=count) / outside.size + added
        return np.asarray((with_class / (with_class + without))[levels[tried]])

    return scores


def _ridge_classifier(columns: FloatArray, is_label: BoolArray) -> Classifier:
    """A linear model of standardised columns, shrunk the more the fewer cases there are for each column."""

    def scores(learnt: IntArray, tried: IntArray) -> FloatArray:
        known, truth = columns[learnt], is_label[learnt]
        weight = np.where(truth, 0.5 / truth.sum(), 0.5 / (~truth).sum())
        centre = weight @ known
        spread = np.sqrt(weight @ np.square(known - centre))
        spread[spread < 1e-9] = 1
        known = (known - centre) / spread
        penalty = _RIDGE + known.shape[1] / len(known)
        curvature = (known * weight[:, None]).T @ known + penalty * np.eye(known.shape[1])
        slopes = np.linalg.solve(curvature, known.T @ (weight * np.where(truth, 1, -1)))
        return np.asarray(((columns[tried] - centre) / spread) @ slopes)

    return scores
