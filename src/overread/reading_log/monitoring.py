"""What the log tells of a reader at work: volume, referrals, failures, agreement, and drift from the reference."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from overread.evaluation.drift import exceedances_p, fewer_p, holm, kolmogorov_smirnov
from overread.evaluation.judged import Estimate
from overread.evaluation.shares import shares
from overread.reading_log.rows import ImageRow

# Of all tests of a run together, the chance of a false alarm; and the images, or reviews, below which none is made.
ALPHA = 0.01
FEWEST = 50
FloatArray = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """The values of images that a bundle was not fitted to, which new ones are held against.

    Args:
        scores: by class, its calibrated probabilities; for two classes of the positive one only.
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
        values: the new ones, as `times` in their order.
        times: when each was read.
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


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Monitoring:
    """What was found in a stretch of the log.

    Args:
        since: its begin.
        until: its end.
        bundle: fingerprint; None for all bundles.
        n_readings: requests.
        n_images: images in them, read or not.
        n_distinct: different images that were read; a test counts each once, however often it was sent.
        by_day: images, referred and failed ones of each day (UTC) that had any.
        failures: images that could not be read, by code.
        rates: `referred`, `failed`, `unfamiliar`, and `agreement` of reviewed images, each with Wilson's interval.
        latency_ms: `p50` and `p99` of images that were read; None where there is none.
        confusion: reviews by (class of the reader, class of the human).
        has_reference: whether there was one to test drift against.
        checks: what was tested.
        alpha: chance that something is found by chance alone, over all tests.
    """

    since: datetime
    until: datetime
    bundle: str | None
    n_readings: int
    n_images: int
    n_distinct: int
    by_day: Mapping[date, Mapping[str, int]]
    failures: Mapping[str, int]
    rates: Mapping[str, Estimate]
    latency_ms: Mapping[str, float | None]
    confusion: Mapping[tuple[str, str], int]
    has_reference: bool
    checks: Sequence[Check]
    alpha: float = ALPHA

    @property
    def findings(self) -> list[Check]:
        """What has drifted or fallen."""
        return [check for check in self.checks if check.found]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return values | {
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "by_day": {day.isoformat(): dict(counts) for day, counts in self.by_day.items()},
            "rates": {name: rate.to_dict() for name, rate in self.rates.items()},
            "confusion": [
                {"reader": reader, "human": human, "n": n} for (reader, human), n in sorted(self.confusion.items())
            ],
            "checks": [check.to_dict() for check in self.checks],
            "findings": [check.name for check in self.findings],
        }


def watch(
    rows: Iterable[ImageRow], expected: Expected | None, *, since: datetime, until: datetime, bundle: str | None = None
) -> Monitoring:
    """Look at the images of a stretch of the log.

    Drift is tested by Kolmogorov-Smirnov on each score and each component of the features: in the comparison of
    Rabanser et al. such tests found shifts about as often as multivariate ones, and they say where it lies. With them
    stand the share of unfamiliar images and the agreement with humans, the later half of the reviews against the
    earlier. Holm's method adjusts all p values together: by chance alone something is found in at most 1 of 100 runs,
    if images are independent.

    Args:
        rows: oldest first.
        expected: what the bundle made of its reference images; None for no test of drift.
        since: begin of the stretch.
        until: its end.
        bundle: whose readings the rows are; None for all.

    References:
        Rabanser S, Guennemann S, Lipton ZC. Failing Loudly. NeurIPS 2019. arXiv:1810.11953
    """
    kept = list(rows)
    read = [row for row in kept if row.error is None]
    distinct = list({row.sha256: row for row in read}.values())
    reviewed = [row for row in {row.sha256: row for row in read if row.review}.values()]
    by_day: dict[date, Counter[str]] = {}
    for row in kept:
        counts = by_day.setdefault(row.time.date(), Counter(images=0, referred=0, failed=0))
        counts.update({"images": 1, "referred": bool(row.refer), "failed": row.error is not None})
    latency = [row.latency_ms for row in read]
    checks = [*(_drift(distinct, expected) if expected else []), _agreement(reviewed)]
    return Monitoring(
        since=since,
        until=until,
        bundle=bundle,
        n_readings=len({row.reading_id for row in kept}),
        n_images=len(kept),
        n_distinct=len(distinct),
        by_day=by_day,
        failures=Counter(row.error for row in kept if row.error is not None),
        rates=_rates(kept, reviewed),
        latency_ms={f"p{q}": float(np.percentile(latency, q)) if latency else None for q in (50, 99)},
        confusion=Counter((str(row.label), row.review.label) for row in reviewed if row.review),
        has_reference=expected is not None,
        checks=_adjusted(checks),
    )


def _rates(kept: Sequence[ImageRow], reviewed: Sequence[ImageRow]) -> dict[str, Estimate]:
    read = np.array([row.error is None for row in kept], dtype=bool)
    measured = np.array([row.unfamiliarity is not None for row in kept], dtype=bool)
    agreed = np.array([row.review is not None and row.review.label == row.label for row in reviewed], dtype=bool)
    among_all = {
        "referred": (np.array([bool(row.refer) for row in kept], dtype=bool), read),
        "failed": (~read, np.ones(len(kept), dtype=bool)),
        "unfamiliar": (np.array([(row.unfamiliarity or 0) > 1 for row in kept], dtype=bool), measured),
    }
    return {**shares(among_all), **shares({"agreement": (agreed, np.ones(len(reviewed), dtype=bool))})}


def _drift(rows: Sequence[ImageRow], expected: Expected) -> list[Check]:
    times = [row.time for row in rows]
    checks = [
        _shift(f"score of {name}", [(row.probabilities or {}).get(name, np.nan) for row in rows], scores, times)
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
    fewest = min(len(new), len(expected))
    shown: dict[str, Any] = {"name": name, "n": len(new), "values": new, "expected": expected, "times": times}
    if fewest < FEWEST:
        return Check(test="none", reason=_too_few("images", fewest), **shown)
    statistic, p = kolmogorov_smirnov(new, expected)
    return Check(test="Kolmogorov-Smirnov", statistic=statistic, p=p, **shown)


def _unfamiliar(values: FloatArray, expected: FloatArray, times: Sequence[datetime]) -> Check:
    n, fewest = len(values), min(len(values), len(expected))
    shown: dict[str, Any] = {"n": n, "values": values, "expected": expected, "times": times, "limit": 1.0}
    shown["name"] = "share of unfamiliar images"
    if fewest < FEWEST:
        return Check(test="none", reason=_too_few("images", fewest), **shown)
    above = int((values > 1).sum())
    at_limit = max(1, int((expected >= 1).sum()))
    p = exceedances_p(above, n, reference_above=at_limit, n_reference=len(expected))
    return Check(test="exceedances, beta-binomial", statistic=above / n, p=p, **shown)


def _agreement(reviewed: Sequence[ImageRow]) -> Check:
    name, n = "agreement with humans", len(reviewed)
    if n < FEWEST:
        return Check(name=name, test="none", n=n, reason=_too_few("reviews", n))
    agreed = [row.review is not None and row.review.label == row.label for row in reviewed]
    earlier, later = agreed[: n // 2], agreed[n // 2 :]
    p = fewer_p((sum(later), len(later)), (sum(earlier), len(earlier)))
    return Check(name=name, test="Fisher, later half lower", n=n, statistic=sum(later) / len(later), p=p)


def _adjusted(checks: Sequence[Check]) -> list[Check]:
    adjusted = iter(holm([check.p for check in checks if check.p is not None]))
    return [check if check.p is None else dataclasses.replace(check, adjusted_p=next(adjusted)) for check in checks]


def _too_few(what: str, n: int) -> str:
    return f"{n} {what}: no test is made of fewer than {FEWEST}"
