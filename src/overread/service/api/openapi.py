"""What OpenAPI says of each route: what it takes, what it answers, with examples."""

from __future__ import annotations

import functools
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from overread.formats import format_names
from overread.reading.fields import FIELDS, reading_schema
from overread.service.problems import SCHEMA, declared

_BY_NAME = {field.name: field for field in FIELDS}
_READING = {"path": "chest.png", **{field.name: field.example for field in FIELDS if field.of_all}, "error": None}
_FINDINGS = {
    **_READING,
    "predicted_label": "Effusion",
    "probabilities": {"Effusion": 0.81, "Mass": 0.12},
    "positive": None,
    "threshold": None,
    "prediction_set": ["Effusion", "Mass", "no Mass"],
    "refer": ["uncertain"],
    "questions": [
        {"name": "Effusion", "probability": 0.81, "threshold": 0.42, "answer": "present"},
        {"name": "Mass", "probability": 0.12, "threshold": 0.3, "answer": "unsure"},
    ],
}
_EXAM = {
    **_READING,
    "path": "brain",
    **{field.name: field.example for field in FIELDS if field.of_exams},
    "frames": 2,
    "best_frame": {"number": 2, "share": 0.5, "evidence": 1.9, "path": "2.dcm", "position_mm": 12.5},
}
_FRAMES = [{"number": 1, "share": 0.5, "evidence": -0.4, "path": "1.dcm", "position_mm": 10.0}, _EXAM["best_frame"]]
_FAILURE = {**dict.fromkeys(_READING), "path": "notes.pdf", "error": f"is none of {format_names()}"}
_IMAGE = {"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "review": None}
_RECORD: dict[str, Any] = {
    "id": "b5c0f2a4c3be4a7c9b1f0d6f0e4b7a11",
    "created": "2026-11-25T14:03:21.512+00:00",
    "bundle": "22f9370e577b04107f61aeb94069174959883100a710b57b932224d31ccf02a9",
    "images": [
        {"index": 0, "name": "chest.png", **_IMAGE, "latency_ms": 12.3, "code": None, "result": _READING},
        {"index": 1, "name": "notes.pdf", **_IMAGE, "latency_ms": 1.9, "code": "unreadable", "result": _FAILURE},
    ],
}
_BUNDLE = {
    "id": "22f9370e577b",
    "fingerprint": _RECORD["bundle"],
    "created": "2026-11-20T09:12:00+00:00",
    "network": "compact",
    "classes": ["NORMAL", "PNEUMONIA"],
    "positive": "PNEUMONIA",
    "operating_points": {"PNEUMONIA": 0.62},
    "coverage": 0.9,
    "preprocessing": {"height": 224, "width": 224, "channels": 1, "fit": "pad"},
}
_CODES = ["unreadable", "too-large", "timed-out", "crashed", "out-of-memory", "interrupted"]
_RECORD_SCHEMA = {
    "type": "object",
    "required": ["id", "created", "bundle", "images"],
    "properties": {
        "id": {"type": "string"},
        "created": {"type": "string", "format": "date-time"},
        "bundle": {"type": "string", "description": "Fingerprint of the bundle that read."},
        "images": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["index", "name", "sha256", "latency_ms", "code", "result", "review"],
                "properties": {
                    "index": {"type": "integer"},
                    "name": {"type": ["string", "null"], "description": "As uploaded; null from the log."},
                    "sha256": {"type": "string"},
                    "latency_ms": {"type": "number"},
                    "code": {"enum": [None, *_CODES], "description": "Why the image could not be read."},
                    "result": {"$ref": "#/components/schemas/Reading"},
                    "review": {"type": ["object", "null"]},
                    "files": {"type": "integer", "description": "Of an exam: how many came."},
                    "frames": {
                        "type": "array",
                        "description": "Of an exam, where each is asked for: what its frames gave, in order.",
                        "items": _BY_NAME["best_frame"].schema,
                    },
                },
            },
        },
    },
}

_EXAMPLES = {
    "Reading": _RECORD,
    "Findings": {**_RECORD, "images": [{**_RECORD["images"][0], "result": _FINDINGS}]},
    "Exam": {
        **_RECORD,
        "images": [{**_RECORD["images"][0], "name": "brain", "result": _EXAM, "files": 2, "frames": _FRAMES}],
    },
    "Logged": {
        **_RECORD,
        "images": [
            {
                **_RECORD["images"][0],
                "name": None,
                "result": {**_READING, "path": None},
                "review": {"true_label": "PNEUMONIA", "time": "2026-11-25T14:09:00.101+00:00"},
            }
        ],
    },
    "Bundles": {"bundles": [_BUNDLE]},
    "Bundle": {**_BUNDLE, "card": "# Model card"},
    "Alive": {"status": "alive"},
    "Ready": {"status": "ready"},
}


_OF_ALL = declared(
    s400="No HTTP that the server understands.",
    s408="The request took too long to arrive.",
    s413="Too many bytes.",
    s421="The server does not answer to this host name.",
    s500="The server failed; its log names the place.",
    s503="No room for now: try again after the seconds of Retry-After.",
)
_WITH_TOKEN = declared(
    s401="The token is missing or wrong.",
    s429="Too many wrong tokens came: try again after the seconds of Retry-After.",
)
_POST = declared(s403="A page of another origin may send nothing.")


def _route(tag: str, responses: dict[int | str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    every = _OF_ALL if tag == "health" else {**_OF_ALL, **_WITH_TOKEN}
    return {"tags": [tag], "responses": dict(sorted({**every, **responses}.items())), "openapi_extra": more or None}


def page(description: str, **problems: str) -> dict[str, Any]:
    """What OpenAPI says of a page, whose problems are pages too where the Accept header asks for them."""
    told = {**_OF_ALL, **_WITH_TOKEN, **declared(s422="A parameter is not valid."), **declared(**problems)}
    html = {"text/html": {"schema": {"type": "string"}}}
    responses = {status: {**told[status], "content": {**told[status]["content"], **html}} for status in sorted(told)}
    return {"tags": ["pages"], "responses": {200: {"description": description, "content": html}, **responses}}


def _json(description: str, schema: dict[str, Any], *examples_named: str) -> dict[int | str, dict[str, Any]]:
    examples = {name.lower(): {"$ref": f"#/components/examples/{name}"} for name in examples_named}
    return {
        200: {"description": description, "content": {"application/json": {"schema": schema, "examples": examples}}}
    }


def _takes(several: bool) -> dict[str, Any]:
    file = {"type": "string", "format": "binary"}
    field = {"type": "array", "items": file, "minItems": 1} if several else file
    schema = {"type": "object", "required": ["files"], "properties": {"files": field}}
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


_REFUSED = _POST | declared(
    s400="The multipart body is damaged.",
    s404="No such bundle is served.",
    s413="Too many bytes or files.",
    s415="The body is not multipart.",
    s503="No room for now, or the log cannot be written: try again after the seconds of Retry-After.",
)
_RECORD_REF = {"$ref": "#/components/schemas/ReadingRecord"}
_NO_LOG = declared(s404="The log has no such image.", s501="The server keeps no log.", s503="The log cannot be used.")
_BUNDLE_SCHEMA = {"type": "object"}

UPLOAD: dict[str, Any] = {"openapi_extra": {"requestBody": _takes(True)}}

READ = _route(
    "readings",
    _json("At least one image was read.", _RECORD_REF, "Reading", "Findings", "Exam")
    | _REFUSED
    | declared(
        s409="A request with this key is being answered.",
        s422="No image could be read, each with its reason; or the key came with another request.",
        s501="A key came to a server that keeps no log.",
    ),
    requestBody=_takes(True),
)
LOOK_UP = _route(
    "readings",
    _json("From the log.", _RECORD_REF, "Logged") | _NO_LOG | declared(s422="A parameter is not valid."),
)
REVIEW = _route(
    "readings",
    {204: {"description": "Noted."}}
    | _POST
    | _NO_LOG
    | declared(s422="The true label is no class of the bundle, or the image could not be read."),
)
EXPLAIN = _route(
    "readings",
    {200: {"description": "The image under the activation map.", "content": {"image/png": {}}}}
    | _REFUSED
    | declared(s422="The image could not be read, or the bundle has no such class."),
    requestBody=_takes(False),
)
BUNDLES = _route("bundles", _json("The bundles.", _BUNDLE_SCHEMA, "Bundles"))
BUNDLE = _route(
    "bundles",
    _json("The bundle.", _BUNDLE_SCHEMA, "Bundle")
    | declared(s404="No such bundle is served.", s422="A parameter is not valid."),
)
HEALTH = _route("health", _json("It lives.", {"type": "object"}, "Alive"))
READY = _route("health", _json("It reads.", {"type": "object"}, "Ready") | declared(s503="It cannot read at present."))
METRICS = _route("metrics", {200: {"description": "Prometheus text format.", "content": {"text/plain": {}}}})


def add_schemas(app: FastAPI) -> None:
    """Give an application's OpenAPI document the schemas that its routes refer to."""

    @functools.cache
    def openapi() -> dict[str, Any]:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags
        )
        components = document.setdefault("components", {})
        reading = {key: value for key, value in reading_schema().items() if key != "$schema"}
        components.setdefault("schemas", {}).update(Reading=reading, ReadingRecord=_RECORD_SCHEMA, Problem=SCHEMA)
        # Here and not in the routes, from whose examples FastAPI drops every null.
        components["examples"] = {name: {"value": value} for name, value in _EXAMPLES.items()}
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        # Empty: a server on loopback asks for none.
        document["security"] = [{"token": []}, {}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]
