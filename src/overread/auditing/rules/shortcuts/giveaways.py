"""A value that many images of one class have and hardly any of the rest, such as one size: the plainest shortcut."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np

from overread.auditing.rules.shortcuts.folds import FoldedCases
from overread.auditing.rules.shortcuts.levels import common_values
from overread.auditing.rules.shortcuts.properties import Property
from overread.auditing.shares import surely_more
from overread.decision import BoolArray
from overread.decision.cuts import FloatArray, IntArray

# Of the images of a class at least so many, and of the rest no more than this part of their share.
_LEAST_SHARE, _HARDLY = 0.2, 0.05


@dataclasses.dataclass(frozen=True, kw_only=True)
class Giveaway:
    """A value of a property that gives images of a class away: these have it, or lack it, and hardly one of the rest.

    Args:
        value: what images that have it are, such as "are 1024 x 1024 pixels".
        more: which images have it more often, such as "of NORMAL": how many have it, and of how many.
        fewer: the same of the other.
        is_own: what is given away has the value, rather than lacks that of the others.
    """

    value: str
    more: tuple[str, int, int]
    fewer: tuple[str, int, int]
    is_own: bool

    @property
    def difference(self) -> float:
        """Of the shares of both; 1 where the value tells every image."""
        return self.more[1] / self.more[2] - self.fewer[1] / self.fewer[2]

    @property
    def sentence(self) -> str:
        """Say how many images of both have it."""
        (name, having, of), (other, few, total) = self.more, self.fewer
        of_class = f"All {of:,}" if having == of else f"{having:,} of {of:,}"
        of_rest = f"{few:,}" if few else "none"
        return f"{of_class} images {name} {self.value}, and {of_rest} of the {total:,} {other}."


def find_giveaway(cases: FoldedCases, subject: Property, rows: IntArray) -> Giveaway | None:
    """Find the value that tells most images of a class from the rest; None where none does so surely, by patient.

    Args:
        cases: the readable ones.
        subject: a property of theirs.
        rows: of the cases that have it.
    """
    if subject.values.ndim > 1:
        return None
    classes, common = cases.testable_classes(rows), common_values(subject.values[rows], cases.patient_numbers[rows])
    told = {name: cases.told(rows, name) for name in classes}
    found = [
        giveaway
        for name, own in told.items()
        for value in _uneven(subject.values[own], common, cases.shows(name)[own])
        for giveaway in _of_value(cases, subject, own, value, name, len(common) * len(classes))
    ]
    return max(found, key=lambda giveaway: (round(giveaway.difference, 2), giveaway.is_own), default=None)


def _uneven(values: FloatArray, common: FloatArray, is_class: BoolArray) -> list[float]:
    """The common values whose share of a class and of the rest lie far enough apart."""
    common = np.sort(common)
    is_common = np.isin(values, common)
    shares = [
        np.bincount(np.searchsorted(common, values[of & is_common]), minlength=len(common)) / of.sum()
        for of in (is_class, ~is_class)
    ]
    return [float(value) for value in common[np.abs(shares[0] - shares[1]) >= _LEAST_SHARE * (1 - _HARDLY)]]


def _of_value(
    cases: FoldedCases, subject: Property, rows: IntArray, value: float, name: str, comparisons: int
) -> Iterator[Giveaway]:
    """What a value gives away by being there, or by being absent."""
    has, is_class = subject.values[rows] == value, cases.shows(name)[rows]
    # Of several classes the rest has no look of its own that could be given away.
    task = cases.manifest.task
    rest_is_mixed = task.exclusive and not task.ordered and len(task.classes) > 2
    groups = (is_class,) if rest_is_mixed else (is_class, ~is_class)
    for group, telling in itertools.product(groups, (has, ~has)):
        if _differs(telling[group].mean(), telling[~group].mean()) and surely_more(
            _patients(cases, rows, telling, group), _patients(cases, rows, telling, ~group), comparisons=comparisons
        ):
            question = cases.questions[name]
            sides = ((question.of_yes, is_class), (question.of_no, ~is_class))
            counts = [(said, int(has[of].sum()), int(of.sum())) for said, of in sides]
            fewer, more = sorted(counts, key=lambda counted: counted[1] / counted[2])
            yield Giveaway(value=subject.in_words(value), more=more, fewer=fewer, is_own=telling is has)


def _differs(share: float, of_rest: float) -> bool:
    return share >= _LEAST_SHARE and of_rest <= _HARDLY * share


def _patients(cases: FoldedCases, rows: IntArray, telling: BoolArray, group: BoolArray) -> tuple[int, int]:
    """Patients of a group with a telling image, and all patients of it."""
    return cases.count_patients(rows[telling & group]), cases.count_patients(rows[group])
