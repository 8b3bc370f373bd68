"""How this process was called: as it was typed, and as it may be shown, with words in place of paths.

A path on a user's computer often names a person: the command line that a report shows has DATA and OUT instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class Call(NamedTuple):
    """A command line as it was typed, and as it may be shown."""

    typed: str
    shown: str


_NO_COMMAND = Call("from Python", "from Python")
_CALL: ContextVar[Call | None] = ContextVar("call", default=None)


def called() -> Call:
    """How this process was called; "from Python" where there is no command line."""
    return _CALL.get() or _NO_COMMAND


@contextmanager
def calling(call: Call) -> Iterator[None]:
    """Remember the command line while it runs."""
    token = _CALL.set(call)
    try:
        yield
    finally:
        _CALL.reset(token)
