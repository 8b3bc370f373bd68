"""What the server writes to standard error: one line an event, and each kind of event once a minute."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

_EVERY_S = 60.0
_MOST_KINDS = 200
_log = logging.getLogger("overread.service")


class Seldom(logging.Filter):
    """Lets what is said pass once a minute, and tells then how often it was left out; no record has a traceback.

    Args:
        clock: gives seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record passes."""
        text, now = _in_one_line(record), self._clock()
        since, left_out = self._said.pop(text, (now - _EVERY_S, 0))
        passes = now - since >= _EVERY_S
        self._said[text] = (now, 0) if passes else (since, left_out + 1)
        if len(self._said) > _MOST_KINDS:
            del self._said[next(iter(self._said))]
        if left_out:
            text += f" (and {left_out} times more since this was said)"
        record.msg, record.args, record.exc_info, record.exc_text = text, None, None, None
        return passes


def _in_one_line(record: logging.LogRecord) -> str:
    error = record.exc_info[1] if record.exc_info else None
    text = record.getMessage().strip()
    return text if error is None else f"{text.partition(chr(10))[0]}: {type(error).__name__} at {raised_at(error)}"


def log_seldom() -> None:
    """Have everything that this process logs go to standard error, each kind once a minute."""
    handler = logging.StreamHandler()
    handler.addFilter(Seldom())
    logging.getLogger().addHandler(handler)
    # Which warns of each byte of a request that is not as expected.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def log_error_of_loop(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handle an error that nobody waits for, as an event loop calls it; what it says may quote a request."""
    error = context.get("exception")
    what = context["message"].partition("<")[0].partition(" for ")[0].strip()
    _log.error("%s: %s", what, f"{type(error).__name__} at {raised_at(error)}" if error else "no exception")


def raised_at(error: BaseException) -> str:
    """Module and line where an error was raised."""
    found = list(traceback.walk_tb(error.__traceback__))
    if not found:
        return "no place"
    frame, line = found[-1]
    return f"{frame.f_globals.get('__name__', Path(frame.f_code.co_filename).stem)}:{line}"
