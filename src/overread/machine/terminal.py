"""What people see on a terminal: text that only shows, progress, and no start-up notices of TensorFlow."""

from __future__ import annotations

import atexit
import codecs
import contextlib
import io
import os
import re
import sys
import threading
from typing import TextIO

from rich.console import Console
from rich.status import Status

_NOTICE = re.compile(
    rb"I0000 |WARNING: All log messages before absl|To enable the following instructions:|\s*$"
    # TensorFlow's farewell when a run is interrupted.
    rb"|W0000 .*finalizing GeneratorDataset|\s*\[\[\{\{node PyFunc\}\}\]\]"
)
_ESCAPED = "overread.escaped"
# Control characters, ends of lines, what turns the direction of text, and lone surrogates.
_ACTS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PLAIN = {"\N{NO-BREAK SPACE}": " ", "\N{HORIZONTAL ELLIPSIS}": "..."}


def shown(text: str) -> str:
    r"""Escape what a name may hold that would act on a terminal or a page instead of showing, as in `a\x1b[2J.png`."""
    return _ACTS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def say(console: Console, text: str, style: str = "") -> None:
    """Print a line in which nothing is markup, whatever names are in it."""
    console.print(shown(text), style=style, markup=False, emoji=False, highlight=False, soft_wrap=True)


def at_work(console: Console, text: str) -> Status:
    """Show that work goes on, for as long as the status is entered, by a sign that the terminal has."""
    return console.status(text, spinner="dots" if console.encoding.startswith("utf") else "line")


def progress_console(verbose: bool | None = None) -> Console:
    """Standard error, or the notebook.

    Args:
        verbose: whether anything is shown; by default on a terminal and in a notebook.
    """
    console = Console(stderr=True, soft_wrap=True)
    console.quiet = not (console.is_terminal or console.is_jupyter if verbose is None else verbose)
    return console


def prepare_streams() -> None:
    """Have standard output and error escape what their encoding lacks, and be there where the caller closed them.

    Names that standard input lists may be of any bytes, as those of arguments.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPED)


def flush_streams() -> None:
    """Write out what waits; where the reader of a pipe has gone, it is let go without a word.

    Raises:
        OSError: it cannot be written for another reason.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            # Python would try again on its way out.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def data_output() -> TextIO:
    """Standard output for programs: UTF-8 in a pipe or a file, whatever the locale is."""
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
        sys.stdout.reconfigure(encoding="utf-8", errors=_ESCAPED)
    return sys.stdout


def hide_notices() -> None:
    """Pass what compiled libraries write to standard error through a filter that drops known notices.

    Python's own standard error is not touched; warnings and errors of the libraries still appear.
    """
    try:
        terminal = os.dup(2)
    except OSError:  # the caller closed it
        return
    readable, writable = os.pipe()
    os.dup2(writable, 2)
    os.close(writable)
    sys.stderr = os.fdopen(os.dup(terminal), "w", buffering=1, encoding=sys.stderr.encoding, errors=_ESCAPED)
    forwarding = threading.Thread(target=_forward, args=(readable, terminal), daemon=True)
    forwarding.start()

    def finish() -> None:
        os.dup2(terminal, 2)
        forwarding.join(timeout=1)

    atexit.register(finish)


def _forward(readable: int, terminal: int) -> None:
    # Whoever read standard error may have gone.
    with contextlib.suppress(OSError), os.fdopen(readable, "rb") as lines:
        for line in lines:
            if not _NOTICE.match(line):
                os.write(terminal, line)


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode() for each in lacking), error.end


codecs.register_error(_ESCAPED, _escape)
