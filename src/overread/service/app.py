"""The application: a room, its API and its page, behind a guard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import FastAPI

from overread.reading import Reader
from overread.service.api import routes as api
from overread.service.api.openapi import add_schemas
from overread.service.entry import Entry
from overread.service.problems import answer_with_problems
from overread.service.room.room import ReadingRoom
from overread.service.security import Guard
from overread.service.settings import Settings
from overread.service.web import exam_pages, pages
from overread.service.web.login import login_routes

if TYPE_CHECKING:
    from overread.reading_log import ReadingLog

_ABOUT = (
    "Reads medical images with trained bundles. For research; not a medical device. Images are kept in memory while a "
    "request is answered and no longer; the log holds no pixels, names or identifiers."
)


def create_app(readers: Mapping[str, Reader], settings: Settings, log: ReadingLog | None) -> FastAPI:
    """Make the application; `app.state.room` is the `ReadingRoom`, which ends with the application's lifespan.

    Args:
        readers: one or more bundles at work, by the id under which each is asked for.
        settings: limits and token.
        log: where readings are kept; None keeps nothing.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # The processes start at their first task, which is not to be somebody's image.
        await room.pool.answers()
        yield
        # Not in the event loop, which still ends what is being answered.
        await asyncio.to_thread(room.close)

    room = ReadingRoom(readers, settings, log)
    entry = None if settings.token is None else Entry(settings.token)
    # The pages that FastAPI has for its documentation load scripts from elsewhere.
    app = FastAPI(
        title="overread",
        version=version("overread"),
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.room = room
    answer_with_problems(app)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.include_router(exam_pages.router)
    app.include_router(login_routes(entry))
    add_schemas(app)
    app.add_middleware(Guard, settings=settings, entry=entry, metrics=room.metrics)
    return app
