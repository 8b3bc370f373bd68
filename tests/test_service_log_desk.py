"""A log that hangs keeps nobody waiting for ever, and readiness is found out once for all who ask."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from overread.service.problems import Problem
from overread.service.room.log_desk import LogDesk
from overread.service.room.readiness import Readiness


def test_a_database_that_hangs_is_a_problem_for_those_who_ask_it_and_for_nobody_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("_TIMEOUT_S", "_CHECK_TIMEOUT_S"):
        monkeypatch.setattr(f"overread.service.room.log_desk.{name}", 0.2)
    goes_on = threading.Event()

    def hang(*_: object) -> list[None]:
        goes_on.wait(20)
        return [None]

    log: Any = SimpleNamespace(begin_all=hang, add_all=hang, check=hang, get=hang)
    desk = LogDesk(log)

    async def ask_all() -> list[Any]:
        asked = [desk.claim("key", "digest"), desk.check(), *(desk.ask(log.get, "id") for _ in range(20))]
        found = asyncio.gather(*asked, return_exceptions=True)
        began = time.monotonic()
        await asyncio.to_thread(time.sleep, 0)
        assert time.monotonic() - began < 10  # where they held the threads, 20
        return await found

    statuses = [problem.status_code for problem in asyncio.run(ask_all())]
    goes_on.set()
    desk.close()
    assert statuses == [503] * 22
    assert set(caplog.messages) == {"the reading log does not answer"}


def test_readiness_is_found_out_once_in_three_seconds() -> None:
    async def ask() -> list[Any]:
        now, found, times = 0.0, [Problem(503, "not-ready", "no"), None], []

        async def find_out() -> None:
            times.append(now)
            await asyncio.sleep(0)
            if problem := found[len(times) - 1]:
                raise problem

        readiness = Readiness(find_out, clock=lambda: now)
        first = await asyncio.gather(*(readiness.problem() for _ in range(50)))
        now = 2.9
        again = await readiness.problem()
        now = 3.0
        assert await readiness.problem() is None
        assert times == [0.0, 3.0]
        return [*first, again]

    assert {problem.status_code for problem in asyncio.run(ask())} == {503}
