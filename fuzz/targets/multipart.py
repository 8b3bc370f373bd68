"""Bodies of uploads: `receive_uploads` takes them, and says 4xx to what is damaged.

The first line of an input is the Content-Type header; the rest is the body.
"""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request

from overread.service.problems import Problem
from overread.service.room.uploads import receive_uploads
from overread.service.settings import MIB, Settings

_SETTINGS = Settings(max_files=8, max_upload_bytes=MIB)
TOKENS = (
    b"\r\n--x",
    b"--x--\r\n",
    b"Content-Disposition: form-data; name=",
    b'filename="',
    b"filename*=UTF-8''",
    b"multipart/form-data; boundary=x",
)


def one_input(data: bytes) -> None:
    """Receive the files of a request."""
    kind, _, body = data.partition(b"\n")
    messages = [
        {"type": "http.request", "body": body[:20], "more_body": True},
        {"type": "http.request", "body": body[20:]},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    request = Request({"type": "http", "headers": [(b"content-type", kind)]}, receive)
    try:
        asyncio.run(receive_uploads(request, _SETTINGS))
    except Problem as problem:
        assert 400 <= problem.status_code < 500, problem.status_code
