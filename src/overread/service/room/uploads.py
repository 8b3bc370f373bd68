"""Multipart requests to uploads, in memory and within limits."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from overread.service.problems import Problem
from overread.service.room.records import Upload
from overread.service.settings import Settings

_BROKEN = "the multipart body is damaged or ends early, or its header names no boundary"


class Whole(MultiPartParser):
    """Starlette's parser, which tells whether the end came; files above 1 MB lie on the disk, where no name leads."""

    is_complete = False

    def on_end(self) -> None:
        """The closing boundary came."""
        self.is_complete = True

    def close(self) -> None:
        """Let go of the files, those of parts without an end among them."""
        for file in self._files_to_close_on_error:
            file.close()


class _InMemory(Whole):
    """Nothing is written to the disk: images stay in memory."""

    spool_max_size = 0


async def receive_uploads(request: Request, settings: Settings, *, most: int | None = None) -> list[Upload]:
    """The files of a multipart request, in the order sent, at most so many or as the settings say.

    Raises:
        Problem: 415, 400 or 413: no multipart, a broken one, too many files.
    """
    async with parsed(request, most or settings.max_files, _InMemory) as files:
        return [Upload(name=file.filename or "", content=await file.read()) for file in files]


@contextlib.asynccontextmanager
async def parsed(request: Request, most: int, parser_class: type[Whole]) -> AsyncIterator[list[UploadFile]]:
    """The parts of a multipart request that are files, for as long as they are open.

    Raises:
        Problem: as `receive_uploads`.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Problem(415, "not-multipart", "expected multipart/form-data with one or more files in the field `files`")
    parser = parser_class(request.headers, request.stream(), max_files=most, max_fields=8, max_part_size=4096)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):
            raise Problem(413, "too-many-files", f"{most} files are taken at a time: send fewer") from None
        raise Problem(400, "broken-multipart", _BROKEN) from None
    except (MultipartParseError, ValueError, KeyError, UnicodeError):
        raise Problem(400, "broken-multipart", _BROKEN) from None
    try:
        if not parser.is_complete:
            raise Problem(400, "broken-multipart", _BROKEN)
        yield [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    finally:
        parser.close()
