"""The bodies of requests that a server holds in memory: each arrives fast enough, and all of them fit."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator

from starlette.types import Message, Receive

from overread.service.memory import AFTER_BYTES, give_back
from overread.service.problems import Problem, too_busy

# Given up below this speed. What arrived longer ago counts for less, by a factor of e in so many seconds.
_SLOWEST_BYTES_PER_S = 8 * 1024
_MEMORY_S = 5.0
# With which a body begins: one of which nothing arrives is given up after 24 s.
_FIRST_BYTES_PER_S = 1024 * 1024


class Bodies:
    """All bodies that are arriving or belong to a request which is being answered.

    Where they have no more room, the slowest of those that arrive gives way, so that slow clients keep nobody out.

    Args:
        room_bytes: for all of them.
        timeout_s: for one to arrive, however fast it comes.
        clock: gives seconds that never go back.
    """

    def __init__(self, room_bytes: int, timeout_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.timeout_s, self.clock = timeout_s, clock
        self._room_bytes = room_bytes
        self._bodies: set[Body] = set()
        self._let_go_bytes = 0

    @property
    def held_bytes(self) -> int:
        """What is in memory now."""
        return sum(body.held_bytes for body in self._bodies)

    @contextlib.contextmanager
    def body(self, receive: Receive, most: int) -> Iterator[Body]:
        """One more body of at most so many bytes, held until its request is answered."""
        body = Body(self, receive, most)
        self._bodies.add(body)
        try:
            yield body
        finally:
            self._bodies.discard(body)
            self._let_go_bytes += body.received
            if self._let_go_bytes > AFTER_BYTES:
                self._let_go_bytes = 0
                # In a thread, since it may take 100 ms.
                asyncio.get_running_loop().run_in_executor(None, give_back)

    def make_room(self) -> None:
        """Have the slowest that arrive give way, while there are too many bytes."""
        excess = self.held_bytes - self._room_bytes
        arriving = sorted((body for body in self._bodies if body.is_arriving), key=lambda body: body.deadline)
        for body in arriving:
            if excess <= 0:
                return
            excess -= body.held_bytes
            body.give_way()


class Body:
    """The body of one request, whose `receive` an application is given."""

    def __init__(self, bodies: Bodies, receive: Receive, most: int) -> None:
        self._bodies, self._receive, self._most = bodies, receive, most
        self._began = self._last = bodies.clock()
        self._speed = float(_FIRST_BYTES_PER_S)
        self._waiting: asyncio.Timeout | None = None
        self.received, self.is_arriving, self._gave_way = 0, True, False

    @property
    def held_bytes(self) -> int:
        """What of it is in memory."""
        return 0 if self._gave_way else self.received

    @property
    def deadline(self) -> float:
        """When it is given up, unless more of it arrives before, in seconds of the clock."""
        patience = _MEMORY_S * math.log(max(self._speed / _SLOWEST_BYTES_PER_S, 1))
        return min(self._last + patience, self._began + self._bodies.timeout_s)

    async def receive(self) -> Message:
        """The next part.

        Raises:
            Problem: it is too long or too slow, or has to give way to others.
        """
        self._raise_if_given_up()
        if not self.is_arriving:
            return await self._receive()
        try:
            async with asyncio.timeout(self.deadline - self._bodies.clock()) as self._waiting:
                message = await self._receive()
        except TimeoutError:
            self._raise_if_given_up()
            raise Problem(408, "too-slow", "the request took too long to arrive: send fewer files at a time") from None
        finally:
            self._waiting = None
        self._count(message)
        return message

    def give_way(self) -> None:
        """End what arrives, and forget it."""
        self._gave_way, self.is_arriving = True, False
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(0)

    def _count(self, message: Message) -> None:
        now, size = self._bodies.clock(), len(message.get("body", b""))
        self._speed = self._speed * math.exp((self._last - now) / _MEMORY_S) + size / _MEMORY_S
        self._last = now
        self.received += size
        if self.received > self._most:
            raise too_large(self._most)
        self._bodies.make_room()
        self._raise_if_given_up()
        self.is_arriving = message.get("more_body", False)

    def _raise_if_given_up(self) -> None:
        if self._gave_way:
            raise too_busy("more bytes are being sent than there is memory for: try again in a few seconds")


def too_large(most: int) -> Problem:
    """The answer to a body of more bytes than these."""
    return Problem(413, "too-large", f"the request has more than {most} bytes: send fewer files at a time")
