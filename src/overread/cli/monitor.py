"""`overread monitor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.cli.commands import app, progress
from overread.cli.options import Force, Json, replaced_if
from overread.cli.tables import print_monitoring
from overread.errors import InvalidOption
from overread.machine.terminal import say
from overread.run import RunFolder


@app.command()
def monitor(
    readings: Annotated[
        str | None,
        typer.Argument(help="Folder or address of predict --out, or of CSV or Parquet files; else the reading log."),
    ] = None,
    *,
    log_url: Annotated[
        str | None, typer.Option(help="sqlite:///FILE or postgresql://...; else OVERREAD_LOG, or the user's own log.")
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Bundle or run: only its readings, held against its reference.")
    ] = None,
    since: Annotated[float, typer.Option(help="Days to look back.")] = 30,
    out: Annotated[Path | None, typer.Option(help="Folder for a page with figures.")] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Look at what a reader did: volume, referrals, agreement with humans, drift. Exit status 1 if something changed.

    Example: overread monitor --bundle runs/cxr/bundle --since 30 --out runs/cxr-november

    Example: overread monitor s3://readings/2026/ --bundle runs/cxr/bundle --out runs/cxr-archive
    """
    from overread.monitoring.monitor import monitor as look
    from overread.monitoring.monitor import monitor_readings

    existing = replaced_if(force)
    if readings is not None:
        if log_url is not None:
            raise InvalidOption("readings and --log-url are both given: give one of them")
        found = monitor_readings(readings, bundle, out=out, existing=existing)
    else:
        found = look(log_url, bundle, since_days=since, out=out, existing=existing)
    print_monitoring(found, as_json)
    if out is not None:
        say(progress, f"open {RunFolder(out).report}")
    raise typer.Exit(1 if found.findings else 0)
