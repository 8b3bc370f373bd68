"""The API answers whatever its OpenAPI document allows, and what it does not, as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis.python import asgi

from overread.reading import Reader
from overread.reading_log import ReadingLog
from overread.service.app import create_app
from overread.service.settings import Settings
from overread.study.train import Study

ADDRESS = "http://127.0.0.1:8000"
TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = {
    "seed": 1,
    "base-url": ADDRESS,
    "generation": {"max-examples": 12, "deterministic": True},
    # What fits the schema of a body is bytes, and hardly ever an image.
    "checks": {"positive_data_acceptance": {"enabled": False}},
}


# The document is the same whatever is served.
DOCUMENT = create_app({}, Settings(), None).openapi()
API = schemathesis.openapi.from_dict(DOCUMENT, config=schemathesis.Config.from_dict(CONFIG))


@pytest.fixture(scope="module")
def session(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of the whole service, whose log holds a reading."""
    log = ReadingLog.open(f"sqlite:///{tmp_path_factory.mktemp('log') / 'readings.sqlite'}")
    app = create_app({"tiny": Reader.load(tiny_study.out / "bundle")}, Settings(workers=2), log)

    async def without_lifespan(scope: Any, receive: Any, send: Any) -> None:
        # Which the plugin of schemathesis would end after each test.
        assert scope["type"] == "http"
        await app(scope, receive, send)

    with asgi.get_client(without_lifespan) as client:
        yield client
    app.state.room.close()
    log.close()


@API.parametrize()
def test_every_answer_is_as_the_document_says(case: schemathesis.Case, session: Any) -> None:
    case.call_and_validate(session=session)
