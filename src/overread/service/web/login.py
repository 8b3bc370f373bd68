"""The login form for browsers, which cannot be told to send a token with every request."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile

from overread.service.entry import SESSION_S, Entry
from overread.service.problems import Problem
from overread.service.security import COOKIE, address_of
from overread.service.web.html import html


def login_routes(entry: Entry | None) -> APIRouter:
    """The form and its answer, for a server with a token; none without."""
    router = APIRouter(include_in_schema=False)
    if entry is None:
        return router

    @router.get("/login")
    async def form() -> Response:
        """The form."""
        return html("login.html.j2", problem="")

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        """Set the cookie of a session, if the token is right."""
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            raise Problem(415, "not-a-form", "expected the form of /login")
        presented = (await request.form(max_files=0, max_fields=2)).get("token")
        if isinstance(presented, UploadFile) or not entry.is_right(presented or "", address_of(request)):
            return html("login.html.j2", status=401, problem="That is not the token of this server.")
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, entry.new_session(), max_age=SESSION_S, httponly=True, samesite="strict", secure=secure
        )
        return answer

    return router
