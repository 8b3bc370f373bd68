"""How a reader fares at work, from its log: volume, referrals, agreement, and drift from the bundle's reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from overread.bundle import Bundle
from overread.errors import InvalidOption
from overread.machine.files import Existing, open_run_folder, write_json
from overread.monitoring.checks import Expected
from overread.monitoring.report import write_monitoring_report
from overread.monitoring.watch import Monitoring, watch
from overread.reading_log import ReadingLog, default_url


def monitor(
    log_url: str | None = None,
    bundle: Bundle | None = None,
    *,
    since_days: float = 30,
    out: Path | None = None,
    existing: Existing = "refuse",
) -> Monitoring:
    """Look at the last days of a log.

    Args:
        log_url: of the log; else see `default_url`.
        bundle: whose readings are looked at and held against its reference; without it all, and drift is not tested.
        since_days: how many days back.
        out: folder for a page with figures, and the findings as `monitoring.json`; None for neither.
        existing: what to do with a folder that holds something.

    Returns:
        What was found; `findings` holds what has changed.

    Raises:
        InvalidOption: since_days is not above 0, or the URL is none.
        MissingPath: there is no log.
        LogUnavailable: it cannot be read.
        MissingExtra: SQLAlchemy, or with `out` matplotlib or Jinja2, is not installed.

    Example:
        >>> monitor("sqlite:///readings.sqlite", Bundle.load("runs/cxr/bundle")).findings  # doctest: +SKIP
    """
    if not since_days > 0:
        raise InvalidOption(f"--since {since_days:g} days looks at nothing: give more than 0")
    until = datetime.now(UTC)
    since = until - timedelta(days=since_days)
    fingerprint = bundle.fingerprint if bundle else None
    if out is not None:
        open_run_folder(out, existing)
    log = ReadingLog.open(log_url or default_url(), create=False)
    try:
        rows = log.images(since, until, fingerprint)
        expected = expected_of(bundle) if bundle else None
        found = watch(rows, expected, since=since, until=until, bundle=fingerprint)
    finally:
        log.close()
    if out is not None:
        write_monitoring_report(out, found)
        write_json(out / "monitoring.json", found.to_dict())
        write_json(out / "run.json", {"kind": "monitor", "since_days": since_days, "bundle": fingerprint})
    return found


def expected_of(bundle: Bundle) -> Expected:
    """Take from a bundle the values that new ones are held against.

    Of an ensemble only the features of its first network: what it says of new images is a mean over all networks, what
    is known of reference images is not, so that scores and unfamiliarity differ without any drift.
    """
    references, task = bundle.references(), bundle.task
    first = references[0]
    if len(references) > 1:
        return Expected(scores={}, projections=first.projections.astype(float), unfamiliarity=np.empty(0))
    return Expected(
        scores={name: first.scores[:, task.column(name)] for name in task.judged},
        projections=first.projections.astype(float),
        unfamiliarity=first.distances / first.limit,
    )
