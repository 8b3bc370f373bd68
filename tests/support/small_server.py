"""A real server of a small application, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn

from overread.service.connections import Connections
from overread.service.server import listen


@contextlib.contextmanager
def serving(app: Any, book: Connections) -> Iterator[tuple[str, int]]:
    """Where an application answers, by connections of a book."""
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(app, http=book, ws="none", lifespan="off", log_config=None, timeout_graceful_shutdown=1)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield listening.getsockname()
    finally:
        server.should_exit = True
        thread.join()


def is_closed(opened: socket.socket, within_s: float) -> bool:
    """Whether the other side ends a connection within so many seconds; what it says before is read."""
    opened.settimeout(within_s)
    try:
        while opened.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True
