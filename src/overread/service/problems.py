"""Errors of the service as RFC 9457 problem details, one JSON shape for all of them."""

from __future__ import annotations

import http
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match

from overread.machine.files import to_json
from overread.service.web.html import html

MEDIA_TYPE = "application/problem+json"
_URN = "urn:overread:problem:"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What is wrong with a request (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Names the kind of problem; it never changes."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What happened, what was expected and what to do."},
        "errors": {
            "type": "array",
            "description": "Each image or parameter that is at fault.",
            "items": {"type": "object"},
        },
    },
}


class Problem(HTTPException):
    """A request that is not answered as asked.

    Args:
        status: of HTTP.
        kind: the end of its type, such as `too-large`.
        detail: what happened, what was expected and what to do; no name, identifier or header of the request.
        errors: what is wrong with each image or parameter.
        headers: of the response.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.kind, self.errors = kind, errors

    @property
    def sentence(self) -> str:
        """The detail for people."""
        return f"{self.detail[0].upper()}{self.detail[1:]}."

    def to_dict(self) -> dict[str, Any]:
        """The problem as JSON values."""
        content = {
            "type": _URN + self.kind,
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status_code,
            "detail": self.detail,
        }
        return {**content, "errors": [dict(error) for error in self.errors]} if self.errors else content

    def response(self, accept: str = "") -> Response:
        """The problem as a response: JSON, unless the Accept header asks for a page."""
        if "text/html" in accept:
            heading = http.HTTPStatus(self.status_code).phrase
            return html(
                "message.html.j2", status=self.status_code, headers=self.headers, heading=heading, text=self.sentence
            )
        content = to_json(self.to_dict())
        return Response(content, self.status_code, self.headers, MEDIA_TYPE)


def too_busy(detail: str) -> Problem:
    """The answer to whom there is no room for now."""
    return Problem(503, "too-busy", detail, headers={"Retry-After": "5"})


def declared(**kinds: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses of a route: what each status means, by `s` and its number."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status[1:]): {"description": text, "content": content} for status, text in kinds.items()}


def answer_with_problems(app: FastAPI) -> None:
    """Make every error of an application a problem, its own and those of FastAPI."""

    async def known(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        if not isinstance(error, Problem):
            phrase = http.HTTPStatus(error.status_code).phrase
            detail = _EXPLAINED.get(error.status_code, phrase)
            headers = {"Allow": _methods(request)} if error.status_code == 405 else error.headers
            error = Problem(error.status_code, phrase.lower().replace(" ", "-"), detail, headers=headers)
        return error.response(request.headers.get("accept", ""))

    async def invalid(request: Request, error: Exception) -> Response:
        # Without the values, which the request may have filled with anything.
        errors = [
            {"parameter": ".".join(map(str, found["loc"])), "detail": found["msg"]}
            for found in (error.errors() if isinstance(error, RequestValidationError) else ())
        ]
        return Problem(422, "invalid-request", "a parameter is missing or has no valid value", errors=errors).response()

    app.add_exception_handler(HTTPException, known)
    app.add_exception_handler(RequestValidationError, invalid)


def _methods(request: Request) -> str:
    """What an address takes, of all its routes; the framework tells those of the first."""
    matching = [one for one in request.app.routes if one.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for one in matching for method in getattr(one, "methods", None) or ()}))


_EXPLAINED = {
    400: "the request cannot be understood: see /openapi.json",
    404: "there is nothing here: see /openapi.json for what there is",
    405: "this address takes another method: see /openapi.json",
}
