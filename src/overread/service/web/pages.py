"""The page for people: upload, results, review, card and report. It works without JavaScript, which makes it nicer."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import functools
import io
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, Response
from markdown_it import MarkdownIt

from overread.bundle import Bundle
from overread.formats import format_names
from overread.machine.content.text import restored
from overread.machine.files import write_rows
from overread.reading.fields import column_names
from overread.reading.pictures import FULL_EVIDENCE, OPACITY
from overread.run import RunFolder
from overread.service.api.openapi import UPLOAD, page
from overread.service.problems import Problem
from overread.service.room.records import ReadingRecord
from overread.service.room.reviews import note_review
from overread.service.room.room import ReadingRoom, room_of
from overread.service.settings import MIB
from overread.service.values import (
    LONGEST_LABEL,
    BundleId,
    BundleName,
    GivenName,
    ImageIndex,
    ReadingId,
)
from overread.service.web.exam_view import told_of_gathering
from overread.service.web.html import WEB, html
from overread.service.web.view import bundle_facts, table_columns, title, view_images

STATIC = {
    "reading-room.css": "text/css",
    "reading-room.js": "text/javascript",
    "exam.css": "text/css",
    "exam.js": "text/javascript",
    "slide.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
# The report styles itself inside its own tags; sandboxed, it has neither scripts nor this origin.
REPORT_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox"
_UNKNOWN = "No such bundle is served."
_FOREIGN = "A page of another origin may send nothing."
router = APIRouter(default_response_class=HTMLResponse)


@dataclasses.dataclass(frozen=True)
class Choice:
    """A bundle as the page offers it."""

    id: str
    title: str
    details: str
    has_report: bool


@router.get("/", **page("The page.", s404=_UNKNOWN))
async def start(request: Request, bundle: BundleId = None) -> Response:
    """The page before anything was read."""
    return _page(room_of(request), bundle)


@router.post(
    "/",
    **page("What was read.", s403=_FOREIGN, s404=_UNKNOWN, s415="The body is not multipart."),
    **UPLOAD,
)
async def read(request: Request, bundle: BundleId = None) -> Response:
    """Read the files of the form, and answer with the page and what came out."""
    room = room_of(request)
    room.reader(bundle)
    try:
        async with room.uploads(request, bundle) as uploads:
            if isinstance(uploads, list):
                # A form without a chosen file sends one that has neither name nor content.
                uploads = [upload for upload in uploads if upload.name or upload.content]
                if not uploads:
                    raise Problem(422, "no-files", "no file was chosen: choose one or more images")
            record = await room.read(uploads, bundle, to_show=True)
            return await asyncio.to_thread(_page, room, bundle, record=record)
    except Problem as problem:
        return _page(room, bundle, problem=problem)


@router.post(
    "/readings/{reading_id}/images/{index}/review",
    **page("Noted.", s403=_FOREIGN, s404="The log has no such image.", s501="The server keeps no log."),
)
async def review(
    request: Request,
    reading_id: ReadingId,
    index: ImageIndex,
    true_label: Annotated[str | None, Form(max_length=LONGEST_LABEL)] = None,
    shows: Annotated[list[GivenName] | None, Form()] = None,
) -> Response:
    """Note what a human sees, from the buttons of the page or from what is ticked and picked there."""
    room = room_of(request)
    if room.desk is None:
        raise Problem(501, "no-log", "this server keeps no log of reviews")
    seen: dict[str, Any] = {"shows": [restored(name) for name in shows or ()]}
    if true_label is not None:
        seen = {"true_label": restored(true_label)}
    noted = await note_review(room, room.desk, (reading_id, index), **seen)
    return html("message.html.j2", heading="Your review is noted", text=f"The log now holds {noted} for this image.")


@router.get("/bundles/{bundle_id}/card", **page("The card.", s404=_UNKNOWN))
async def card(request: Request, bundle_id: BundleName) -> Response:
    """The model card of a bundle."""
    bundle = room_of(request).reader(bundle_id).bundle
    return html("card.html.j2", card=_markdown().render(bundle.read_card()), bundle=_choice(bundle_id, bundle))


@router.get(
    "/bundles/{bundle_id}/report", **page("The report.", s404="No such bundle is served, or no report lies beside it.")
)
async def report(request: Request, bundle_id: BundleName) -> Response:
    """The report of the training run, where it lies beside the bundle."""
    path = _report_of(room_of(request).reader(bundle_id).bundle)
    if path is None:
        raise Problem(
            404, "no-report", "no report.html lies beside this bundle: serve it from the folder of its training"
        )
    # Not a response of a file, which would take ranges, of which a request may hold thousands.
    content = await asyncio.to_thread(path.read_bytes)
    return HTMLResponse(content, headers={"Content-Security-Policy": REPORT_POLICY})


@router.get("/static/{name}", include_in_schema=False)
async def static(name: str) -> Response:
    """Style, script and icon."""
    if name not in STATIC:
        raise Problem(404, "not-found", "there is no such file")
    content = await asyncio.to_thread((WEB / "static" / name).read_bytes)
    return Response(content, media_type=STATIC[name], headers={"Cache-Control": "no-cache"})


def _page(
    room: ReadingRoom, bundle_id: str | None, *, record: ReadingRecord | None = None, problem: Problem | None = None
) -> Response:
    reader = room.reader(bundle_id)
    images = view_images(record, reader.bundle) if record else []
    cells = column_names(reader.bundle.task, of_exams=reader.reads_exams)
    return html(
        "room.html.j2",
        status=problem.status_code if problem else 200,
        headers=problem.headers if problem else None,
        bundle=_choice(room.id_of(reader), reader.bundle),
        choices=[_choice(name, served.bundle) for name, served in room.readers.items()],
        facts=bundle_facts(reader.bundle),
        classes=reader.bundle.classes,
        noun=reader.bundle.task.noun[0],
        positive=reader.bundle.positive,
        images=images,
        csv_columns=cells,
        columns=table_columns(reader.bundle),
        csv=_csv_uri([cells, *(image.cells for image in images)]) if images else "",
        problem=problem.sentence if problem else "",
        reviews=room.desk is not None,
        limits={"file": room.settings.max_file_bytes // MIB, "zip": room.settings.max_upload_bytes // MIB},
        formats=format_names(),
        opacity=round(100 * OPACITY),
        full_evidence=FULL_EVIDENCE,
        exams=_exams(reader.bundle, room),
    )


def _exams(bundle: Bundle, room: ReadingRoom) -> dict[str, Any] | None:
    """How exams are sent to a bundle; None of one that reads images."""
    if bundle.exams is None:
        return None
    minutes = round(room.settings.keep_exams_s / 60) or 1
    return {"by": bundle.exams.by, "told": told_of_gathering(bundle.exams), "minutes": minutes}


@functools.cache
def _markdown() -> MarkdownIt:
    """Markdown in which tags are text; links to scripts are refused by the library, and no picture is fetched."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    markdown.add_render_rule("table_open", lambda *_: '<div class="scroll" tabindex="0"><table>')
    markdown.add_render_rule("table_close", lambda *_: "</table></div>")
    return markdown


def _choice(bundle_id: str, bundle: Bundle) -> Choice:
    details = f"{bundle.network.get('name', 'network')}, trained {bundle.created[:10]}, {bundle.fingerprint[:12]}"
    return Choice(bundle_id, title(bundle), details, _report_of(bundle) is not None)


def _report_of(bundle: Bundle) -> Path | None:
    report = RunFolder(bundle.path.parent).report if bundle.path else None
    return report if report and report.is_file() else None


def _csv_uri(rows: list[list[str]]) -> str:
    stream = io.StringIO()
    write_rows(stream, rows)
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(stream.getvalue().encode()).decode("ascii")
