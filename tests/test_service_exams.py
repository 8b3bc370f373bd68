"""Exams in the service: how files become exams, what is said of each and its frames, and that no file stays."""

from __future__ import annotations

import contextlib
import html
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the service needs the extra: pip install 'overread[serve]'")

from fastapi.testclient import TestClient

from overread.cases.exams.gathering import Gathering
from overread.decision import Task
from overread.machine.places import cache_folder
from overread.reading import Reader
from overread.reading.fields import reading_schema
from overread.reading_log import ReadingLog
from overread.service.app import create_app
from overread.service.room.exams.gather import gathered_files, name_of_exam
from overread.service.room.exams.trays import Sent, Trays
from overread.service.settings import Settings
from support.exams import write_series, write_volume
from support.slide_files import SlideOptions, write_picture
from support.small_readers import of_all, picture, png, small_reader

TASK = Task.of(("Normal", "Disease"))
BY = {"folder": "folder", "series": "series", "file": "file", "column": "column"}


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    folder = tmp_path_factory.mktemp("bundles")
    return {by: small_reader(folder / by, TASK, (3.0,), exams=Gathering(by=by)) for by in BY}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(workers=2, max_upload_bytes=4 * 2**20, max_exam_files=40, max_frames=30, timeout_s=10)


@pytest.fixture(scope="module")
def client(
    readers: dict[str, Reader], settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    log = ReadingLog.open(f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite'}")
    app = create_app(readers, settings, log)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as opened:
        yield opened
    log.close()
    assert files_left() == []


def files_left() -> list[Path]:
    """Files of exams on the disk."""
    return [path for path in cache_folder().glob(".exams.*/**/*") if path.is_file()]


def sent(*names: str) -> list[Any]:
    return [("files", (name, png(picture(seed)))) for seed, name in enumerate(names)]


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def read(client: TestClient, files: list[Any], by: str = "folder", **parameters: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/readings", files=files, params={"bundle": by, **parameters})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["images"]
    return found


def test_files_sent_together_are_one_exam_and_each_frame_is_told_when_asked_for(client: TestClient) -> None:
    (item,) = read(client, sent("a.png", "b.png", "c.png"))
    assert (item["name"], item["files"], item["result"]["frames"]) == ("a.png and 2 more", 3, 3)
    assert "frames" not in item
    (item,) = read(client, sent("a.png", "b.png", "c.png"), each=True)
    assert [frame["path"] for frame in item["frames"]] == ["a.png", "b.png", "c.png"]
    assert sum(frame["share"] for frame in item["frames"]) == pytest.approx(1)
    assert item["result"]["best_frame"] in item["frames"]
    jsonschema.validate(item["result"], reading_schema())


def test_an_exam_is_read_as_the_reader_reads_it(client: TestClient, readers: dict[str, Reader], tmp_path: Path) -> None:
    files = sent("a.png", "b.png")
    for _, (name, content) in files:
        (tmp_path / name).write_bytes(content)
    expected = readers["folder"].read_exam(tmp_path).to_dict()
    (item,) = read(client, files)
    assert item["result"]["probabilities"] == pytest.approx(expected["probabilities"])
    assert item["result"]["best_frame"]["evidence"] == pytest.approx(expected["best_frame"]["evidence"])


def test_folders_of_a_zip_and_of_names_are_exams_and_what_is_no_image_is_told_by_itself(client: TestClient) -> None:
    images = [png(picture(seed)) for seed in range(5)]
    content = zipped(
        {
            "study/one/1.png": images[0],
            "study/one/2.png": images[1],
            "study/two/1.png": images[2],
            "study/notes.txt": b"no image",
            "__MACOSX/._1.png": b"litter",
        }
    )
    items = read(client, [("files", ("all.zip", content)), *sent("three/1.png", "three/2.png")], "column")
    found = {item["name"]: (item["files"], item["code"]) for item in items}
    assert found == {
        "all.zip/study/one": (2, None),
        "all.zip/study/two/1.png": (1, None),
        "all.zip/study/notes.txt": (1, "unreadable"),
        "three": (2, None),
    }
    assert [item["index"] for item in items] == list(range(4))


def test_series_are_told_by_their_headers_wherever_their_files_lie(client: TestClient, tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    paths = [
        path
        for name in ("first", "second")
        for path in sorted(write_series(tmp_path / name, np.full((3, 16, 16), 125, np.uint8)).iterdir())
    ]
    files = [("files", (f"flat/{number}.dcm", path.read_bytes())) for number, path in enumerate(paths)]
    first, second = read(client, [*files[::2], *files[1::2]], "series")
    assert (first["result"]["frames"], second["result"]["frames"]) == (3, 3)
    assert first["result"]["best_frame"]["position_mm"] is not None


def test_a_volume_is_an_exam_in_one_part(client: TestClient, tmp_path: Path) -> None:
    pytest.importorskip("nibabel")
    path = write_volume(tmp_path / "brain", np.stack([picture(seed) for seed in range(5)]))
    (item,) = read(client, [("files", ("brain.nii", path.read_bytes()))], "file")
    assert (item["name"], item["result"]["frames"]) == ("brain.nii", 5)


def test_a_damaged_frame_fails_its_exam_and_no_other(client: TestClient) -> None:
    files = [*sent("good/1.png", "good/2.png"), *sent("bad/1.png")]
    files.append(("files", ("bad/2.png", png(picture())[:100])))
    good, bad = read(client, files)
    assert good["code"] is None
    assert bad["code"] == "unreadable" and "number 2 of 2" in bad["result"]["error"]


@pytest.mark.parametrize(
    ("content", "status", "reason"),
    [
        (zipped({f"{number}.png": b"x" for number in range(41)}), 422, "41 files"),
        (zipped({"zeros.png": bytes(3 * 2**20)}), 422, "grows more than"),
        (zipped({"inner.zip": zipped({"a.png": b"x"})}), 422, "zip within a zip"),
        (zipped({}), 422, "without any file"),
        (zipped({"../../a.png": png(picture())})[:60], 422, "damaged"),
    ],
)
def test_a_zip_beyond_the_limits_is_refused(client: TestClient, content: bytes, status: int, reason: str) -> None:
    answer = client.post("/v1/readings", files=[("files", ("a.zip", content))], params={"bundle": "folder"})
    assert answer.status_code == status
    assert reason in answer.json()["errors"][0]["detail"]


def test_names_lead_nowhere(client: TestClient) -> None:
    content = zipped({"../../../up/1.png": png(picture(1)), "/etc/2.png": png(picture(2)), "C:\\x\\3.png": b"x"})
    items = read(client, [("files", ("..\\..\\evil.zip", content)), *sent("../a.png")])
    assert sum(item["code"] is None for item in items) == 3
    assert files_left() == []


def test_more_frames_and_files_than_are_taken_are_refused(client: TestClient) -> None:
    many = client.post("/v1/readings", files=sent(*(f"{n}.png" for n in range(31))), params={"bundle": "folder"})
    assert many.json()["errors"][0]["code"] == "too-large"
    files = client.post("/v1/readings", files=sent(*(f"{n}.png" for n in range(41))), params={"bundle": "folder"})
    assert (files.status_code, files.json()["title"]) == (413, "Too many files")
    nothing = client.post("/v1/readings", files=[("other", (None, b"x"))], params={"bundle": "folder"})
    assert (nothing.status_code, nothing.json()["title"]) == (422, "No files")


def test_a_request_sent_twice_is_read_once_and_other_folders_are_another(client: TestClient) -> None:
    def ask(*names: str) -> Any:
        return client.post(
            "/v1/readings", files=sent(*names), params={"bundle": "folder"}, headers={"Idempotency-Key": "exam"}
        )

    first, again, other = ask("a/1.png", "a/2.png"), ask("a/1.png", "a/2.png"), ask("a/1.png", "b/2.png")
    assert first.json()["id"] == again.json()["id"]
    assert again.json()["images"][0]["result"]["frames"] == 2
    assert other.status_code == 422 and "key-reused" in other.json()["type"]


def test_an_exam_is_looked_up_reviewed_and_explained_as_a_whole(client: TestClient) -> None:
    made = client.post("/v1/readings", files=sent("a.png", "b.png"), params={"bundle": "folder"}).json()
    address = f"/v1/readings/{made['id']}"
    assert client.post(f"{address}/images/0/review", json={"agrees": True}).status_code == 204
    (kept,) = client.get(address).json()["images"]
    assert kept["review"] and kept["result"]["frames"] == 2 and "path" not in kept["result"]["best_frame"]
    shown = client.post("/v1/explanations", files=sent("a.png", "b.png"), params={"bundle": "folder"})
    assert shown.content.startswith(b"\x89PNG")
    two = client.post("/v1/explanations", files=sent("a/1.png", "b/1.png"), params={"bundle": "folder"})
    assert two.status_code == 422 and "one-image" in two.json()["type"]
    assert files_left() == []


def test_the_page_shows_the_best_frame_and_gives_each_other_when_asked_until_it_is_removed(client: TestClient) -> None:
    page = client.post("/", files=sent("a.png", "b.png", "c.png"), params={"bundle": "folder"})
    assert page.status_code == 200 and 'data-frames="3"' in page.text and "a.png and 2 more" in page.text
    address = page.text.split('data-address="')[1].split('"')[0]
    assert len(files_left()) == 3
    told = client.get(f"{address}0").json()
    assert told["where"].startswith("Frame 1 of 3") and told["picture"].startswith("data:image/png")
    assert set(told["heats"]) == {"Normal", "Disease"}
    assert client.get(f"{address}3").status_code == 404
    remove = address.replace("/frames/", "/remove")
    assert client.post(remove).status_code == 200
    assert files_left() == []
    assert [client.post(remove).status_code, client.get(f"{address}0").status_code] == [404, 404]


def test_a_slide_is_shown_with_what_its_tiles_gave_and_any_part_of_it_when_asked(
    readers: dict[str, Reader], tmp_path: Path
) -> None:
    pytest.importorskip("openslide")
    path = write_picture(tmp_path / "slide.svs", tissue(), SlideOptions(mpp="1", levels=2))
    app = create_app({"file": of_all(readers["file"])}, Settings(workers=2), None)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        page = client.post("/", files=[("files", ("slide.svs", path.read_bytes()))]).text
        facts = json.loads(html.unescape(page.split('data-slide="')[1].split('"')[0]))
        assert (facts["width"], facts["height"], facts["microns"]) == (1100, 700, 1)
        assert page.count("data-box=") == 6 and "tiles read" in page
        part = Image.open(io.BytesIO(client.get(f"{facts['address']}0/1/1").content))
        assert part.size == (512, 700 - 512)
        expected = tissue()[512:, 512:1024].astype(int)
        assert np.abs(np.asarray(part).astype(int) - expected).mean() < 8
        whole = Image.open(io.BytesIO(client.get(f"{facts['address']}{facts['levels']}/0/0").content))
        assert max(whole.size) <= 512
        for none in ("0/3/0", "0/0/2", "24/0/0"):
            assert client.get(facts["address"] + none).status_code == 404
    assert files_left() == []


def tissue() -> np.ndarray:
    """A slide of 1,100 x 700 pixels with a piece of tissue whose red grows to the right."""
    pixels = np.full((700, 1100, 3), 244, np.uint8)
    noise = np.random.default_rng(0).integers(-25, 25, (500, 800, 3))
    pixels[100:600, 200:1000] = np.clip(np.array([190, 90, 150]) + noise, 0, 255)
    pixels[100:600, 200:1000, 0] += np.linspace(0, 30, 800).astype(np.uint8)
    return pixels


def test_a_page_without_files_says_so(client: TestClient) -> None:
    page = client.post("/", files=[("files", ("", b""))], params={"bundle": "folder"})
    assert page.status_code == 422 and "no file came" in page.text.lower()


def test_exams_count_in_the_metrics_and_bundles_tell_how_they_are_gathered(client: TestClient) -> None:
    read(client, sent("a.png", "b.png"))
    assert 'overread_frames_total{bundle="' in client.get("/metrics").text
    assert client.get("/v1/bundles/series").json()["exams"] == {"by": "series"}


def test_a_log_that_is_out_of_order_leaves_no_file(readers: dict[str, Reader], tmp_path: Path) -> None:
    log = ReadingLog.open(f"sqlite:///{tmp_path / 'log.sqlite'}")
    app = create_app({"folder": readers["folder"]}, Settings(workers=1), log)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        (tmp_path / "log.sqlite").rename(tmp_path / "gone.sqlite")
        assert client.post("/", files=sent("a.png", "b.png")).status_code == 503
        assert files_left() == []
    log.close()


def test_an_exam_that_takes_too_long_is_a_failure_of_its_own(readers: dict[str, Reader]) -> None:
    app = create_app({"folder": readers["folder"]}, Settings(workers=1, exam_timeout_s=1e-6), None)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        answer = client.post("/v1/readings", files=sent("a.png", "b.png"))
    assert answer.json()["errors"][0]["code"] == "timed-out"
    assert files_left() == []


def test_exams_leave_the_shelf_when_nobody_looks_or_others_need_the_room(readers: dict[str, Reader]) -> None:
    size = sum(len(content) for _, (_, content) in sent("a.png", "b.png"))
    app = create_app({"folder": readers["folder"]}, Settings(workers=1, max_kept_bytes=size + 10), None)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        for _ in range(2):
            client.post("/", files=sent("a.png", "b.png"))
            assert len(files_left()) == 2
        shelf = app.state.room.exams.shelf
        shelf._clock = lambda: 1e9
        assert shelf.get(next(iter(shelf._kept))) is None
        assert files_left() == []


def test_a_tray_is_for_its_user_only_and_goes_whatever_happens() -> None:
    with contextlib.suppress(RuntimeError), Trays().tray() as tray:
        assert tray.folder.stat().st_mode & 0o77 == 0 and tray.folder.parent.stat().st_mode & 0o77 == 0
        tray.take("Doe^John.dcm", [b"x"])
        assert "Doe" not in str(tray.files[0].path) and tray.files[0].path.suffix == ".dcm"
        raise RuntimeError
    assert files_left() == []


def file_named(name: str, zip_name: str | None = None) -> Sent:
    return Sent(name=name, path=Path("0"), sha256="0" * 64, size_bytes=1, zip_name=zip_name)


def test_a_pattern_tells_exams_by_names_or_paths() -> None:
    files = [file_named(name) for name in ("p1_a.png", "x/p1_b.png", "p2_a.png", "other.png")]
    told = [""] * len(files)
    found = gathered_files(files, told, Gathering(by="pattern", pattern=r"^(p\d)_"))
    assert [[file.name for file in own] for own in found] == [["p1_a.png", "x/p1_b.png"], ["p2_a.png"], ["other.png"]]
    paths = gathered_files(files, told, Gathering(by="pattern", pattern=r"x/(p\d)"))
    assert [len(own) for own in paths] == [1, 1, 1, 1]


def test_an_exam_is_told_by_what_its_files_share() -> None:
    assert name_of_exam([file_named("a/b/1.png"), file_named("a/b/2.png")]) == "a/b"
    assert name_of_exam([file_named("1.png", "s.zip"), file_named("2.png", "s.zip")]) == "s.zip"
    assert name_of_exam([file_named("1.png")]) == "1.png"
