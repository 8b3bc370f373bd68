"""How a reader fares at work, from its log: volume, referrals, agreement, and drift from the bundle's reference."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from overread.bundle import Bundle
from overread.errors import InvalidOption
from overread.machine.files import write_json
from overread.machine.remote import place
from overread.monitoring.checks import Expected
from overread.monitoring.parts import watch_parts
from overread.monitoring.report import write_monitoring_report
from overread.monitoring.watch import Monitoring, watch
from overread.run import Existing, MonitoringRun, RunFolder

_LONGEST_DAYS = 36525


def monitor(
    log_url: str | None = None,
    bundle: Bundle | str | Path | None = None,
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
        InvalidOption: since_days is not above 0 or more than a century, or the URL is none.
        MissingPath: there is no log.
        LogUnavailable: it cannot be read.
        MissingExtra: SQLAlchemy, or with `out` matplotlib or Jinja2, is not installed.

    Example:
        >>> monitor("sqlite:///readings.sqlite", "runs/cxr").findings  # doctest: +SKIP
    """
    if not 0 < since_days <= _LONGEST_DAYS:
        raise InvalidOption(f"--since {since_days:g} days cannot be looked at: give more than 0, to {_LONGEST_DAYS}")
    until = datetime.now(UTC)
    since = until - timedelta(days=since_days)
    bundle = None if bundle is None else Bundle.load(bundle)
    fingerprint = bundle.fingerprint if bundle else None
    if out is not None:
        RunFolder.open(out, existing)
    # Needs a database, which readings in files do not.
    from overread.reading_log import ReadingLog, default_url

    log = ReadingLog.open(log_url or default_url(), create=False)
    try:
        rows = log.images(since, until, fingerprint)
        expected = expected_of(bundle) if bundle else None
        task = bundle.task if bundle else None
        found = watch(rows, expected, since=since, until=until, bundle=fingerprint, task=task)
    finally:
        log.close()
    if out is not None:
        _write(RunFolder(out), found, MonitoringRun(bundle=fingerprint, since_days=since_days))
    return found


def monitor_readings(
    readings: str | Path,
    bundle: Bundle | str | Path | None = None,
    *,
    out: Path | None = None,
    existing: Existing = "refuse",
) -> Monitoring:
    """Look at the readings that `overread predict --out` wrote, however many they are.

    Args:
        readings: their folder, of this machine or remote.
        bundle: that read them, and whose reference they are held against; without it drift is not tested.
        out: as of `monitor`.
        existing: as of `monitor`.

    Raises:
        MissingPath: there are no readings.
        InvalidData: a file holds no readings.
        MissingExtra: with `out` matplotlib or Jinja2, for Parquet pyarrow, or the driver of a store is not installed.
    """
    bundle = None if bundle is None else Bundle.load(bundle)
    fingerprint = bundle.fingerprint if bundle else None
    if out is not None:
        RunFolder.open(out, existing)
    found = watch_parts(place(readings), expected_of(bundle) if bundle else None, fingerprint)
    if out is not None:
        _write(RunFolder(out), found, MonitoringRun(bundle=fingerprint))
    return found


def _write(folder: RunFolder, found: Monitoring, run: MonitoringRun) -> None:
    folder.write(run)
    write_json(folder.monitoring, found.to_dict())
    write_monitoring_report(folder.path, found)


def expected_of(bundle: Bundle) -> Expected:
    """Take from a bundle the values that new ones are held against.

    Of an ensemble only the features of its first network: what it says of new images is a mean over all networks, what
    is known of reference images is not, so that scores and unfamiliarity differ without any drift.
    """
    references = bundle.references()
    first = references[0]
    if len(references) > 1:
        return Expected(scores={}, projections=first.projections.astype(float), unfamiliarity=np.empty(0))
    return Expected(
        scores={name: bundle.task.score(first.scores, name) for name in bundle.task.judged},
        projections=first.projections.astype(float),
        unfamiliarity=first.distances / first.limit,
    )
