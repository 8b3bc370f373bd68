"""`overread monitor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from overread.cli.commands import app, progress
from overread.cli.options import Force, Json, replaced_if
from overread.cli.tables import print_monitoring
from overread.machine.terminal import say
from overread.run import RunFolder


@app.command()
def monitor(
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
    """
    from overread.monitoring.monitor import monitor as look

    found = look(log_url, bundle, since_days=since, out=out, existing=replaced_if(force))
    print_monitoring(found, as_json)
    if out is not None:
        say(progress, f"open {RunFolder(out).report}")
    raise typer.Exit(1 if found.findings else 0)
