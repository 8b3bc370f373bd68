"""Levels of a property: its common values, and what lies between them."""

from __future__ import annotations

import numpy as np

from overread.auditing.rules.shortcuts.properties import Property
from overread.decision.cuts import FloatArray, IntArray

MOST_LEVELS, _CASES_FOR_LEVEL = 16, 20
# A value is common that so many cases of so many patients share: what one patient has tells nothing of a class.
_MOST_COMMON, _CASES, _PATIENTS = 32, 10, 5


def common_values(values: FloatArray, patients: IntArray) -> FloatArray:
    """The values that many cases of several patients share, the commonest first, no more than 32.

    Args:
        values: `(n,)` of a property.
        patients: `(n,)` the number of each case's patient.
    """
    distinct, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    may_be = (counts >= _CASES) & ~np.isnan(distinct)
    rows = may_be[index]
    width = int(patients.max(initial=0)) + 1
    met = np.unique(index[rows] * width + patients[rows]) // width
    is_common = may_be & (np.bincount(met, minlength=distinct.size) >= _PATIENTS)
    order = np.argsort(-counts, kind="stable")
    return distinct[order[is_common[order]][:_MOST_COMMON]]


def levels_of(subject: Property, patients: IntArray) -> IntArray:
    """`(n,)` a level for each common value, and for the others one, or of a measure groups of equal size.

    What has several columns has one level.

    A group that held a common value would hide that one class alone has it: of 1,000 images of 1024 pixels among
    others of 900 to 1,100, all would fall into one. The fewer values are left, the fewer groups.
    """
    if subject.values.ndim > 1:
        return np.zeros(len(subject.values), np.int64)
    values, common = subject.values, np.sort(common_values(subject.values, patients))
    is_common = np.isin(values, common)
    edges = np.array([]) if subject.categories else _edges(values[~np.isnan(values) & ~is_common])
    levels = np.searchsorted(edges, values)
    levels[is_common] = edges.size + 1 + np.searchsorted(common, values[is_common])
    return levels


def _edges(values: FloatArray) -> FloatArray:
    most = min(MOST_LEVELS, max(2, values.size // _CASES_FOR_LEVEL))
    distinct = np.unique(values)
    return distinct if distinct.size <= most else np.unique(np.quantile(values, np.arange(1, most) / most))
