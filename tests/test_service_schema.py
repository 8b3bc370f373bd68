"""The API answers whatever its OpenAPI document allows, and what it does not, as the document says."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import ignored_auth, negative_data_rejection

from overread.reading import Reader
from overread.reading_log import ReadingLog
from overread.service.app import create_app
from overread.service.settings import Settings
from overread.study.train import Study
from support.postgres import Postgres

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


@contextlib.contextmanager
def serving(bundle: Path, url: str, token: str | None = None) -> Iterator[Any]:
    """A client of the whole service."""
    log = ReadingLog.open(url)
    app = create_app({"tiny": Reader.load(bundle)}, Settings(token=token, workers=2), log)

    async def without_lifespan(scope: Any, receive: Any, send: Any) -> None:
        # Which the plugin of schemathesis would end after each test.
        assert scope["type"] == "http"
        await app(scope, receive, send)

    with asgi.get_client(without_lifespan) as client:
        yield client
    app.state.room.close()
    log.close()


@pytest.fixture(scope="module")
def session(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client that needs no token."""
    with serving(tiny_study.out / "bundle", f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite'}") as client:
        yield client


@pytest.fixture(scope="module")
def guarded(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of a server with a token."""
    url = f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite'}"
    with serving(tiny_study.out / "bundle", url, TOKEN) as client:
        yield client


@pytest.fixture(scope="module")
def shared(tiny_study: Study, postgres: Postgres) -> Iterator[Any]:
    """A client of a server whose log is in PostgreSQL."""
    with serving(tiny_study.out / "bundle", postgres.url()) as client:
        yield client


@pytest.fixture(scope="module")
def logged(session: Any, two_classes: Path) -> str:
    """The id of a reading in the log."""
    return reading_of(session, two_classes)


@pytest.fixture(scope="module")
def logged_in_postgresql(shared: Any, two_classes: Path) -> str:
    """The id of a reading in that log."""
    return reading_of(shared, two_classes)


def reading_of(session: Any, images: Path) -> str:
    content = next(images.glob("Normal/*.png")).read_bytes()
    answer = session.post(f"{ADDRESS}/v1/readings", files=[("files", ("a.png", content))])
    return str(answer.json()["id"])


def of_a_reading(case: schemathesis.Case, reading_id: str) -> schemathesis.Case:
    if "reading_id" in case.path_parameters:
        case.path_parameters = {**case.path_parameters, "reading_id": reading_id}
    return case


@API.parametrize()
def test_every_answer_is_as_the_document_says(case: schemathesis.Case, session: Any) -> None:
    case.call_and_validate(session=session)


@API.include(path_regex="reading_id").parametrize()
def test_so_is_every_answer_about_a_reading_that_is_there(case: schemathesis.Case, session: Any, logged: str) -> None:
    # The id is right now, where it was the only thing that was wrong.
    of_a_reading(case, logged).call_and_validate(session=session, excluded_checks=[negative_data_rejection])


@API.parametrize()
def test_so_is_every_answer_to_who_presents_the_token(case: schemathesis.Case, guarded: Any) -> None:
    # The check for it presents wrong tokens, which close the door for a while.
    right = {"Authorization": f"Bearer {TOKEN}"}
    case.call_and_validate(session=guarded, headers=right, excluded_checks=[ignored_auth])


@API.parametrize()
def test_so_is_every_answer_to_who_presents_none(case: schemathesis.Case, guarded: Any) -> None:
    answer = case.call(session=guarded)
    case.validate_response(answer, excluded_checks=[negative_data_rejection])
    is_open = case.path in ("/healthz", "/readyz") or answer.status_code in (400, 403, 405, 413)
    assert is_open or answer.status_code in (401, 429)


@pytest.mark.slow
@API.parametrize()
def test_so_is_every_answer_where_the_log_is_in_postgresql(case: schemathesis.Case, shared: Any) -> None:
    case.call_and_validate(session=shared)


@pytest.mark.slow
@API.include(path_regex="reading_id").parametrize()
def test_so_is_every_answer_about_a_reading_in_postgresql(
    case: schemathesis.Case, shared: Any, logged_in_postgresql: str
) -> None:
    of_a_reading(case, logged_in_postgresql).call_and_validate(
        session=shared, excluded_checks=[negative_data_rejection]
    )
