"""How a reader fared on an archive, from its parts: volume, referrals, failures, and drift; never all rows at once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from overread.decision.cuts import FloatArray
from overread.evaluation.estimates import Estimate
from overread.evaluation.metrics.definition import Metric
from overread.evaluation.uncertainty.interval import Interval, wilson
from overread.machine.workers import in_order
from overread.monitoring.checks import Check, Expected, adjusted, check_shift, check_unfamiliar
from overread.monitoring.drift_tests import AgainstSample
from overread.monitoring.watch import Monitoring
from overread.reading.table import Table, files_of_readings, from_table

_LEVEL = 0.95
# Files read at once: a store answers after tens of milliseconds.
_READERS = 8
# Values that figures are drawn from.
_MOST_DRAWN = 20_000
# Different reasons why images could not be read that are counted each; what a damaged archive says may be endless.
_MOST_REASONS = 100
_OTHERS = "other reasons"


def watch_parts(folder: Path, expected: Expected | None, bundle: str | None = None) -> Monitoring:
    """Look at the readings of an archive, each file of them once.

    Args:
        folder: of `overread predict --out`, or one of files of readings; of this machine or remote.
        expected: what the bundle made of its reference images; None for no test of drift.
        bundle: fingerprint of the one whose readings they are.

    Raises:
        MissingPath: there are no readings.
        InvalidData: a file holds no readings.
    """
    paths = files_of_readings(folder)
    tally = _Tally(expected)
    for table in in_order(from_table, paths, _READERS):
        tally.add(table)
    return tally.monitoring(len(paths), bundle)


class _Tally:
    """What was counted so far."""

    def __init__(self, expected: Expected | None) -> None:
        self._expected = expected
        self._images = self._referred = self._unfamiliar = 0
        self._classes, self._failures = Counter[str](), Counter[str]()
        self._questions: dict[str, Counter[str]] = {}
        scores = {} if expected is None else expected.scores
        self._scores = {name: (AgainstSample(values), _Thinned()) for name, values in scores.items()}
        self._unfamiliarity = _Thinned()

    def add(self, table: Table) -> None:
        """Take in a file."""
        self._images += len(table.errors)
        self._referred += int(table.referred.sum())
        self._classes.update(label for label in table.labels if label)
        for reason in filter(None, table.errors):
            known = reason in self._failures or len(self._failures) < _MOST_REASONS
            self._failures[reason if known else _OTHERS] += 1
        was_read = np.array([label is not None for label in table.labels], dtype=bool)
        self._unfamiliar += int((table.unfamiliarity[was_read] > 1).sum())
        self._unfamiliarity.add(table.unfamiliarity[was_read])
        for name, answers in table.answers.items():
            self._questions.setdefault(name, Counter()).update(filter(None, answers))
        for name, (against, thinned) in self._scores.items():
            values = table.probabilities[name][was_read]
            against.add(values)
            thinned.add(values)

    def monitoring(self, parts: int, bundle: str | None) -> Monitoring:
        """What was found."""
        read, failed = self._classes.total(), self._failures.total()
        counted = {
            "referred": (self._referred, read),
            "failed": (failed, self._images),
            "unfamiliar": (self._unfamiliar, read),
        }
        return Monitoring(
            since=None,
            until=None,
            bundle=bundle,
            n_readings=parts,
            n_images=self._images,
            n_distinct=read,
            classes=self._classes,
            by_day={},
            failures=self._failures,
            rates={name: _share(name, k, n) for name, (k, n) in counted.items()},
            latency_ms={},
            confusion={},
            has_reference=self._expected is not None,
            checks=adjusted(self._checks(self._expected)) if self._expected else [],
            questions=self._questions,
        )

    def _checks(self, expected: Expected) -> list[Check]:
        checks = [
            check_shift(f"score of {name}", against, values=thinned.values, expected=expected.scores[name])
            for name, (against, thinned) in self._scores.items()
        ]
        if not len(expected.unfamiliarity):
            return checks
        seen = self._unfamiliarity
        return [
            *checks,
            check_unfamiliar(self._unfamiliar, seen.n, values=seen.values, expected=expected.unfamiliarity),
        ]


class _Thinned:
    """Every so many of the values that come, so that no more than a figure needs are kept."""

    def __init__(self) -> None:
        self.n, self.values, self._step = 0, np.empty(0), 1

    def add(self, values: FloatArray) -> None:
        self.values = np.concatenate([self.values, values[-self.n % self._step :: self._step]])
        self.n += len(values)
        while len(self.values) > _MOST_DRAWN:
            self.values, self._step = self.values[::2], 2 * self._step


def _share(name: str, k: int, n: int) -> Estimate:
    if not n:
        reason = "There is no case in the denominator."
        return Estimate(Metric(name, float("nan"), 0, reason), Interval.none(_LEVEL, "none", reason))
    return Estimate(Metric(name, k / n, n), wilson(k, n, level=_LEVEL))
