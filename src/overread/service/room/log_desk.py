"""The reading log as requests ask it: in threads of its own, each question within a time, each error a problem."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from overread.errors import InvalidData, InvalidOption, KeyInProgress, KeyReused, LogUnavailable, UnknownReading
from overread.service.problems import Problem
from overread.service.room.together import Together

if TYPE_CHECKING:
    from overread.reading_log import ReadingLog, ReadingRow

Answer = TypeVar("Answer")
# Longer than SQLite waits for another process that writes.
_TIMEOUT_S = 45.0
_CHECK_TIMEOUT_S = 10.0
_READERS = 4
_log = logging.getLogger("overread.service")


class LogDesk:
    """Asks a log for those who wait for its answer; a database that hangs holds its own threads and no others."""

    def __init__(self, log: ReadingLog) -> None:
        self.log = log
        # One thread writes: several would wait for SQLite's lock, which is asked for again after 1 ms, 2, 5, ... 100.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="log")
        self._others = ThreadPoolExecutor(_READERS, thread_name_prefix="log")
        self._claims = Together(log.begin_all, self._writer)
        self._entries = Together(log.add_all, self._writer)

    async def claim(self, key: str, request_sha256: str) -> ReadingRow | None:
        """Claim an idempotency key, as `ReadingLog.begin`.

        Raises:
            Problem: what the log refuses, or that it is out of order.
        """
        async with _problems(_TIMEOUT_S):
            return await self._claims.ask((key, request_sha256))

    async def enter(self, reading: ReadingRow, key: str | None) -> None:
        """Log a reading, as `ReadingLog.add`.

        Raises:
            Problem: what the log refuses, or that it is out of order.
        """
        async with _problems(_TIMEOUT_S):
            await self._entries.ask((reading, key))

    async def ask(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        """What a method of the log gives.

        Raises:
            Problem: what the log refuses, or that it is out of order.
        """
        async with _problems(_TIMEOUT_S):
            return await self._in_thread(function, *arguments)

    async def check(self) -> None:
        """Write to the log and read it.

        Raises:
            Problem: it is out of order.
        """
        async with _problems(_CHECK_TIMEOUT_S):
            await self._in_thread(self.log.check)

    def close(self) -> None:
        """Finish what is being asked."""
        self._writer.shutdown()
        self._others.shutdown()

    async def _in_thread(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        asked = functools.partial(function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._others, asked)


@contextlib.asynccontextmanager
async def _problems(timeout_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except UnknownReading:
        raise Problem(
            404, "unknown-reading", "the log has no such image: see its id, or it is past its retention"
        ) from None
    except KeyReused as error:
        raise Problem(422, "key-reused", str(error)) from None
    except KeyInProgress as error:
        raise Problem(409, "key-in-progress", str(error), headers={"Retry-After": "2"}) from None
    except (InvalidData, InvalidOption) as error:
        raise Problem(422, "invalid-review", str(error)) from None
    except (LogUnavailable, TimeoutError) as error:
        _log.error("%s", error if isinstance(error, LogUnavailable) else "the reading log does not answer")
        raise Problem(
            503,
            "log-unavailable",
            "the reading log cannot be used, so nothing is read: see its disk or database",
            headers={"Retry-After": "5"},
        ) from None
