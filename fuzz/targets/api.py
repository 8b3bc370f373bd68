"""Requests to the whole application: the bytes of one HTTP/1.1 request, as they come over the wire.

What is no HTTP ends in h11, which uvicorn has and which is used here too. Every other request has an answer below 500
that can be sent, and gives its place back. Every PNG has the same reading here, and all else is unreadable.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import h11
import numpy as np
from fastapi import FastAPI
from PIL import Image

from overread.bundle import GRAPH, WEIGHTS, Bundle
from overread.formats import open_picture
from overread.reading import Reading
from overread.reading_log import ReadingLog
from overread.service.app import create_app
from overread.service.room.decoding import Decoded, Undecodable
from overread.service.room.rendition import render
from overread.service.room.zips import Limits, unpack
from overread.service.settings import MIB, Settings
from support.documents import TWO, bundle_of, predictions

TOKEN = "sixteen letters!"
TOKENS = (
    b"GET ", b"POST ", b"/v1/readings", b"/v1/explanations", b"/v1/bundles/", b"/images/0/review", b"/login",
    b"/readings/", b"?bundle=", b"&class=", b"&opacity=", b"Host: localhost\r\n", b"Cookie: overread=",
    b"Authorization: Bearer " + TOKEN.encode(), b"Content-Length: ", b"Content-Type: application/json\r\n",
    b"Idempotency-Key: ", b"Accept: text/html\r\n", b"Origin: ", b"Sec-Fetch-Site: ", b"Transfer-Encoding: chunked",
    b'{"true_label": "', b'{"agrees": true}', b"%00", b"%ff", b"%0d%0a", b"9223372036854775808", b"\r\n\r\n",
)  # fmt: skip


def _png() -> bytes:
    stream = io.BytesIO()
    Image.new("L", (8, 8), 7).save(stream, "PNG")
    return stream.getvalue()


with open_picture(_png(), "a.png", max_pixels=MIB) as _picture:
    _RENDITION = render(_picture)


class _Pool:
    """In place of the processes that decode."""

    async def decode(self, content: bytes, name: str, preprocessing: object, *, to_show: bool) -> Decoded:
        if not content.startswith(b"\x89PNG"):
            raise Undecodable("unreadable", "is no image")
        return Decoded(pixels=np.zeros((8, 8, 1), np.uint8), rendition=_RENDITION if to_show else None, seconds=0.0)

    async def unpack(self, content: bytes, limits: Limits) -> list[tuple[str, bytes]]:
        try:
            return unpack(content, limits)
        except ValueError as error:
            raise Undecodable("unreadable", str(error)) from None

    async def answers(self) -> bool:
        return True


def _read(names: list[str], pixels: np.ndarray, *, side_by_side: bool) -> list[Reading]:
    """What a bundle at work says, always the same."""
    reading = Reading(
        path=names[0], task=_BUNDLE.task, predicted_label=TWO[1], probabilities=dict(zip(TWO, (0.2, 0.8), strict=True)),
        threshold=0.5, activation_map=np.ones((2, 2, 1), np.float32), pixels=pixels[0], prediction_set=(TWO[1],),
        unfamiliarity=0.5, refer=(), projection=np.zeros(2, np.float32),
    )  # fmt: skip
    return [reading]


def _written(folder: Path) -> Bundle:
    graph = folder / "graph"
    graph.write_bytes(b"no graph")
    return bundle_of(predictions(TWO), files={}).write(folder / "bundle", {GRAPH: graph, WEIGHTS: graph})


def _app(folder: Path, token: str | None) -> FastAPI:
    """The application without processes; the log is a file, as it is by default."""
    settings = Settings(token=token, max_files=8, max_waiting=8, max_upload_bytes=MIB, max_file_bytes=MIB // 2)
    log = ReadingLog.open(f"sqlite:///{folder}/{token}.sqlite")
    reader: Any = SimpleNamespace(bundle=_BUNDLE, reads_exams=False, read_prepared=_read)
    app = create_app({"one": reader}, settings, log)
    app.state.room.pool.close()
    app.state.room.pool = _Pool()
    return app


_FOLDER = tempfile.TemporaryDirectory(prefix="overread-fuzz-")
_BUNDLE = _written(Path(_FOLDER.name))
_OPEN, _GUARDED = (_app(Path(_FOLDER.name), token) for token in (None, TOKEN))
_LOOP = asyncio.new_event_loop()


def one_input(data: bytes) -> None:
    """Answer a request."""
    parser = h11.Connection(h11.SERVER)
    try:
        parser.receive_data(data)
        request, body = parser.next_event(), b""
        while type(event := parser.next_event()) is h11.Data:
            body += bytes(event.data)
    except h11.RemoteProtocolError:
        return
    if isinstance(request, h11.Request):
        _LOOP.run_until_complete(_answer(request, body, is_whole=type(event) is h11.EndOfMessage))


async def _answer(request: h11.Request, body: bytes, *, is_whole: bool) -> None:
    path, _, query = request.target.partition(b"?")
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "scheme": "http",
        "method": request.method.decode("ascii"), "raw_path": path, "path": unquote(path.decode("ascii")),
        "root_path": "", "query_string": query, "headers": list(request.headers), "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80), "state": {},
    }  # fmt: skip
    messages = [{"type": "http.request", "body": body, "more_body": not is_whole}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    guarded = b"/login" in path or any(name in (b"authorization", b"cookie") for name, _ in request.headers)
    app = _GUARDED if guarded else _OPEN
    await app(scope, receive, send)
    _check(sent, is_whole=is_whole)
    assert app.state.room._answering == app.state.room._waiting == 0, "a place is not given back"


def _check(sent: list[Any], *, is_whole: bool) -> None:
    assert sent or not is_whole, "no answer"
    if sent:
        h11.Response(status_code=sent[0]["status"], headers=sent[0]["headers"])  # raises where they cannot be sent
        assert sent[0]["status"] < 500, sent[0]["status"]
