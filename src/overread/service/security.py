"""Who may use the server, and how browsers are told to treat its answers."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overread.service.bodies import Bodies, too_large
from overread.service.entry import Entry
from overread.service.logs import raised_at
from overread.service.problems import Problem
from overread.service.prometheus import Metrics
from overread.service.settings import Settings, is_loopback

COOKIE = "overread"
# Without a token: whether the server lives, and what the login page is made of.
_OPEN = ("/healthz", "/readyz", "/login")
_STATIC = "/static/"
_UPLOADS = ("/v1/readings", "/v1/explanations", "/")
# Of which there may be any, made up by a client; as labels of a metric they would grow without end.
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
_SMALL_BODY = 64 * 1024
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer, with which browsers give the origin of a form as null, and it could not be checked.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_log = logging.getLogger("overread.service")


class Guard:
    """Stands before the application: host name, origin, token, size and speed of the body; and counts what passes."""

    def __init__(self, app: ASGIApp, settings: Settings, entry: Entry | None, metrics: Metrics) -> None:
        self._app, self._settings, self._entry, self._metrics = app, settings, entry, metrics
        self.bodies = Bodies(settings.max_requests * settings.max_upload_bytes, settings.upload_timeout_s)
        metrics.body_bytes.set_function(lambda: self.bodies.held_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        connection = HTTPConnection(scope)
        try:
            self._check(connection, scope["method"])
            if not self._may_enter(connection):
                await self._turn_away(connection)(scope, receive, guarded)
                return
            with self.bodies.body(receive, self._most_bytes(connection)) as body:
                await self._app(scope, body.receive, guarded)
        except Problem as problem:
            await problem.response(connection.headers.get("accept", ""))(scope, receive, guarded)
        except ClientDisconnect:
            pass
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote the request and is not logged
            _log.error("a request failed: %s at %s", type(error).__name__, raised_at(error))
            if not status:
                failed = Problem(500, "internal-error", "the server failed: its log names the place")
                await failed.response()(scope, receive, guarded)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, str(status)).inc()

    def _check(self, connection: HTTPConnection, method: str) -> None:
        host = connection.headers.get("host", "")
        name = _host_name(host)
        # A foreign name that leads to this machine is how a page of the web would reach a local server.
        if self._settings.token is None and not is_loopback(name):
            raise Problem(421, "wrong-host", "this server answers to localhost only")
        if self._settings.names and not (is_loopback(name) or name in (*self._settings.names, self._settings.host)):
            raise Problem(421, "wrong-host", "this server does not answer to that host name")
        if "content-length" in connection.headers and "transfer-encoding" in connection.headers:
            # A proxy may go by the other one, and take the end of this body for a request of its own.
            raise Problem(
                400, "two-lengths", "give Content-Length or Transfer-Encoding", headers={"Connection": "close"}
            )
        if method in ("GET", "HEAD", "OPTIONS"):
            return
        site, origin = connection.headers.get("sec-fetch-site"), connection.headers.get("origin")
        own = site in ("same-origin", "none") if site else origin is None or _netloc(origin) == host.lower()
        if not own:
            raise Problem(403, "cross-origin", "a page of another origin may send nothing here")

    def _may_enter(self, connection: HTTPConnection) -> bool:
        entry, path = self._entry, connection.scope["path"]
        if entry is None or path in _OPEN or path.startswith(_STATIC):
            return True
        scheme, _, presented = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return entry.is_right(presented.strip(), address_of(connection))
        return entry.is_session(connection.cookies.get(COOKIE, ""))

    def _most_bytes(self, connection: HTTPConnection) -> int:
        """What a body may have, where what it declares to have is within that."""
        most = self._settings.max_upload_bytes if connection.scope["path"] in _UPLOADS else _SMALL_BODY
        declared = connection.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > most:
            raise too_large(most)
        return most

    def _turn_away(self, connection: HTTPConnection) -> ASGIApp:
        if connection.scope["method"] == "GET" and "text/html" in connection.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        return Problem(
            401,
            "token-needed",
            "present the token of this server: Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": 'Bearer realm="overread"'},
        ).response()


def address_of(connection: HTTPConnection) -> str:
    """Of the client; empty where it has none, as on a socket of the file system."""
    return connection.client.host if connection.client else ""


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
