"""Where progress is shown, and a terminal without TensorFlow's start-up notices, which no setting silences."""

from __future__ import annotations

import atexit
import os
import re
import sys
import threading

from rich.console import Console

_NOTICE = re.compile(
    rb"I0000 |WARNING: All log messages before absl|To enable the following instructions:|\s*$"
    # TensorFlow's farewell when a run is interrupted.
    rb"|W0000 .*finalizing GeneratorDataset|\s*\[\[\{\{node PyFunc\}\}\]\]"
)


def progress_console(verbose: bool | None = None) -> Console:
    """Standard error, or the notebook.

    Args:
        verbose: whether anything is shown; by default on a terminal and in a notebook.
    """
    console = Console(stderr=True, soft_wrap=True)
    console.quiet = not (console.is_terminal or console.is_jupyter if verbose is None else verbose)
    return console


def hide_notices() -> None:
    """Pass what compiled libraries write to standard error through a filter that drops known notices.

    Python's own standard error is not touched; warnings and errors of the libraries still appear.
    """
    terminal = os.dup(2)
    readable, writable = os.pipe()
    os.dup2(writable, 2)
    os.close(writable)
    sys.stderr = os.fdopen(os.dup(terminal), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    forwarding = threading.Thread(target=_forward, args=(readable, terminal), daemon=True)
    forwarding.start()

    def finish() -> None:
        os.dup2(terminal, 2)
        forwarding.join(timeout=1)

    atexit.register(finish)


def _forward(readable: int, terminal: int) -> None:
    with os.fdopen(readable, "rb") as lines:
        for line in lines:
            if not _NOTICE.match(line):
                os.write(terminal, line)
