"""Who may use the server, what browsers are told, and what never reaches a log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import itsdangerous.timed
import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from overread.cli.serve import read_token
from overread.errors import InvalidOption, MissingPath
from overread.reading import Reader
from overread.service.app import create_app
from overread.service.entry import SESSION_S, Entry
from overread.service.prometheus import Metrics
from overread.service.security import Guard
from overread.service.settings import Settings, is_loopback
from overread.study.train import Study

TOKEN = "0123456789abcdef0123456789abcdef"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def guarded(tiny_study: Study) -> Iterator[TestClient]:
    """A client of a server for other machines, which has not presented its token."""
    settings = Settings(host="0.0.0.0", token=TOKEN, workers=1)
    app = create_app({"tiny": Reader.load(tiny_study.out / "bundle")}, settings, None)
    with TestClient(app, base_url="http://reading.clinic.example", follow_redirects=False) as client:
        yield client


def test_only_loopback_needs_no_token() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.8.9.1"):
        assert is_loopback(host) and Settings(host=host).token is None
    for host in ("0.0.0.0", "::", "192.168.0.7", "localhost.example.org", "clinic", ""):
        assert not is_loopback(host)
        with pytest.raises(InvalidOption, match="openssl rand"):
            Settings(host=host)
        assert Settings(host=host, token=TOKEN).host == host
    with pytest.raises(InvalidOption, match="needs a token"):
        Settings(names=("reading.clinic.example",))


@pytest.mark.parametrize(
    "options",
    [{"token": "short"}, {"token": "\N{LATIN SMALL LETTER E WITH ACUTE}" * 20}, {"workers": 0}, {"timeout_s": -1},
     {"max_files": 500}, {"max_pixels": 0}],
)  # fmt: skip
def test_settings_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidOption):
        Settings(**options)


def test_a_token_is_not_shown_with_the_settings() -> None:
    assert TOKEN not in repr(Settings(token=TOKEN))


def test_a_token_comes_from_a_file_or_leaves_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("OVERREAD_TOKEN", TOKEN)
    assert read_token(None) == TOKEN and "OVERREAD_TOKEN" not in os.environ
    assert read_token(None) is None
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token") == TOKEN
    with pytest.raises(MissingPath):
        read_token(tmp_path / "none")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/readings/x", {}),
        ("/v1/bundles", {"authorization": "Bearer wrong"}),
        ("/metrics", {"authorization": f"Basic {TOKEN}"}),
        ("/openapi.json", {"cookie": f"overread={TOKEN}"}),
        ("/nothing", {"authorization": f"Bearer {TOKEN}x"}),
        ("/loginx", {}),
    ],
)
def test_without_the_token_nothing_is_told(guarded: TestClient, path: str, headers: dict[str, str]) -> None:
    answer = guarded.get(path, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:overread:problem:token-needed")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_who_presents_wrong_tokens_is_told_to_come_back_and_others_are_not(guarded: TestClient) -> None:
    entry = Entry(TOKEN)
    app = Guard(PlainTextResponse("inside"), Settings(host="0.0.0.0", token=TOKEN), entry, Metrics({}))
    attacker, other = (TestClient(app, client=(address, 1)) for address in ("198.51.100.7", "192.0.2.1"))
    statuses = [attacker.get("/v1/bundles", headers={"authorization": "Bearer x"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    refused = attacker.get("/v1/bundles", headers=BEARER)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    session = {"cookie": f"overread={entry.new_session()}"}
    assert attacker.get("/v1/bundles", headers=session).status_code == 200
    assert attacker.get("/healthz").status_code == other.get("/v1/bundles", headers=BEARER).status_code == 200


def test_an_upload_without_the_token_is_not_taken_in(guarded: TestClient) -> None:
    def never() -> Iterator[bytes]:
        yield b"--x"

    answer = guarded.post("/v1/readings", content=never(), headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 401


def test_with_the_token_the_api_answers(guarded: TestClient) -> None:
    assert guarded.get("/v1/bundles", headers=BEARER).status_code == 200
    assert guarded.get("/v1/readings/x", headers=BEARER).status_code == 501
    assert guarded.get("/healthz").status_code == 200
    assert guarded.get("/readyz").status_code == 200


def test_a_browser_logs_in_with_a_form_and_gets_a_cookie_that_does_not_hold_the_token(guarded: TestClient) -> None:
    turned_away = guarded.get("/", headers={"accept": "text/html"})
    assert (turned_away.status_code, turned_away.headers["location"]) == (303, "/login")
    assert "password" in guarded.get("/login").text
    wrong = guarded.post("/login", data={"token": "<script>"})
    assert wrong.status_code == 401 and "<script>" not in wrong.text
    assert "set-cookie" not in wrong.headers
    answer = guarded.post("/login", data={"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    assert guarded.get("/v1/bundles").status_code == 200
    guarded.cookies.clear()
    over_https = guarded.post("https://reading.clinic.example/login", data={"token": TOKEN})
    assert "Secure" in over_https.headers["set-cookie"]
    guarded.cookies.clear()
    assert guarded.post("/login", json={"token": TOKEN}).status_code == 415


def test_a_session_ends_and_is_of_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Entry(TOKEN)
    session = entry.new_session()
    assert entry.is_session(session) and not Entry(TOKEN).is_session(session)
    content, began, signature = session.split(".")
    forgeries = (f"{content}.{began[::-1]}.{signature}", f"x.{began}.{signature}", f"\xb2.{signature}")
    for forged in ("", ".", signature, *forgeries):
        assert not entry.is_session(forged)
    now = time.time()
    for later in (SESSION_S + 1, -60):  # a clock that is set back ends it too
        monkeypatch.setattr(itsdangerous.timed, "time", SimpleNamespace(time=lambda later=later: now + later))
        assert not entry.is_session(session)


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "localhost.evil.example:8000", "[::1", "a b"]
)
def test_a_foreign_host_name_does_not_reach_a_local_server(client: Any, host: str) -> None:
    answer = client.get("/v1/bundles", headers={"host": host})
    assert (answer.status_code, answer.json()["type"]) == (421, "urn:overread:problem:wrong-host")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_names_of_this_machine_reach_a_local_server(client: Any, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


def test_a_server_with_names_answers_to_these_and_this_machine_only() -> None:
    settings = Settings(names=("reading.clinic.example",), token=TOKEN)
    client = TestClient(Guard(PlainTextResponse("inside"), settings, None, Metrics({})))
    hosts = ("reading.clinic.example", "localhost:8000", "evil.example")
    assert [client.get("/healthz", headers={"host": host}).status_code for host in hosts] == [200, 200, 421]


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({}, True),
        ({"origin": "http://127.0.0.1:8000"}, True),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"origin": "http://127.0.0.1:9000"}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://[::1"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8000"}, False),
    ],
)
def test_a_page_of_another_origin_sends_nothing_here(client: Any, headers: dict[str, str], is_own: bool) -> None:
    answer = client.post("/v1/readings", files=[("files", ("a.png", b"x"))], headers=headers)
    assert answer.status_code == (422 if is_own else 403)


def test_every_answer_tells_browsers_to_be_strict(client: Any) -> None:
    answers = [
        client.get("/healthz"), client.get("/nothing"), client.post("/v1/readings"), client.get("/openapi.json"),
        client.get("/healthz", headers={"host": "evil.example"}),
    ]  # fmt: skip
    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers


def test_no_name_identifier_or_header_reaches_a_log(
    client: Any, two_classes: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG, logger="overread")
    good = next(two_classes.glob("Normal/*.png")).read_bytes()
    files = [("files", ("Doe^John.png", good)), ("files", ("Doe^Jane.png", b"Doe^Jane"))]
    headers = {"x-patient": "Doe^Jim", "user-agent": "Doe^Jill", "idempotency-key": "Doe^Joe"}
    assert client.post("/v1/readings?patient=Doe", files=files, headers=headers).status_code == 200
    client.get("/v1/readings/Doe^John")
    said = capfd.readouterr()
    assert "Doe" not in caplog.text + said.out + said.err + client.get("/metrics").text
    with client.app.state.room.desk.log.engine.connect() as connection:
        for dump in connection.connection.driver_connection.iterdump():
            assert "Doe" not in dump
