"""What the log tells of a reader at work: volume, referrals, failures, agreement, and drift from the reference."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from overread.decision.task import Task
from overread.evaluation.estimates import Estimate
from overread.evaluation.uncertainty.proportions import proportions
from overread.monitoring.checks import ALPHA, Check, Expected, adjusted, check_agreement, check_drift
from overread.monitoring.questions import Corrections, agreements, count_answers, find_corrections

if TYPE_CHECKING:
    from overread.reading_log.rows import ImageRow


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Monitoring:
    """What was found in a stretch of the log, or in the readings of an archive.

    Args:
        since: its begin; None of an archive, whose readings have no times, and so no days, latency and reviews either.
        until: its end.
        bundle: fingerprint; None for all bundles.
        n_readings: requests, or parts of an archive.
        n_images: images in them, read or not.
        n_distinct: different images that were read; a test counts each once, however often it was sent.
        classes: images read, by the class decided on.
        by_day: images, referred and failed ones of each day (UTC) that had any.
        failures: images that could not be read, by code.
        rates: `referred`, `failed`, `unfamiliar`, and `agreement` of reviewed images, each with Wilson's interval.
        latency_ms: `p50` and `p99` of images that were read; None where there is none.
        confusion: reviews by (class of the reader, class of the human).
        questions: answers by finding or cut; empty where readings have none.
        corrections: of the same, what humans said, where it is known what the bundle tells apart.
        has_reference: whether there was one to test drift against.
        checks: what was tested.
        alpha: chance that something is found by chance alone, over all tests.
    """

    since: datetime | None
    until: datetime | None
    bundle: str | None
    n_readings: int
    n_images: int
    n_distinct: int
    classes: Mapping[str, int]
    by_day: Mapping[date, Mapping[str, int]]
    failures: Mapping[str, int]
    rates: Mapping[str, Estimate]
    latency_ms: Mapping[str, float | None]
    confusion: Mapping[tuple[str, str], int]
    has_reference: bool
    checks: Sequence[Check]
    alpha: float = ALPHA
    questions: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)
    corrections: Mapping[str, Corrections] = dataclasses.field(default_factory=dict)

    @property
    def findings(self) -> list[Check]:
        """What has drifted or fallen."""
        return [check for check in self.checks if check.found]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON values; what only some kinds of tasks have, only of these."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        questions, corrections = values.pop("questions"), values.pop("corrections")
        told = {name: found.to_dict() for name, found in corrections.items()}
        return values | {
            **({"questions": questions} if questions else {}),
            **({"corrections": told} if told else {}),
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "by_day": {day.isoformat(): dict(counts) for day, counts in self.by_day.items()},
            "rates": {name: rate.to_dict() for name, rate in self.rates.items()},
            "confusion": [
                {"reader": reader, "human": human, "n": n} for (reader, human), n in sorted(self.confusion.items())
            ],
            "checks": [check.to_dict() for check in self.checks],
            "findings": [check.name for check in self.findings],
        }


def watch(
    rows: Iterable[ImageRow],
    expected: Expected | None,
    *,
    since: datetime,
    until: datetime,
    bundle: str | None = None,
    task: Task | None = None,
) -> Monitoring:
    """Look at the images of a stretch of the log.

    Drift is tested by Kolmogorov-Smirnov on each score and each component of the features: in the comparison of
    Rabanser et al. such tests found shifts about as often as multivariate ones, and they say where it lies. With them
    stand the share of unfamiliar images and the agreement with humans, the later half of the reviews against the
    earlier. Holm's method adjusts all p values together: by chance alone something is found in at most 1 of 100 runs,
    if images are independent. Chest radiographs drawn by patient (1.4 images each), reference and new ones from the
    same side of the data, gave it in 20 of 600 (November 2026); the log knows no patients to allow for.

    Args:
        rows: oldest first.
        expected: what the bundle made of its reference images; None for no test of drift.
        since: begin of the stretch.
        until: its end.
        bundle: whose readings the rows are; None for all.
        task: what that bundle tells apart, by which reviews of findings and the like are read.

    References:
        Rabanser S, Guennemann S, Lipton ZC. Failing Loudly. NeurIPS 2019. arXiv:1810.11953
    """
    kept = list(rows)
    read = [row for row in kept if row.error is None]
    distinct = _last_of_each(read)
    reviewed = _last_of_each(row for row in read if row.review)
    agreed = agreements(reviewed, task)
    by_day: dict[date, Counter[str]] = {}
    for row in kept:
        counts = by_day.setdefault(row.time.date(), Counter(images=0, referred=0, failed=0))
        counts.update({"images": 1, "referred": bool(row.refer), "failed": row.error is not None})
    latency = [row.latency_ms for row in read]
    checks = [*(check_drift(distinct, expected) if expected else []), check_agreement(agreed)]
    return Monitoring(
        since=since,
        until=until,
        bundle=bundle,
        n_readings=len({row.reading_id for row in kept}),
        n_images=len(kept),
        n_distinct=len(distinct),
        classes=Counter(str(row.predicted_label) for row in read),
        by_day=by_day,
        failures=Counter(row.error for row in kept if row.error is not None),
        rates=_rates(kept, agreed),
        latency_ms={f"p{q}": float(np.percentile(latency, q)) if latency else None for q in (50, 99)},
        confusion=Counter((str(row.predicted_label), row.review.true_label) for row in reviewed if row.review),
        has_reference=expected is not None,
        checks=adjusted(checks),
        questions=count_answers(read),
        corrections={} if task is None else find_corrections(reviewed, task),
    )


def _last_of_each(rows: Iterable[ImageRow]) -> list[ImageRow]:
    """Each image once, as the bundle read it last; oldest first."""
    return sorted({(row.bundle, row.sha256): row for row in rows}.values(), key=lambda row: row.time)


def _rates(kept: Sequence[ImageRow], agreed: Sequence[bool]) -> dict[str, Estimate]:
    read = np.array([row.error is None for row in kept], dtype=bool)
    measured = np.array([row.unfamiliarity is not None for row in kept], dtype=bool)
    among_all = {
        "referred": (np.array([bool(row.refer) for row in kept], dtype=bool), read),
        "failed": (~read, np.ones(len(kept), dtype=bool)),
        "unfamiliar": (np.array([(row.unfamiliarity or 0) > 1 for row in kept], dtype=bool), measured),
    }
    return {
        **proportions(among_all),
        **proportions({"agreement": (np.array(agreed, dtype=bool), np.ones(len(agreed), dtype=bool))}),
    }
