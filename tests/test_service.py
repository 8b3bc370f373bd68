"""The service: readings, the log, bundles, metrics, its OpenAPI document, and the real process from start to stop."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import numpy as np
import pytest
from PIL import Image

from overread.errors import InvalidOption, MissingExtra
from overread.reading import Reader
from overread.reading.fields import reading_schema
from overread.service.server import serve
from overread.service.settings import Settings
from overread.study.train import Study
from support.dicom_files import dataset, file_bytes


def images_of(folder: Path, count: int = 1) -> list[tuple[str, tuple[str, bytes]]]:
    """The first images of a class as multipart files."""
    paths = sorted(folder.glob("*.png"))[:count]
    return [("files", (path.name, path.read_bytes())) for path in paths]


def valid(items: list[dict[str, Any]]) -> bool:
    """Whether the result of each item is as the shared schema says."""
    validator = jsonschema.Draft202012Validator(reading_schema())
    return all(validator.is_valid(item["result"]) for item in items)


def test_several_images_are_read_as_predict_reads_them(client: Any, tiny_study: Study, two_classes: Path) -> None:
    files = images_of(two_classes / "Disease", 3) + images_of(two_classes / "Normal", 2)
    answer = client.post("/v1/readings", files=files)
    assert answer.status_code == 200
    items = answer.json()["images"]
    reader = Reader.load(tiny_study.out / "bundle")
    for item, (_, (name, _)) in zip(items, files, strict=True):
        (path,) = two_classes.glob(f"*/{name}")
        expected = reader.read(path).to_dict()
        assert item["result"].keys() == expected.keys()
        assert item["result"]["predicted_label"] == expected["predicted_label"]
        assert item["result"]["probabilities"] == pytest.approx(expected["probabilities"])
        assert item["name"] == item["result"]["path"] == name
    assert valid(items)
    assert answer.json()["bundle"] == reader.bundle.fingerprint


def test_predict_json_and_the_api_share_one_schema(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"not a PNG")
    image = next(two_classes.glob("Normal/*.png"))
    command = [sys.executable, "-m", "overread.cli", "predict", str(tiny_study.out / "bundle"), str(image)]
    done = subprocess.run([*command, str(tmp_path / "bad.png"), "--json"], capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["error"] is None for line in lines] == [True, False]
    assert valid([{"result": line} for line in lines])
    jsonschema.Draft202012Validator.check_schema(reading_schema())


def test_an_unreadable_image_is_an_item_beside_those_that_are_read(client: Any, two_classes: Path) -> None:
    files = [("files", ("notes.txt", b"not an image")), *images_of(two_classes / "Normal")]
    answer = client.post("/v1/readings", files=files)
    bad, good = answer.json()["images"]
    assert answer.status_code == 200
    assert bad["code"] == "unreadable" and good["code"] is None
    assert valid([bad, good])


def test_images_within_a_zip_take_its_place(client: Any, two_classes: Path) -> None:
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.mkdir("folder")
        archive.writestr("__MACOSX/._a.png", b"litter")
        for path in sorted(two_classes.glob("Normal/*.png"))[:2]:
            archive.write(path, f"../../{path.name}")
    files = [*images_of(two_classes / "Disease"), ("files", ("more.zip", stream.getvalue()))]
    items = client.post("/v1/readings", files=files).json()["images"]
    assert [item["index"] for item in items] == [0, 1, 2]
    assert items[1]["name"].startswith("../../N")
    assert all(item["code"] is None for item in items)


@pytest.mark.parametrize("start", [0, 132])
def test_a_dicom_file_is_read_with_and_without_its_preamble(client: Any, start: int) -> None:
    content = file_bytes(dataset(np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)))
    answer = client.post("/v1/readings", files=[("files", ("ID4711.dcm", content[start:]))])
    assert answer.status_code == 200, answer.text


def test_a_reading_is_looked_up_without_names_and_reviewed(client: Any, two_classes: Path) -> None:
    made = client.post("/v1/readings", files=images_of(two_classes / "Disease", 2)).json()
    address = f"/v1/readings/{made['id']}"
    assert client.post(f"{address}/images/0/review", json={"agrees": True}).status_code == 204
    assert client.post(f"{address}/images/1/review", json={"true_label": "Normal"}).status_code == 204
    kept = client.get(address).json()
    first = made["images"][0]["result"]["predicted_label"]
    assert [item["review"]["true_label"] for item in kept["images"]] == [first, "Normal"]
    assert all(item["name"] is None and item["result"]["path"] is None for item in kept["images"])
    assert valid(kept["images"])
    for item, logged in zip(made["images"], kept["images"], strict=True):
        assert {**item["result"], "path": None} == logged["result"]


@pytest.mark.parametrize(
    ("address", "body", "status"),
    [
        ("/v1/readings/nothing/images/0/review", {"agrees": True}, 404),
        ("/v1/readings/a%00b/images/0/review", {"agrees": True}, 422),
        ("/v1/readings/{id}/images/2147483647/review", {"agrees": True}, 404),
        ("/v1/readings/{id}/images/2147483648/review", {"true_label": "Normal"}, 422),
        ("/v1/readings/{id}/images/9223372036854775808/review", {"true_label": "Normal"}, 422),
        ("/v1/readings/{id}/images/0/review", {"true_label": "\0"}, 422),
        ("/v1/readings/{id}/images/7/review", {"true_label": "Normal"}, 404),
        ("/v1/readings/{id}/images/0/review", {"true_label": "Unheard"}, 422),
        ("/v1/readings/{id}/images/0/review", {"agrees": False}, 422),
        ("/v1/readings/{id}/images/0/review", {"agrees": True, "true_label": "Normal"}, 422),
        ("/v1/readings/{id}/images/0/review", {"name": "Doe^John"}, 422),
        ("/v1/readings/{id}/images/x/review", {"agrees": True}, 422),
    ],
)
def test_a_wrong_review_is_a_problem(
    client: Any, two_classes: Path, address: str, body: dict[str, Any], status: int
) -> None:
    made = client.post("/v1/readings", files=images_of(two_classes / "Disease")).json()
    answer = client.post(address.format(id=made["id"]), json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert "Doe" not in answer.text


def test_a_request_sent_twice_is_answered_from_the_log(client: Any, two_classes: Path) -> None:
    key = {"Idempotency-Key": "one"}
    first = client.post("/v1/readings", files=images_of(two_classes / "Disease"), headers=key).json()
    again = client.post("/v1/readings", files=images_of(two_classes / "Disease"), headers=key)
    other = client.post("/v1/readings", files=images_of(two_classes / "Normal"), headers=key)
    assert again.status_code == 200 and again.json()["id"] == first["id"]
    assert again.json()["images"][0]["result"]["probabilities"] == first["images"][0]["result"]["probabilities"]
    assert (other.status_code, other.json()["type"]) == (422, "urn:overread:problem:key-reused")


def test_a_request_that_is_being_answered_is_not_answered_twice(client: Any, two_classes: Path) -> None:
    from overread.service.room.records import Upload, request_digest

    room, files = client.app.state.room, images_of(two_classes / "Disease")
    uploads = [Upload(name="", content=files[0][1][1])]
    room.desk.log.begin(
        "two",
        request_digest(room.reader().bundle.fingerprint, [hashlib.sha256(each.content).digest() for each in uploads]),
    )
    answer = client.post("/v1/readings", files=files, headers={"Idempotency-Key": "two"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:overread:problem:key-in-progress")


def test_a_key_may_be_used_again_after_a_refusal(client: Any, two_classes: Path) -> None:
    room, files = client.app.state.room, images_of(two_classes / "Disease")
    with room.places(room.settings.max_waiting):
        refused = client.post("/v1/readings", files=files, headers={"Idempotency-Key": "three"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert client.post("/v1/readings", files=files, headers={"Idempotency-Key": "three"}).status_code == 200


def test_more_requests_than_places_are_told_to_come_back(client: Any, two_classes: Path) -> None:
    room = client.app.state.room
    with contextlib.ExitStack() as taken:
        for _ in range(room.settings.max_requests):
            taken.enter_context(room.answering())
        answer = client.post("/v1/readings", files=images_of(two_classes / "Disease"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_where_no_process_can_decode_the_request_is_to_come_back_and_nothing_is_logged(
    client: Any, two_classes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from overread.service.room.decoding import Undecodable

    async def none(*_: object) -> None:
        raise Undecodable("no-process", "could not be decoded")

    room = client.app.state.room
    before = len(list(room.desk.log.images()))
    monkeypatch.setattr(room.pool, "run", none)
    answer = client.post("/v1/readings", files=images_of(two_classes / "Disease"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert len(list(room.desk.log.images())) == before


def test_an_explanation_is_a_picture_of_the_class_asked_for(client: Any, two_classes: Path) -> None:
    found = [
        client.post(f"/v1/explanations?class={name}", files=images_of(two_classes / "Disease"))
        for name in ("Normal", "Disease")
    ]
    assert [Image.open(io.BytesIO(answer.content)).size for answer in found] == [(32, 32)] * 2
    assert found[0].content != found[1].content
    assert client.get(f"/v1/readings/{found[0].headers['reading-id']}").status_code == 200
    assert client.post("/v1/explanations?class=None", files=images_of(two_classes / "Normal")).status_code == 422
    assert client.post("/v1/explanations", files=images_of(two_classes / "Normal", 2)).status_code == 413


def test_bundles_are_described_with_their_card(client: Any) -> None:
    (bundle,) = client.get("/v1/bundles").json()["bundles"]
    assert bundle["classes"] == ["Normal", "Disease"] and bundle["coverage"] == 0.9
    for name in (bundle["id"], bundle["fingerprint"]):
        assert client.get(f"/v1/bundles/{name}").json()["card"].startswith("#")
    assert client.get("/v1/bundles/other").status_code == 404


def test_metrics_count_images_by_outcome_and_name_no_file(client: Any, two_classes: Path) -> None:
    client.post("/v1/readings?bundle=tiny", files=[*images_of(two_classes / "Normal"), ("files", ("Doe.png", b"x"))])
    client.get("/Doe^John")
    client.request("DOE", "/v1/bundles")
    text = client.get("/metrics").text
    assert 'overread_images_total{bundle="' in text and 'outcome="failed"' in text
    assert 'overread_requests_total{method="POST",route="/v1/readings",status="200"}' in text
    assert 'overread_image_seconds_bucket{le="0.005",stage="infer"}' in text
    assert "Doe" not in text and "DOE" not in text and "D000" not in text


def test_the_server_says_that_it_lives_and_is_ready(client: Any) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}


def test_a_reading_of_an_id_that_there_cannot_be_is_refused(client: Any) -> None:
    statuses = [client.get(f"/v1/readings/{name}").status_code for name in ("x", "a%00b", "x" * 65, "%ff", "..%2fx")]
    assert statuses == [404, 422, 422, 422, 404]


def test_a_server_whose_log_is_gone_is_not_ready_and_reads_nothing(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    from fastapi.testclient import TestClient

    from overread.reading_log import ReadingLog
    from overread.service.app import create_app

    log = ReadingLog.open(f"sqlite:///{tmp_path / 'log.sqlite'}")
    app = create_app({"tiny": Reader.load(tiny_study.out / "bundle")}, Settings(workers=1), log)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        assert client.get("/readyz").status_code == 200
        for file in (away := tmp_path / "away", *tmp_path.glob("log.sqlite*")):
            away.mkdir() if file is away else file.rename(away / file.name)
        refused = client.post("/v1/readings", files=images_of(two_classes / "Normal"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert client.get("/readyz").status_code == 200, "what was found out a moment ago"
        time.sleep(3.1)
        assert client.get("/readyz").json()["type"] == "urn:overread:problem:log-unavailable"
        for file in away.iterdir():
            file.rename(tmp_path / file.name)
        assert client.post("/v1/readings", files=images_of(two_classes / "Normal")).status_code == 200
        time.sleep(3.1)
        assert client.get("/readyz").status_code == 200
    log.close()


def test_errors_of_the_framework_are_problems_too(client: Any) -> None:
    for answer, status in [(client.get("/nothing"), 404), (client.put("/v1/readings"), 405)]:
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert answer.json()["type"].startswith("urn:overread:problem:")


def test_openapi_declares_every_status_and_its_examples_fit_the_schema(client: Any) -> None:
    document = client.get("/openapi.json").json()
    post = document["paths"]["/v1/readings"]["post"]
    refusals = "400 401 403 404 408 409 413 415 421 422 429 500 501 503"
    assert set(post["responses"]) == {"200", *refusals.split()}
    assert "HTTPValidationError" not in document["components"]["schemas"]
    examples = document["components"]["examples"]
    assert all(valid(examples[name]["value"]["images"]) for name in ("Reading", "Logged"))
    assert client.get("/docs").status_code == 404


def test_nothing_of_a_failure_inside_is_told_or_logged(
    client: Any, two_classes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Doe^John 1950-01-01")

    monkeypatch.setattr(client.app.state.room, "reader", fail)
    answer = client.post("/v1/readings", files=images_of(two_classes / "Normal"))
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "RuntimeError at test_service" in caplog.text
    assert "Doe" not in answer.text + caplog.text


def test_without_its_libraries_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(MissingExtra, match=r"pip install 'overread\[serve\]'"):
        serve([], Settings())


def test_a_port_that_is_taken_is_named(tiny_study: Study) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidOption, match=f"port {port} cannot be listened on"):
            serve([tiny_study.out / "bundle"], Settings(), port=port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def lives(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_overread_serve_reads_and_finishes_what_it_reads_when_told_to_stop(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    bundle = str(tiny_study.out / "bundle")
    command = [sys.executable, "-m", "overread.cli", "serve", bundle, "--port", str(port), "--workers", "1"]
    log = f"sqlite:///{tmp_path / 'log.sqlite'}"
    with subprocess.Popen([*command, "--log-url", log], stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(lambda: lives(address))
            files = [
                (field, (f"Doe{i}.png", data[1]))
                for i in range(40)
                for field, data in images_of(two_classes / "Normal")
            ]
            with httpx.Client(base_url=address, timeout=60) as session:
                assert session.get("/readyz").status_code == 200
                request = session.build_request("POST", "/v1/readings", files=files)
                body = request.read()

                def halves() -> Any:
                    yield body[: len(body) // 2]
                    os.kill(process.pid, signal.SIGTERM)
                    time.sleep(0.3)
                    yield body[len(body) // 2 :]

                answer = session.post(
                    "/v1/readings", content=halves(), headers={"content-type": request.headers["content-type"]}
                )
            assert answer.status_code == 200 and len(answer.json()["images"]) == 40
            assert process.wait(30) == 0
        finally:
            process.kill()
        assert process.stderr is not None
        said = process.stderr.read()
    assert address in said and "Doe" not in said and "Error" not in said
    assert not lives(address)
