"""`overread serve`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from overread.cli.commands import app
from overread.errors import MissingPath
from overread.service.settings import MIB, Settings

# Secrets, taken out of the environment so that the processes that decode do not inherit them.
_TOKEN, _LOG = "OVERREAD_TOKEN", "OVERREAD_LOG"
_DEFAULT = Settings


@app.command()
def serve(
    bundles: Annotated[list[Path], typer.Argument(help="Bundles: directories, zips or runs.", metavar="BUNDLE")],
    host: Annotated[str, typer.Option(help="Address to listen on; any but loopback takes a token.")] = _DEFAULT.host,
    port: Annotated[int, typer.Option(help="0: any that is free.", min=0, max=65535)] = 8000,
    token_file: Annotated[Path | None, typer.Option(help=f"File that holds the token; else from {_TOKEN}.")] = None,
    name: Annotated[list[str] | None, typer.Option(help="Host name of a proxy before it; may be repeated.")] = None,
    log_url: Annotated[
        str | None, typer.Option(help="sqlite:///FILE or postgresql://...; else OVERREAD_LOG, or the user's own log.")
    ] = None,
    retention_days: Annotated[float | None, typer.Option(help="Days that readings are kept; else for ever.")] = None,
    max_upload_mb: Annotated[int, typer.Option(help="Of a request.")] = _DEFAULT.max_upload_bytes // MIB,
    max_files: Annotated[int, typer.Option(help="Images in a request.")] = _DEFAULT.max_files,
    max_megapixels: Annotated[int, typer.Option(help="Of an image.")] = _DEFAULT.max_pixels // MIB,
    workers: Annotated[int, typer.Option(help="Processes that decode; 0: one on each core, two at least.")] = 0,
    time_out_s: Annotated[float, typer.Option(help="Seconds for decoding an image.")] = _DEFAULT.timeout_s,
    max_exam_files: Annotated[int, typer.Option(help="Files in a request of exams.")] = _DEFAULT.max_exam_files,
    exam_time_out_s: Annotated[float, typer.Option(help="Seconds for reading an exam.")] = _DEFAULT.exam_timeout_s,
    keep_minutes: Annotated[
        float, typer.Option(help="Minutes that an exam on the page stays on the disk after the last look at it.")
    ] = _DEFAULT.keep_exams_s / 60,
) -> None:
    """Serve a page for people and an API for programs, on this machine unless told otherwise, until stopped.

    Example: overread serve runs/cxr/bundle
    """
    settings = Settings(
        host=host,
        names=tuple(name or ()),
        token=read_token(token_file),
        max_upload_bytes=max_upload_mb * MIB,
        max_files=max_files,
        max_waiting=max(_DEFAULT.max_waiting, max_files),
        max_pixels=max_megapixels * MIB,
        timeout_s=time_out_s,
        max_exam_files=max_exam_files,
        exam_timeout_s=exam_time_out_s,
        keep_exams_s=60 * keep_minutes,
        **({"workers": workers} if workers else {}),
    )
    from overread.service.server import serve as run_server

    run_server(
        bundles, settings, port=port, log_url=log_url or os.environ.pop(_LOG, None), retention_days=retention_days,
        announce=lambda url: typer.echo(f"overread listens on {url} (stop it with Ctrl-C)", err=True),
    )  # fmt: skip


def read_token(file: Path | None) -> str | None:
    """The token of the file, or of the environment."""
    given = os.environ.pop(_TOKEN, None)
    if file is None:
        return given or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise MissingPath(f"{file} cannot be read: expected a file that holds the token") from None
