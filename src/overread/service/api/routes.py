"""The API for programs."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field, model_validator

from overread.machine.content.text import restored
from overread.machine.files import to_json
from overread.reading import Failure, Reader
from overread.reading.pictures import OPACITY, overlay
from overread.reading_log import ReadingRow
from overread.service.api import openapi
from overread.service.problems import Problem
from overread.service.room.log_desk import LogDesk
from overread.service.room.records import ReadingRecord, logged
from overread.service.room.reviews import note_review
from overread.service.room.room import room_of
from overread.service.values import (
    LONGEST_LABEL,
    BundleId,
    BundleName,
    GivenName,
    ImageIndex,
    Key,
    ReadingId,
)

router = APIRouter()


class GivenReview(BaseModel):
    """What a human says of an image: that the predicted label is the true one, or which is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"agrees": True}, {"true_label": "Normal"}, {"shows": ["Effusion", "Mass"]}]},
    )
    agrees: bool | None = Field(None, description="True: the predicted label is the true one.")
    true_label: str | None = Field(
        None,
        description="The class that the human sees, or what else predicted_label may be.",
        max_length=LONGEST_LABEL,
    )
    shows: list[GivenName] | None = Field(
        None,
        description="The classes that the human sees: findings, none for none of them; one of each of several tasks.",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> GivenReview:
        if [self.agrees is True, self.true_label is not None, self.shows is not None].count(True) != 1:
            raise ValueError(
                'give {"agrees": true}, {"true_label": CLASS} with the class that you see, or {"shows": [FINDING, ...]}'
            )
        return self


@router.post("/v1/readings", **openapi.READ)
async def read_images(
    request: Request,
    bundle: BundleId = None,
    each: Annotated[bool, Query(description="Tell what each frame of an exam gave to its answer.")] = False,
    idempotency_key: Key = None,
) -> Response:
    """Read images: several files in a multipart body, zip files of images among them.

    A bundle that reads exams makes exams of the files, as its own were gathered: by series or study of DICOM, by the
    folder in their names, or each file by itself. Files that came without a folder are one exam, and so is each
    folder of a zip. Answers 200 when at least one was read; each that was not is an item with a code and an error.
    """
    room = room_of(request)
    async with room.uploads(request, bundle) as uploads:
        if idempotency_key is None:
            return _answer(await room.read(uploads, bundle), each=each)
        return _answer(await room.read_once(uploads, bundle, idempotency_key), each=each)


@router.get("/v1/readings/{reading_id}", **openapi.LOOK_UP)
async def look_up(request: Request, reading_id: ReadingId) -> Response:
    """A reading from the log, without names and pixels, with the review of each image."""
    desk = _desk_of(request)
    return _json(logged(await desk.ask(desk.log.get, reading_id)))


@router.post("/v1/readings/{reading_id}/images/{index}/review", **openapi.REVIEW)
async def review(request: Request, reading_id: ReadingId, index: ImageIndex, given: GivenReview) -> Response:
    """Note whether a human agrees; a later review takes the place of an earlier one."""
    await note_review(
        room_of(request),
        _desk_of(request),
        (reading_id, index),
        true_label=given.true_label and restored(given.true_label),
        shows=given.shows and [restored(name) for name in given.shows],
    )
    return Response(status_code=204)


@router.post("/v1/explanations", **openapi.EXPLAIN)
async def explain(
    request: Request,
    bundle: BundleId = None,
    shown: Annotated[
        str | None,
        Query(
            alias="class",
            description="The class, finding or cut whose evidence is drawn; else that decided on.",
            max_length=LONGEST_LABEL,
        ),
    ] = None,
    opacity: Annotated[float, Query(ge=0, le=1, description="Of the strongest colour.")] = OPACITY,
) -> Response:
    """Read one image, and answer with a PNG of it under the activation map of a class.

    Of an exam it is the frame that gave most to the answer.
    """
    room, shown = room_of(request), shown and restored(shown)
    task = room.reader(bundle).bundle.task
    if shown is not None and shown not in (*task.classes, *task.questions):
        raise Problem(422, "unknown-class", "the bundle has no such class: see /v1/bundles")
    async with room.uploads(request, bundle, most=1) as uploads:
        record = await room.read(uploads, bundle)
    if len(record.images) > 1:
        raise Problem(422, "one-image", "one image, or exam, is explained at a time: send it alone")
    found = record.images[0].result
    if isinstance(found, Failure):
        return _answer(record)
    picture = await asyncio.to_thread(overlay, found, shown, opacity=opacity)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return Response(stream.getvalue(), media_type="image/png", headers={"Reading-Id": record.id})


@router.get("/v1/bundles", **openapi.BUNDLES)
async def bundles(request: Request) -> Response:
    """The bundles served, the first being the one that reads if none is named."""
    return _json({"bundles": [_summary(name, reader) for name, reader in room_of(request).readers.items()]})


@router.get("/v1/bundles/{bundle_id}", **openapi.BUNDLE)
async def bundle_of(request: Request, bundle_id: BundleName) -> Response:
    """One bundle, with its model card as Markdown."""
    room = room_of(request)
    reader = room.reader(bundle_id)
    return _json({**_summary(room.id_of(reader), reader), "card": reader.bundle.read_card()})


@router.get("/healthz", **openapi.HEALTH)
async def healthz() -> Mapping[str, str]:
    """The server lives."""
    return {"status": "alive"}


@router.get("/readyz", **openapi.READY)
async def readyz(request: Request) -> Mapping[str, str]:
    """The server reads: a decoding process answers, and the log gives back what is written to it."""
    if problem := await room_of(request).readiness.problem():
        raise problem
    return {"status": "ready"}


@router.get("/metrics", **openapi.METRICS)
async def metrics(request: Request) -> Response:
    """Counts and times for Prometheus."""
    return Response(room_of(request).metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _answer(found: ReadingRecord | ReadingRow, *, each: bool = False) -> Response:
    """A reading as a response, if at least one image was read; the log keeps no frames."""
    content = logged(found) if isinstance(found, ReadingRow) else found.to_dict(each=each)
    if all(image["code"] for image in content["images"]):
        errors = [
            {"index": image["index"], "name": image["name"], "code": image["code"], "detail": image["result"]["error"]}
            for image in content["images"]
        ]
        raise Problem(422, "unreadable", "none of the images could be read", errors=errors)
    return _json(content)


def _json(content: Mapping[str, Any]) -> Response:
    return Response(to_json(content), media_type="application/json")


def _desk_of(request: Request) -> LogDesk:
    desk = room_of(request).desk
    if desk is None:
        raise Problem(501, "no-log", "this server keeps no log")
    return desk


def _summary(bundle_id: str, reader: Reader) -> dict[str, Any]:
    bundle = reader.bundle
    return {
        "id": bundle_id,
        "fingerprint": bundle.fingerprint,
        "created": bundle.created,
        "network": bundle.network.get("name"),
        "classes": list(bundle.classes),
        "positive": bundle.positive,
        **({"task": bundle.task.to_dict()} if bundle.task.questions else {}),
        **({} if bundle.exams is None else {"exams": bundle.exams.to_dict()}),
        "operating_points": {name: point.threshold for name, point in bundle.operating_points.items()},
        "coverage": bundle.referral.coverage,
        "preprocessing": bundle.preprocessing.to_dict(),
    }
