"""The frames of an exam that was read, one by one as somebody scrolls through them."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from overread.machine.files import to_json
from overread.service.api.openapi import page
from overread.service.problems import Problem
from overread.service.room.decoding import Undecodable
from overread.service.room.exams.shelf import Kept
from overread.service.room.room import room_of
from overread.service.values import ImageIndex, ReadingId
from overread.service.web.exam_view import view_frame, where
from overread.service.web.html import html
from overread.service.web.view import view_picture

router = APIRouter()
FrameIndex = Annotated[int, Path(description="Of a frame in its exam, from 0.", ge=0)]
Level = Annotated[int, Path(description="How often the sides of a slide are halved.", ge=0, le=24)]
Place = Annotated[int, Path(description="Of a part of a slide, from 0.", ge=0, lt=2**24)]
_GONE = "the exam is on this server no more, for nobody has looked at it for a while: read it again"


@router.get("/readings/{reading_id}/images/{index}/frames/{frame}", include_in_schema=False)
async def frame_of(request: Request, reading_id: ReadingId, index: ImageIndex, frame: FrameIndex) -> Response:
    """What the page shows of one frame."""
    kept = _kept(request, reading_id, index)
    if frame >= len(kept.reading.frames):
        raise Problem(404, "unknown-frame", "the exam has no such frame")
    try:
        told = await asyncio.to_thread(_told, kept, frame)
    except Undecodable as error:
        raise Problem(422, error.code, f"the frame {error.reason}") from None
    # Whoever looks at it again has it, but no disk.
    return Response(to_json(told), media_type="application/json", headers={"Cache-Control": "private, no-store"})


@router.get("/readings/{reading_id}/images/{index}/slide/{level}/{column}/{row}", include_in_schema=False)
async def part_of(
    request: Request, reading_id: ReadingId, index: ImageIndex, level: Level, column: Place, row: Place
) -> Response:
    """A part of a slide, as somebody moves over it."""
    kept = _kept(request, reading_id, index)
    if kept.slide is None:
        raise Problem(404, "no-slide", "the exam is no slide")
    if not kept.slide.has_part(level, column, row):
        raise Problem(404, "unknown-part", "the slide has no such part")
    try:
        content = await asyncio.to_thread(kept.exam.frames.part, kept.slide, level, column, row)
    except Undecodable as error:
        raise Problem(422, error.code, f"the part {error.reason}") from None
    return Response(content, media_type="image/jpeg")


@router.post(
    "/readings/{reading_id}/images/{index}/remove",
    **page("Removed.", s403="A page of another origin may send nothing.", s404="The exam is there no more."),
)
async def remove(request: Request, reading_id: ReadingId, index: ImageIndex) -> Response:
    """Remove the files of an exam that was read; what the log holds of it stays."""
    if not room_of(request).exams.shelf.remove((reading_id, index)):
        raise Problem(404, "no-exam", _GONE)
    return html("message.html.j2", heading="The exam is removed", text="Its files are on this server no more.")


def _kept(request: Request, reading_id: str, index: int) -> Kept:
    kept = room_of(request).exams.shelf.get((reading_id, index))
    if kept is None:
        raise Problem(404, "no-exam", _GONE)
    return kept


def _told(kept: Kept, index: int) -> dict[str, Any]:
    seen = view_frame(kept, index)
    picture = view_picture(seen.rendition)
    values = picture.window
    return {
        "where": where(kept.reading, index),
        "picture": picture.uri,
        "width": picture.width,
        "height": picture.height,
        "values": None if values is None else {"uri": values["uri"], "facts": json.loads(values["facts"])},
        "heats": {heat.label: heat.uri for heat in seen.heats},
    }
