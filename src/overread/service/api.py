"""The API for programs."""

from __future__ import annotations

import json
from importlib import resources
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse, Response

from overread.service.problems import Problem, declared
from overread.service.receiving import receive_uploads
from overread.service.records import ReadingRecord
from overread.service.room import ReadingRoom

router = APIRouter()


def room_of(request: Request) -> ReadingRoom:
    """The room of the application."""
    room: ReadingRoom = request.app.state.room
    return room


@router.post("/v1/readings")
async def read_images(
    request: Request,
    bundle: Annotated[str | None, Query(description="Id of the bundle that reads; the first of /v1/bundles if none is named.")] = None,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> Response:
    """Read images: files of any number and format, zip files of them among them."""
    room = room_of(request)
    room.reader(bundle)
    with room.receiving():
        uploads = await receive_uploads(request, room.settings)
        record = await room.read(uploads, bundle, idempotency_key)
    return answer(record)


def answer(record: ReadingRecord) -> Response:
    """The record as a response: 200 if at least one image was read, else a problem with every reason."""
    content = record.to_dict()
    for item in content["images"]:
        item["name"] = item["result"]["path"]
    if all(image.code for image in record.images):
        errors = [
            {"index": image.index, "name": image.name, "code": image.code, "detail": image.result.to_dict()["error"]}
            for image in record.images
        ]
        raise Problem(422, "unreadable", "none of the images could be read", errors=errors)
    return JSONResponse(content)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The server lives."""
    return {"status": "alive"}
