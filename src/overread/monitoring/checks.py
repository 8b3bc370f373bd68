"""What is tested for a change: scores, features and unfamiliarity against the reference, and agreement with humans."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.decision.cuts import FloatArray
from overread.monitoring.drift_tests import AgainstSample, exceedances_p, fewer_p, holm
from overread.monitoring.questions import score_of

if TYPE_CHECKING:
    from overread.reading_log.rows import ImageRow

# Of all tests of a run together, the chance of a false alarm; and the images, or reviews, below which none is made.
ALPHA = 0.01
FEWEST = 50


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """The values of images that a bundle was not fitted to, which new ones are held against.

    Args:
        scores: by judged question, such as a class, its calibrated probabilities.
        projections: `(n, k)`.
        unfamiliarity: `(n,)`, with the limit at 1.
    """

    scores: Mapping[str, FloatArray]
    projections: FloatArray
    unfamiliarity: FloatArray


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Check:
    """One thing that was tested for drift.

    Args:
        name: such as "score of Pneumonia".
        test: its name; "none" where none was made.
        n: new values.
        p: None where no test was made.
        adjusted_p: after Holm, over all tests of the run.
        statistic: of the Kolmogorov-Smirnov test the largest distance of the shares, else the new share.
        reason: why no test was made.
        expected: the reference values, if any.
        values: the new ones, as `times` in their order; of an archive every so many.
        times: when each was read; none of an archive.
        limit: above which a value is unfamiliar, if there is one.
    """

    name: str
    test: str
    n: int
    p: float | None = None
    adjusted_p: float | None = None
    statistic: float | None = None
    reason: str | None = None
    expected: FloatArray = dataclasses.field(default_factory=lambda: np.empty(0))
    values: FloatArray = dataclasses.field(default_factory=lambda: np.empty(0))
    times: Sequence[datetime] = ()
    limit: float | None = None

    @property
    def found(self) -> bool:
        """Whether it has changed, or agreement has fallen."""
        return self.adjusted_p is not None and self.adjusted_p < ALPHA

    def to_dict(self) -> dict[str, Any]:
        """The result as JSON values, without the values tested."""
        names = ("name", "test", "n", "statistic", "p", "adjusted_p", "reason", "found")
        return {name: getattr(self, name) for name in names}


def check_drift(rows: Sequence[ImageRow], expected: Expected) -> list[Check]:
    """Hold images, each once, against the reference."""
    times = [row.time for row in rows]
    checks = [
        _shift(f"score of {name}", [score_of(row, name) for row in rows], scores, times)
        for name, scores in expected.scores.items()
    ]
    projected = [row for row in rows if row.projection]
    checks += [
        _shift(
            f"component {number + 1} of the features",
            [row.projection[number] for row in projected],
            expected.projections[:, number],
            [row.time for row in projected],
        )
        for number in range(expected.projections.shape[1])
    ]
    measured = [row for row in rows if row.unfamiliarity is not None]
    values = np.array([row.unfamiliarity for row in measured], dtype=float)
    if not len(expected.unfamiliarity):
        return checks
    return [*checks, _unfamiliar(values, expected.unfamiliarity, [row.time for row in measured])]


def _shift(name: str, values: Sequence[float], expected: FloatArray, times: Sequence[datetime]) -> Check:
    new = np.asarray(values, dtype=float)
    against = AgainstSample(expected)
    against.add(new)
    return check_shift(name, against, values=new, expected=expected, times=times)


def check_shift(name: str, against: AgainstSample, **shown: Any) -> Check:
    """Test whether values are drawn as the reference was."""
    fewest = min(against.n, against.m)
    if fewest < FEWEST:
        return Check(name=name, n=against.n, test="none", reason=_too_few("images", fewest), **shown)
    statistic, p = against.kolmogorov_smirnov()
    return Check(name=name, n=against.n, test="Kolmogorov-Smirnov", statistic=statistic, p=p, **shown)


def _unfamiliar(values: FloatArray, expected: FloatArray, times: Sequence[datetime]) -> Check:
    return check_unfamiliar(int((values > 1).sum()), len(values), values=values, expected=expected, times=times)


def check_unfamiliar(above: int, n: int, *, expected: FloatArray, **shown: Any) -> Check:
    """Test whether more of n images are unfamiliar than the reference lets expect."""
    told: dict[str, Any] = {"name": "share of unfamiliar images", "n": n, "expected": expected, "limit": 1.0, **shown}
    fewest = min(n, len(expected))
    if fewest < FEWEST:
        return Check(test="none", reason=_too_few("images", fewest), **told)
    at_limit = max(1, int((expected >= 1).sum()))
    p = exceedances_p(above, n, reference_above=at_limit, n_reference=len(expected))
    return Check(test="exceedances, beta-binomial", statistic=above / n, p=p, **told)


def check_agreement(agreed: Sequence[bool]) -> Check:
    """Hold the later half of reviews, oldest first, against the earlier half."""
    name, n = "agreement with humans", len(agreed)
    if n < FEWEST:
        return Check(name=name, test="none", n=n, reason=_too_few("reviews", n))
    earlier, later = agreed[: n // 2], agreed[n // 2 :]
    p = fewer_p((sum(later), len(later)), (sum(earlier), len(earlier)))
    return Check(name=name, test="Fisher, later half lower", n=n, statistic=sum(later) / len(later), p=p)


def adjusted(checks: Sequence[Check]) -> list[Check]:
    """Adjust the p values of all tests of a run together (Holm)."""
    found = iter(holm([check.p for check in checks if check.p is not None]))
    return [check if check.p is None else dataclasses.replace(check, adjusted_p=next(found)) for check in checks]


def _too_few(what: str, n: int) -> str:
    return f"{n} {what}: no test is made of fewer than {FEWEST}"
