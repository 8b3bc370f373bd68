"""The API where several things are told of an image: findings, clinical cuts, and several tasks at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

pytest.importorskip("fastapi", reason="the API needs the extra: pip install 'overread[serve]'")

from starlette.testclient import TestClient

from overread import Reader
from overread.reading.fields import reading_schema
from overread.reading_log import ReadingLog
from overread.service.app import create_app
from overread.service.settings import Settings
from overread.service.web.view import bundle_facts, title
from support.small_readers import BOTH, BOTH_LOGITS, CHEST, CHEST_LOGITS, picture, png, small_reader

FILES = [("files", ("a.png", png(picture())))]


@contextlib.contextmanager
def serving(readers: dict[str, Reader], url: str) -> Iterator[TestClient]:
    log = ReadingLog.open(url)
    with TestClient(create_app(readers, Settings(workers=1), log), base_url="http://127.0.0.1") as client:
        yield client
    log.close()


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    folder = tmp_path_factory.mktemp("bundles")
    kinds = {"chest": (CHEST, CHEST_LOGITS), "both": (BOTH, BOTH_LOGITS)}
    return {name: small_reader(folder / name, *kind) for name, kind in kinds.items()}


@pytest.fixture(scope="module")
def client(readers: dict[str, Reader], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with serving(readers, f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite'}") as client:
        yield client


def read(client: TestClient, bundle: str) -> dict[str, Any]:
    answer = client.post(f"/v1/readings?bundle={bundle}", files=FILES)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("bundle", ["chest", "both"])
def test_a_reading_is_told_as_predict_tells_it_and_so_it_is_kept(
    client: TestClient, readers: dict[str, Reader], bundle: str
) -> None:
    made = read(client, bundle)
    result, expected = made["images"][0]["result"], readers[bundle].read(picture(), name="a.png").to_dict()
    assert result.keys() == expected.keys()
    assert [(one["name"], one["answer"]) for one in result["questions"]] == [
        (one["name"], one["answer"]) for one in expected["questions"]
    ]
    (kept,) = client.get(f"/v1/readings/{made['id']}").json()["images"]
    assert kept["result"] == {**result, "path": None}
    jsonschema.Draft202012Validator(reading_schema()).validate(kept["result"])


@pytest.mark.parametrize(
    ("bundle", "given", "label"),
    [
        ("chest", {"agrees": True}, "Effusion|Mass|Edema"),
        ("chest", {"shows": ["Nodule", "Effusion"]}, "Effusion|Nodule"),
        ("chest", {"shows": []}, "No Finding"),
        ("chest", {"true_label": "Mass|?Edema|Effusion"}, "Effusion|Mass|?Edema"),
        ("both", {"shows": ["signs: scar", "retinopathy: 4"]}, "retinopathy: 4; signs: scar"),
        ("both", {"true_label": "retinopathy: 1"}, "retinopathy: 1"),
    ],
)
def test_a_human_says_what_an_image_shows(client: TestClient, bundle: str, given: dict[str, Any], label: str) -> None:
    address = f"/v1/readings/{read(client, bundle)['id']}"
    assert client.post(f"{address}/images/0/review", json=given).status_code == 204
    assert client.get(address).json()["images"][0]["review"]["true_label"] == label


@pytest.mark.parametrize(
    ("bundle", "given"),
    [
        ("chest", {"shows": ["Hernia"]}),
        ("chest", {"true_label": "Mass|Hernia"}),
        ("chest", {"shows": ["Mass"], "agrees": True}),
        ("both", {"shows": ["retinopathy: 1", "retinopathy: 2"]}),
        ("both", {"shows": ["signs: scar"]}),
        ("both", {"true_label": "2"}),
    ],
)
def test_what_no_image_can_show_is_refused_in_a_sentence(
    client: TestClient, bundle: str, given: dict[str, Any]
) -> None:
    answer = client.post(f"/v1/readings/{read(client, bundle)['id']}/images/0/review", json=given)
    assert answer.status_code == 422 and answer.json()["detail"]


def test_names_say_nothing_once_their_bundle_is_served_no_more(readers: dict[str, Reader], tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.sqlite'}"
    with serving({"chest": readers["chest"]}, url) as client:
        address = f"/v1/readings/{read(client, 'chest')['id']}/images/0/review"
    with serving({"both": readers["both"]}, url) as client:
        answer = client.post(address, json={"shows": ["Mass"]})
        assert answer.status_code == 404 and "is served no more" in answer.json()["detail"]
        assert client.post(address, json={"agrees": True}).status_code == 204


def test_a_bundle_says_what_it_tells_and_from_which_probability(client: TestClient) -> None:
    chest, both = client.get("/v1/bundles").json()["bundles"]
    assert chest["task"]["kind"] == "findings" and both["task"]["parts"].keys() == {"retinopathy", "signs"}
    assert chest["operating_points"] == dict.fromkeys(("Mass", "Edema", "Nodule"), 0.4)


def test_the_page_says_from_which_probability_each_finding_is_told_and_which_are_never_ruled_out(
    tmp_path: Path,
) -> None:
    bundle = small_reader(tmp_path / "bundle", CHEST, CHEST_LOGITS, rare=("Nodule",)).bundle
    facts = dict(bundle_facts(bundle))
    assert facts["Operating points"] == "Effusion from 0.5, Mass from 0.4, Edema from 0.4, Nodule from 0.4"
    assert facts["Never rules out"] == "Nodule, for too few images to learn from"
    assert title(bundle) == "Findings: Effusion, Mass, Edema and Nodule"


def test_answers_are_counted_by_finding(client: TestClient, readers: dict[str, Reader]) -> None:
    read(client, "chest")
    bundle = readers["chest"].bundle.fingerprint[:12]
    counted = client.get("/metrics").text
    assert f'overread_answers_total{{answer="unsure",bundle="{bundle}",question="Edema"}}' in counted


def test_the_map_of_a_finding_or_a_cut_is_drawn(client: TestClient) -> None:
    for bundle, shown in (("chest", "Nodule"), ("both", "retinopathy: 2 or more")):
        answer = client.post("/v1/explanations", params={"bundle": bundle, "class": shown}, files=FILES)
        assert answer.headers["content-type"] == "image/png"
    refused = client.post("/v1/explanations", params={"bundle": "chest", "class": "Hernia"}, files=FILES)
    assert refused.status_code == 422


def test_the_example_of_findings_is_as_the_schema_says(client: TestClient) -> None:
    examples = client.get("/openapi.json").json()["components"]["examples"]
    for name in ("Reading", "Findings", "Logged"):
        for image in examples[name]["value"]["images"]:
            jsonschema.Draft202012Validator(reading_schema()).validate(image["result"])
