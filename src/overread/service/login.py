"""The login form for browsers, which cannot be told to send a token with every request."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import UploadFile

from overread.service.problems import Problem
from overread.service.security import COOKIE, SESSION_S, new_session, same
from overread.service.settings import Settings

_FORM = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>overread: log in</title><link rel="stylesheet" href="/static/overread.css"></head>
<body><main><h1>overread</h1>
<form method="post" action="/login">
<p><label for="token">Token of this server</label></p>
<p><input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
<p><button>Log in</button></p>
</form>
<p role="alert">{message}</p></main></body></html>
"""


def login_routes(settings: Settings) -> APIRouter:
    """The form and its answer, for a server with a token; none without."""
    router = APIRouter(include_in_schema=False)
    token = settings.token
    if token is None:
        return router

    @router.get("/login")
    async def form() -> Response:
        """The form."""
        return HTMLResponse(_FORM.format(message=""))

    @router.post("/login")
    async def log_in(request: Request) -> Response:
        """Set the cookie of a session, if the token is right."""
        if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
            raise Problem(415, "not-a-form", "expected the form of /login")
        presented = (await request.form(max_files=0, max_fields=2)).get("token")
        if isinstance(presented, UploadFile) or not same(presented or "", token):
            return HTMLResponse(_FORM.format(message="That is not the token of this server."), 401)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(
            COOKIE, new_session(token), max_age=SESSION_S, httponly=True, samesite="strict", secure=secure
        )
        return answer

    return router
