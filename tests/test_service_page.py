"""The page without a browser: its words, its choices, its problems and what it escapes."""

from __future__ import annotations

import base64
import dataclasses
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the page needs the extra: pip install 'overread[serve]'")

from starlette.testclient import TestClient

from overread import Bundle, Reader, Study
from overread.formats import open_picture
from overread.images import Preprocessing
from overread.reading.sentences import decision, headline, reasons, rounded
from overread.service.app import create_app
from overread.service.room.records import ImageRecord, ReadingRecord
from overread.service.room.rendition import render
from overread.service.settings import Settings
from overread.service.web.view import view_images
from support.readings import reading, reading_of_three

READING = reading()


@pytest.fixture(scope="module")
def client(tiny_study: Study, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    # A copy, for its card is changed.
    alone = Reader.load(shutil.copytree(tiny_study.out / "bundle", tmp_path_factory.mktemp("alone") / "bundle"))
    alone.bundle.write_card("# Card\n\n<script>alert(1)</script>\n\n[go](javascript:alert(1)) ![x](http://a.b/c.png)\n")
    app = create_app({"one": Reader.load(tiny_study.out / "bundle"), "two": alone}, Settings(workers=1), None)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_a_decision_is_told_with_its_probability_and_operating_point() -> None:
    assert decision(READING) == ("Reads as Disease: probability 0.83 is at or above the operating point 0.41")
    probabilities = {"Normal": 0.88, "Disease": 0.12}
    negative = dataclasses.replace(READING, predicted_label="Normal", probabilities=probabilities)
    assert decision(negative) == ("Reads as Normal: probability 0.12 of Disease is below the operating point 0.41")


def test_rounding_never_makes_a_decision_look_wrong() -> None:
    close = dataclasses.replace(READING, predicted_label="Normal", probabilities={"Normal": 0.5904, "Disease": 0.4096})
    assert "probability 0.4096 of Disease is below the operating point 0.4100" in decision(close)


def test_a_decision_among_several_classes_needs_no_operating_point() -> None:
    assert decision(reading_of_three()) == "Reads as B: the most probable of 3 classes, probability 0.50"


@pytest.mark.parametrize(
    ("probability", "told"), [(0.99986, ">0.99"), (0.0002, "<0.01"), (0.0, "0.00"), (1.0, "1.00"), (0.996, ">0.99")]
)
def test_no_probability_is_rounded_to_certainty(probability: float, told: str) -> None:
    assert rounded(probability) == told


def test_each_of_several_classes_has_its_bar_and_its_map() -> None:
    three = reading_of_three(activation_map=np.ones((4, 4, 3)), pixels=np.zeros((32, 32, 1)))
    bundle = SimpleNamespace(
        task=three.task, thresholds={"A": 0.3},
        preprocessing=Preprocessing(height=32, width=32, channels=1), referral=SimpleNamespace(coverage=0.9),
        exams=None,
    )  # fmt: skip
    stream = io.BytesIO()
    Image.new("L", (64, 32)).save(stream, "PNG")
    with open_picture(stream.getvalue()) as picture:
        rendition = render(picture)
    image = ImageRecord(index=0, name="a.png", sha256="0" * 64, latency_ms=1.0, result=three, rendition=rendition)
    (found,) = view_images(ReadingRecord(images=[image], bundle="b"), cast(Bundle, bundle))
    assert [(bar.label, bar.shown, bar.shown_threshold) for bar in found.told[0].bars] == [
        ("B", "0.50", ""),
        ("C", "0.30", ""),
        ("A", "0.20", ""),  # the most probable class is decided on, whatever its threshold
    ]
    assert [heat.label for heat in found.heats] == ["B", "A", "C"]
    # The picture alone, without what was padded above and below it.
    map_of_b = Image.open(io.BytesIO(base64.b64decode(found.heats[0].uri.partition(",")[2])))
    assert map_of_b.size == (32, 16)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"refer": ("uncertain",), "prediction_set": ("Normal", "Disease")}, "this image could be Normal or Disease"),
        ({"refer": ("uncertain",), "prediction_set": ()}, "like none of the classes"),
        ({"refer": ("uncertain",), "prediction_set": ("Normal",)}, "says Disease, but this image could only be Normal"),
        ({"refer": ("unfamiliar",), "unfamiliarity": 2.31}, "2.3 times as far"),
        ({"refer": ("unfamiliar",), "unfamiliarity": 1.001}, "just beyond"),
        ({"refer": ("unfamiliar",), "unfamiliarity": float("nan")}, "no finite numbers"),
    ],
)
def test_each_reason_to_refer_is_a_sentence(changes: dict, told: str) -> None:
    (sentence,) = reasons(dataclasses.replace(READING, **changes), 0.9)
    assert told in sentence


def test_what_is_uncertain_says_what_is_promised_as_people_count() -> None:
    (sentence,) = reasons(dataclasses.replace(READING, refer=("uncertain",), prediction_set=("Normal", "Disease")), 0.9)
    assert (
        "Of the images of each class, at most about 1 in 10 get an answer that leaves out the right class" in sentence
    )
    assert not {"coverage", "prediction set"} & set(sentence.split())


def test_an_image_unlike_the_training_images_is_not_read_whatever_the_numbers() -> None:
    unlike = dataclasses.replace(READING, refer=("uncertain", "unfamiliar"))
    assert decision(unlike) == headline(unlike) == "Not read: unlike the training images"
    assert [said.partition(":")[0] for said in reasons(unlike, 0.9)] == ["Unlike the training images"]
    assert headline(dataclasses.replace(READING, refer=("uncertain",))) == "Disease"


def test_several_bundles_are_a_choice(client: TestClient) -> None:
    page = client.get("/?bundle=two").text
    assert 'href="/?bundle=two" aria-current="true"' in page
    assert 'action="/?bundle=two"' in page


def test_a_bundle_alone_says_that_it_has_no_report(client: TestClient) -> None:
    assert "No report beside this bundle" in client.get("/?bundle=two").text
    assert client.get("/bundles/two/report").status_code == 404
    answer = client.get("/bundles/one/report")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].endswith("sandbox")


def test_the_card_runs_and_fetches_nothing(client: TestClient) -> None:
    page = client.get("/bundles/two/card").text
    assert "&lt;script&gt;" in page and "<script>" not in page
    assert 'href="javascript' not in page
    assert "<img" not in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/?bundle=none", 404),
        ("get", "/bundles/none/card", 404),
        ("get", "/bundles/none/report", 404),
        ("get", "/static/../pages.py", 404),
        ("post", "/", 415),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(client: TestClient, method: str, path: str, status: int) -> None:
    answer = getattr(client, method)(path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert 'class="lead"' in answer.text or 'class="problem"' in answer.text


def test_an_empty_form_is_answered_with_a_sentence(client: TestClient) -> None:
    answer = client.post("/", files={"files": ("", b"", "application/octet-stream")})
    assert answer.status_code == 422
    assert "No file was chosen" in answer.text


def test_names_are_escaped_and_a_server_without_log_offers_no_review(client: TestClient, two_classes: Path) -> None:
    content = next((two_classes / "Disease").glob("*.png")).read_bytes()
    page = client.post("/?bundle=one", files={"files": ('<img src=x onerror=alert(1)>".png', content)}).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "Your reading" not in page
    assert 'style="' not in page and "<style" not in page and "onclick" not in page
