"""Bodies that come slowly, or are more than there is memory for: those give way that keep the others out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from overread.service.bodies import Bodies, Body
from overread.service.problems import Problem

KIB = 1024


class Client:
    """Sends what it is told to, by a clock that it moves."""

    def __init__(self, bodies: Bodies, most: int = 100 * KIB) -> None:
        self.parts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.passage = bodies.body(self.parts.get, most)
        self.body: Body = self.passage.__enter__()

    def send(self, size: int, *, more: bool = True) -> None:
        self.parts.put_nowait({"type": "http.request", "body": bytes(size), "more_body": more})

    async def sends(self, size: int, *, more: bool = True) -> None:
        self.send(size, more=more)
        await self.body.receive()


async def status_of(awaited: Any) -> int:
    try:
        await awaited
    except Problem as problem:
        return problem.status_code
    return 200


def test_a_body_that_stops_is_given_up_and_one_that_is_slow_but_steady_is_not() -> None:
    async def both() -> None:
        now = 0.0
        bodies = Bodies(10**9, 120, clock=lambda: now)
        steady, silent = Client(bodies, 10**8), Client(bodies)
        for _ in range(110):
            now += 1
            await steady.sends(20 * KIB)
        assert 110 < steady.body.deadline <= 120
        assert 20 < silent.body.deadline < 30
        assert await status_of(silent.body.receive()) == 408
        now = 121
        assert await status_of(steady.body.receive()) == 408

    asyncio.run(both())


def test_a_trickle_is_given_up_though_it_never_stops() -> None:
    async def trickle() -> int:
        now = 0.0
        client = Client(Bodies(10**9, 120, clock=lambda: now))
        while await status_of(client.sends(100)) == 200:
            now += 0.5
            if now > client.body.deadline:
                break
        return round(now)

    assert asyncio.run(trickle()) < 40


def test_where_there_is_no_room_the_slowest_gives_way_and_what_it_sent_is_forgotten() -> None:
    async def several() -> None:
        now = 0.0
        bodies = Bodies(200 * KIB, 120, clock=lambda: now)
        slow, fast = Client(bodies), Client(bodies)
        await slow.sends(90 * KIB)
        waits = asyncio.create_task(status_of(slow.body.receive()))
        for _ in range(10):
            now += 1
            await asyncio.sleep(0)
            await fast.sends(9 * KIB)
        late = Client(bodies)
        await late.sends(60 * KIB, more=False)
        assert await waits == 503
        assert bodies.held_bytes == 150 * KIB
        await fast.sends(5 * KIB, more=False)
        another = Client(bodies)
        assert await status_of(another.sends(60 * KIB)) == 503, "those that are being answered give no way"
        for client in (slow, fast, late, another):
            client.passage.__exit__(None, None, None)
        assert bodies.held_bytes == 0

    asyncio.run(several())


def test_a_body_longer_than_allowed_is_refused_and_after_the_last_part_there_is_no_hurry() -> None:
    async def long() -> None:
        now = 0.0
        bodies = Bodies(10**9, 120, clock=lambda: now)
        assert await status_of(Client(bodies, 10).sends(11)) == 413
        whole = Client(bodies)
        await whole.sends(5, more=False)
        now = 1e6
        whole.parts.put_nowait({"type": "http.disconnect"})
        assert (await whole.body.receive())["type"] == "http.disconnect"

    asyncio.run(long())


@pytest.mark.parametrize("seconds", [0.05])
def test_silence_ends_by_the_real_clock_too(seconds: float) -> None:
    assert asyncio.run(status_of(Client(Bodies(10**9, seconds)).body.receive())) == 408
