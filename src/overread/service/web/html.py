"""Templates to pages; every value is escaped."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
from fastapi.responses import HTMLResponse, Response

from overread.machine.terminal import shown

WEB = Path(__file__).parent


def html(template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any) -> Response:
    """A template with its values, as a response."""
    page = _templates().get_template(template).render(version=version("overread"), **values)
    return HTMLResponse(page, status, headers)


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
