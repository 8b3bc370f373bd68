"""Whether a server can read, found out seldom and for all who ask at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from overread.service.problems import Problem

_EVERY_S = 3.0


class Readiness:
    """What stands in the way of reading; anybody may ask for it, so an answer is good for three seconds.

    Args:
        find_out: raises the `Problem` that there is.
        clock: gives seconds that never go back.
    """

    def __init__(self, find_out: Callable[[], Awaitable[None]], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._find_out, self._clock = find_out, clock
        self._found: asyncio.Task[Problem | None] | None = None
        self._until = 0.0

    async def problem(self) -> Problem | None:
        """What stands in the way now; None where nothing does."""
        if self._found is None or (self._found.done() and self._clock() >= self._until):
            self._found = asyncio.create_task(self._ask())
        return await asyncio.shield(self._found)

    async def _ask(self) -> Problem | None:
        try:
            await self._find_out()
        except Problem as problem:
            return problem
        finally:
            self._until = self._clock() + _EVERY_S
        return None
