"""`overread serve`: bundles, log and settings to a server that runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from overread.errors import InvalidOption, MissingExtra
from overread.reading import Reader
from overread.service.logs import log_error_of_loop, log_seldom
from overread.service.settings import Settings

# What is being read when the server is told to stop has this long to finish.
_GRACE_S = 60


def serve(
    bundles: Sequence[Path],
    settings: Settings,
    *,
    port: int = 8000,
    log_url: str | None = None,
    retention_days: float | None = None,
    announce: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve bundles until SIGTERM or SIGINT, and then finish what is being read.

    Args:
        bundles: directories or zips; the first reads where none is named.
        settings: address, token, limits.
        port: to listen on; 0 for any that is free.
        log_url: database of the reading log; by default a file in the user's state folder.
        retention_days: how long the log keeps a reading; for ever by default.
        announce: called with the URL once it listens.

    Raises:
        MissingExtra: the libraries of the service are not installed.
        MissingPath, InvalidBundle: a bundle cannot be opened.
        InvalidOption: the address cannot be listened on, or no log is at the URL.
        LogUnavailable: the log cannot be written.
    """
    try:
        import uvicorn

        from overread.reading_log import ReadingLog, default_url
        from overread.service.app import create_app
        from overread.service.connections import BACKLOG, Connections, connections_at_most
    except ImportError as error:
        raise MissingExtra("serving needs FastAPI and more: pip install 'overread[serve]'") from error
    opened = [Reader.load(path) for path in bundles]
    readers = {reader.bundle.fingerprint[:12]: reader for reader in opened}
    listening = listen(settings.host, port)
    log = ReadingLog.open(log_url or default_url(), retention_days=retention_days)
    try:
        app = create_app(readers, settings, log)
        config = uvicorn.Config(
            app,
            http=Connections(connections_at_most(settings.workers)),  # type: ignore[arg-type]
            backlog=BACKLOG,
            # Its access log would hold addresses, and its own set-up of logging goes to standard output.
            access_log=False,
            log_config=None,
            server_header=False,
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=_GRACE_S,
        )
        name = f"[{settings.host}]" if ":" in settings.host else settings.host
        announce(f"http://{name}:{listening.getsockname()[1]}/")
        # After its last answer uvicorn sends itself the signal again, which would end the process here.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        log_seldom()
        asyncio.run(_run(uvicorn.Server(config), listening))
    finally:
        log.close()
        listening.close()


async def _run(server: Any, listening: socket.socket) -> None:
    asyncio.get_running_loop().set_exception_handler(log_error_of_loop)
    await server.serve(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens, of a kind whose answers leave at once.

    Raises:
        InvalidOption: the address cannot be listened on.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.create_server(address[:2], family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidOption(f"{host} port {port} cannot be listened on ({reason}): choose another --port") from None
    # asyncio turns Nagle's algorithm off only where a socket names its protocol, which `create_server` leaves open:
    # each answer waited 40 ms for the client to acknowledge its headers (November 2026).
    return socket.socket(listening.family, listening.type, socket.IPPROTO_TCP, fileno=listening.detach())
