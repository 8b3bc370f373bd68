"""The connections of a server: so many at a time, and none that keeps it waiting without end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from overread.service.settings import MIB

# asyncio accepts as many in one go, and goes about four times before it tells of the first.
BACKLOG = 100
_UNTOLD = 4 * BACKLOG
_MOST = 1000
_FEWEST = 32
# Of the program itself: database, bundles, logs, and the pipes of each process that decodes.
_OWN_FILES, _FILES_OF_A_WORKER = 128, 8
# For the header of a request to be whole, from when its connection is made or its last answer was sent.
WAIT_S = 10.0
# What a client takes of an answer that does not fit into the buffers of its connection.
SLOWEST_BYTES_PER_S = 8 * 1024
_MOST_UNSENT = 256 * MIB
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def connections_at_most(workers: int) -> int:
    """How many connections a server can have open beside its own files, after raising its limit of descriptors."""
    try:
        import resource
    except ImportError:  # Windows counts them otherwise
        return _MOST
    own = _UNTOLD + _OWN_FILES + _FILES_OF_A_WORKER * workers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + own if hard == resource.RLIM_INFINITY else min(_MOST + own, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return _MOST if soft == resource.RLIM_INFINITY else max(_FEWEST, min(_MOST, soft - own))


class Connections:
    """The connections of one server; uvicorn calls it for the protocol of each.

    Where all places are taken, the connection that has waited longest for its client gives way to a new one, so that
    whoever sends a request gets an answer however many send none. So does the answer that has waited longest for its
    client where too many bytes are unsent.

    Args:
        most: places.
        wait_s: for the header of a request, and between two looks at how much of an answer its client has taken.
    """

    def __init__(self, most: int, *, wait_s: float = WAIT_S) -> None:
        self.most, self.wait_s = most, wait_s
        # The longest first, as dictionaries keep their order.
        self.waiting: dict[Connection, asyncio.TimerHandle] = {}
        self.unsent: dict[Connection, asyncio.TimerHandle] = {}

    def __call__(self, **given: Any) -> Connection:
        """The protocol of a new connection."""
        return Connection(self, **given)

    def make_room(self, new: Connection) -> None:
        """Have a connection give way to the new one, or the new one itself where each is being answered."""
        if len(new.connections) > self.most:
            longest = next(iter(self.waiting))
            if longest is new:
                new.transport.write(_FULL)
            longest.end()

    def limit_unsent(self) -> None:
        """End answers that wait for their clients, the longest first, until the others are few enough bytes."""
        sizes = {one: one.transport.get_write_buffer_size() for one in self.unsent}
        for one in list(sizes)[:-1]:
            if sum(sizes.values()) <= _MOST_UNSENT:
                return
            del sizes[one]
            one.end()


class Connection(H11Protocol):
    """The protocol of one connection, which ends it when its client is silent."""

    def __init__(self, book: Connections, **given: Any) -> None:
        super().__init__(**given)
        self._book = book

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, where there is a place."""
        super().connection_made(transport)
        self._wait()
        self._book.make_room(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the book."""
        self._forget(self._book.waiting)
        self._forget(self._book.unsent)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Wait no longer, once the header of a request is whole."""
        try:
            super().handle_events()
        except h11.LocalProtocolError:  # nonsense that follows a request which has its answer: there can be no other
            self.end()
        if self.cycle is not None and not self.cycle.response_complete:
            self._forget(self._book.waiting)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; the application, which may have the start of it, can answer no more."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        super().send_400_response(msg)

    def on_response_complete(self) -> None:
        """Wait for the next request; what is left of the body of this one does not count."""
        if not self.flow.write_paused:
            self._wait()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Watch how fast the client takes its answer."""
        super().pause_writing()
        self._watch()
        self._book.limit_unsent()

    def resume_writing(self) -> None:
        """The client has taken most of its answer."""
        super().resume_writing()
        self._forget(self._book.unsent)
        if self.cycle is not None and self.cycle.response_complete:
            self._wait()

    def end(self) -> None:
        """End the connection at once, whatever is unsent."""
        self._forget(self._book.waiting)
        self._forget(self._book.unsent)
        # Not `abort`, which is `close` without what is unsent, where nothing is.
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _wait(self) -> None:
        self._forget(self._book.waiting)
        self._book.waiting[self] = self.loop.call_later(self._book.wait_s, self.end)

    def _watch(self) -> None:
        left = self.transport.get_write_buffer_size()
        self._book.unsent[self] = self.loop.call_later(self._book.wait_s, self._look_again, left)

    def _look_again(self, before: int) -> None:
        taken = before - self.transport.get_write_buffer_size()
        if taken < SLOWEST_BYTES_PER_S * self._book.wait_s:
            self.end()
        else:
            self._watch()

    def _forget(self, book: dict[Connection, asyncio.TimerHandle]) -> None:
        if timer := book.pop(self, None):
            timer.cancel()
