"""The page in Chromium: what a person uploads, reads, moves, sorts, downloads and reviews."""

from __future__ import annotations

import base64
import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("uvicorn", reason="the page needs the extra: pip install 'overread[serve]'")
pytest.importorskip("playwright.sync_api", reason="the page is tested with playwright")
pytest.importorskip("axe_playwright_python.sync_playwright", reason="accessibility is tested with axe")

from overread import Reader, Study
from overread.images import prepare
from overread.reading import write_readings
from overread.reading.sentences import decision, reasons
from overread.reading_log import ReadingLog
from overread.service.settings import Settings
from support.browser import CHROMIUM, DESK, NO_CHROMIUM, PHONE, assert_accessible, launched, opening, serving, upload

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_CHROMIUM)


@pytest.fixture(scope="module")
def reader(tiny_study: Study) -> Reader:
    return Reader.load(tiny_study.out / "bundle")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadingLog]:
    log = ReadingLog.open(f"sqlite:///{tmp_path_factory.mktemp('log') / 'log.sqlite'}")
    yield log
    log.close()


@pytest.fixture(scope="module")
def url(reader: Reader, log: ReadingLog) -> Iterator[str]:
    with serving({reader.bundle.fingerprint[:12]: reader}, Settings(workers=2, max_file_bytes=2**20), log) as url:
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with launched() as browser:
        yield browser


@pytest.fixture
def open_page(chromium: Any, url: str) -> Iterator[Any]:
    with opening(chromium, url) as opened:
        yield opened


@pytest.fixture(scope="module")
def files(two_classes: Path, reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Uploads of every kind: images of both classes, one to refer, a zip, a broken one, a DICOM of 12 bits."""
    folder = tmp_path_factory.mktemp("uploads")
    found = {
        "disease.png": next((two_classes / "Disease").glob("*.png")).read_bytes(),
        "normal.png": next((two_classes / "Normal").glob("*.png")).read_bytes(),
        "broken.png": b"\x89PNG\r\n\x1a\n and no more",
        "<b>bold</b>.png": next((two_classes / "Normal").glob("*.png")).read_bytes(),
        "=SUM(A1).png": next((two_classes / "Disease").glob("*.png")).read_bytes(),
        "unlike.png": one_to_refer(reader),
        "deep.dcm": dicom(np.linspace(0, 4095, 96 * 128).reshape(96, 128).astype(np.uint16)),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("zipped-1.png", found["disease.png"])
        archive.writestr("zipped-2.png", found["normal.png"])
    found["two.zip"] = stream.getvalue()
    for name, content in found.items():
        (folder / name.replace("/", "\N{FRACTION SLASH}")).write_bytes(content)
    return {name: folder / name.replace("/", "\N{FRACTION SLASH}") for name in found}


def one_to_refer(reader: Reader) -> bytes:
    """The first of some images of one grey or of two that the reader refers."""
    pixels = [np.full((64, 64), level, np.uint8) for level in range(0, 256, 15)]
    pixels += [np.tile(np.array([[level, 0], [0, level]], np.uint8), (32, 32)) for level in range(15, 256, 15)]
    prepared = [prepare(png(each), reader.bundle.preprocessing) for each in pixels]
    found = reader.read_prepared([str(i) for i in range(len(pixels))], np.stack(prepared))
    return png(next(each for each, reading in zip(pixels, found, strict=True) if reading.refer))


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def dicom(stored: np.ndarray) -> bytes:
    dataset = pytest.importorskip("pydicom.dataset")
    from pydicom.uid import ExplicitVRLittleEndian

    meta = dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = dataset.FileDataset("", {}, file_meta=meta, preamble=bytes(128), is_implicit_VR=False, is_little_endian=True)
    ds.Rows, ds.Columns, ds.SamplesPerPixel, ds.PhotometricInterpretation = *stored.shape, 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.WindowCenter, ds.WindowWidth = 2000, 1000
    ds.add_new("PixelData", "OW", stored.astype("<u2").tobytes())
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def names(page: Any) -> list[str]:
    return [name.strip() for name in page.locator("#batch tbody tr:not([hidden]) th").all_inner_texts()]


def test_each_image_shows_what_the_reader_says_of_it(open_page: Any, files: dict[str, Path], reader: Reader) -> None:
    page = open_page()
    upload(page, files["disease.png"], files["broken.png"], files["two.zip"], files["normal.png"])
    assert names(page) == ["disease.png", "broken.png", "zipped-1.png", "zipped-2.png", "normal.png"]
    article = page.locator("article.image").first
    found = reader.read(files["disease.png"])
    assert found.threshold is not None and found.positive
    assert f"{decision(found)}." in article.inner_text()
    at = float(article.locator("svg .point").get_attribute("x1").rstrip("%"))
    assert at == pytest.approx(100 * found.threshold, abs=0.001)
    filled = float(article.locator("svg .fill").get_attribute("width").rstrip("%"))
    assert filled == pytest.approx(100 * found.probabilities["Disease"], abs=0.001)
    assert "is truncated, damaged or of an unusual kind" in page.locator("article.failure").inner_text()
    assert "1 not readable" in page.locator("#summary").inner_text()
    assert page.locator(".notice").inner_text() == "Research use only; not a medical device"


def test_a_referred_image_says_why_in_words(open_page: Any, files: dict[str, Path], reader: Reader) -> None:
    page = open_page()
    upload(page, files["unlike.png"])
    box = page.locator(".refer-box").inner_text()
    assert "Refer to a human" in box
    told = reasons(reader.read(files["unlike.png"]), reader.bundle.referral.coverage)
    assert told and all(sentence in box for sentence in told)
    assert page.locator("#batch .tag.refer").count() == 1


def test_the_table_sorts_filters_and_downloads_what_predict_writes(
    open_page: Any, files: dict[str, Path], reader: Reader, tmp_path: Path
) -> None:
    page = open_page()
    paths = [files[name] for name in ("normal.png", "disease.png", "broken.png", "unlike.png")]
    upload(page, *paths)
    head = page.locator("th[data-key=probability]")
    head.locator("button").press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    *shown, unread = page.locator("#batch td.number:nth-child(3)").all_inner_texts()
    assert [float(text.strip("<>")) for text in shown] == sorted([float(t.strip("<>")) for t in shown], reverse=True)
    assert not unread  # of an image unlike the training images no probability is told
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    page.locator("th[data-key=name] button").click()
    assert names(page) == ["broken.png", "disease.png", "normal.png", "unlike.png"]
    page.locator("#filter").fill("normal.p")
    assert names(page) == ["normal.png"]
    assert page.locator("article.image:visible").count() == 1
    page.locator("#filter").fill("")
    page.locator("#only-referred").check()
    assert "unlike.png" in names(page) and "broken.png" not in names(page)
    page.locator("#only-referred").uncheck()
    with page.expect_download() as download:
        page.locator("#csv").click()
    got = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    write_readings(tmp_path / "predicted.csv", reader.read_many(paths), reader.bundle.task)
    expected = list(csv.reader(io.StringIO((tmp_path / "predicted.csv").read_text(encoding="utf-8"))))
    bare = sorted([[Path(row[0]).name, *row[1:]] for row in expected[1:]])
    assert got[0] == expected[0]
    assert [[number_or_text(cell) for cell in row] for row in sorted(got[1:])] == [
        [pytest.approx(number_or_text(cell), abs=2e-4) for cell in row] for row in bare
    ]


def number_or_text(cell: str) -> float | str:
    """What to compare a cell by: in a batch of another size the last digit of a number may be another."""
    try:
        return float(cell)
    except ValueError:
        return cell


def test_names_are_text_on_the_page_and_no_formula_in_the_csv(open_page: Any, files: dict[str, Path]) -> None:
    page = open_page()
    upload(page, files["<b>bold</b>.png"], files["=SUM(A1).png"])
    assert names(page)[1] == "=SUM(A1).png"
    assert page.locator("article b", has_text="bold").count() == 0
    with page.expect_download() as download:
        page.locator("#csv").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8"))))
    assert rows[2][0] == "'=SUM(A1).png"


def test_the_slider_fades_the_activation_map_and_the_choice_changes_its_class(
    open_page: Any, files: dict[str, Path]
) -> None:
    page = open_page()
    upload(page, files["disease.png"])
    stage, slider = page.locator(".stage"), page.locator(".opacity")
    slider.fill("100")
    strong = np.asarray(Image.open(io.BytesIO(stage.screenshot())).convert("RGB"), np.int16)
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"], box["y"] + box["height"] / 2, steps=3)
    page.mouse.up()
    assert slider.input_value() == "0"
    bare = np.asarray(Image.open(io.BytesIO(stage.screenshot())).convert("RGB"), np.int16)
    assert np.abs(strong - bare).max() > 20
    assert np.ptp(bare, axis=2).max() <= 2  # grey again
    page.locator(".class-choice").select_option("Normal")
    assert page.locator(".heat:visible").get_attribute("data-label") == "Normal"


def test_window_and_level_are_applied_to_the_stored_values(open_page: Any, files: dict[str, Path]) -> None:
    page = open_page()
    upload(page, files["deep.dcm"])
    canvas = page.locator("canvas")
    assert canvas.is_hidden()
    page.locator(".preset").select_option("Full range")
    canvas.wait_for(state="visible")
    page.wait_for_timeout(100)
    stored = np.floor(np.linspace(0, 4095, 96 * 128).reshape(96, 128))
    assert np.abs(drawn(page) - stored * 255 / 4095).max() <= 1
    page.locator(".width").fill("500")
    page.wait_for_timeout(100)
    level = float(page.locator(".level").input_value())
    assert np.abs(drawn(page) - np.clip((stored - level + 250.0) * 255 / 500, 0, 255)).max() <= 1
    before = drawn(page)
    page.locator(".stage").scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 260, steps=3)
    page.mouse.up()
    page.wait_for_timeout(100)
    assert float(page.locator(".level").input_value()) > level
    assert drawn(page).mean() < before.mean()
    page.locator(".preset").select_option("Header window")
    assert canvas.is_hidden()


def drawn(page: Any) -> np.ndarray:
    """The red of each pixel of the canvas."""
    values = page.locator("canvas").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 0)"
    )
    size = page.locator("canvas").evaluate("c => [c.height, c.width]")
    return np.array(values, np.float64).reshape(size)


def test_a_review_is_noted_in_the_log(open_page: Any, files: dict[str, Path], log: ReadingLog) -> None:
    page = open_page()
    upload(page, files["disease.png"])
    page.get_by_role("button", name="Correct to Normal").click()
    page.get_by_text("Noted: you correct it to Normal.").wait_for()
    assert page.get_by_role("button", name="Correct to Normal").get_attribute("aria-pressed") == "true"
    _, reading_id, index = page.locator("article.image").get_attribute("id").split("-")
    noted = log.get(reading_id).images[int(index)].review
    assert noted is not None and noted.true_label == "Normal"


def test_a_file_above_the_limit_fails_alone(open_page: Any, files: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "large.png").write_bytes(files["normal.png"].read_bytes() + bytes(2**20))
    page = open_page()
    upload(page, tmp_path / "large.png", files["normal.png"])
    assert "has more than 1 MB" in page.locator("article.failure").inner_text()
    assert names(page) == ["large.png", "normal.png"]


def test_a_busy_server_is_asked_again(open_page: Any, files: dict[str, Path]) -> None:
    page = open_page()
    answers = iter([{"status": 503, "headers": {"Retry-After": "0"}, "body": "{}"}])

    def answer(route: Any) -> None:
        busy = next(answers, None)
        if busy:
            route.fulfill(**busy)
        else:
            route.continue_()

    page.route("**/?bundle=*", answer)
    upload(page, files["normal.png"])
    assert page.locator("article.failure").count() == 0


def test_files_are_dropped_anywhere_on_the_page(open_page: Any, files: dict[str, Path]) -> None:
    page = open_page()
    carried = page.evaluate_handle(
        "text => { const carried = new DataTransfer(), bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));"
        " carried.items.add(new File([bytes], 'dropped.png')); return carried; }",
        base64.b64encode(files["normal.png"].read_bytes()).decode(),
    )
    page.dispatch_event("footer", "drop", {"dataTransfer": carried})
    page.locator("#status", has_text="not readable").wait_for(state="attached")
    assert names(page) == ["dropped.png"]


def test_it_works_without_script(open_page: Any, files: dict[str, Path], log: ReadingLog) -> None:
    page = open_page(script=False)
    page.set_input_files("#files", [str(files["disease.png"]), str(files["broken.png"])])
    page.get_by_role("button", name="Read images").click()
    assert "Reads as Disease" in page.locator("article.image").first.inner_text()
    assert names(page) == ["disease.png", "broken.png"]
    assert page.get_by_role("link", name="Download CSV").get_attribute("href").startswith("data:text/csv")
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Agree: Disease").click()
    assert "Your review is noted" in opened.value.locator("h1").inner_text()


def test_it_is_used_by_keyboard_alone(open_page: Any, files: dict[str, Path]) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").evaluate("e => getComputedStyle(e).clipPath") == "none"
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "files":
            break
    assert page.evaluate("document.activeElement.id") == "files"
    assert page.locator(".drop").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    upload(page, files["disease.png"], files["normal.png"])
    page.locator("#results-heading:focus").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_state_is_accessible_and_fits(
    open_page: Any, files: dict[str, Path], size: tuple[int, int], theme: str
) -> None:
    page = open_page(size, theme)
    assert_accessible(page)
    upload(page, *(files[name] for name in ("disease.png", "unlike.png", "broken.png", "deep.dcm")))
    assert page.locator(".refer-box").count() >= 1
    assert page.locator("article.failure").count() == 1
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    page.get_by_role("link", name="Model card").click()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_card_and_report_are_one_click_away(open_page: Any) -> None:
    page = open_page()
    page.get_by_role("link", name="Model card").click()
    assert page.locator("article.card h1").inner_text().startswith("Model card")
    assert page.locator("article.card table").count() > 3
    page = open_page()
    page.get_by_role("link", name="Report").click()
    assert page.locator("#verdict").is_visible()
    assert page.locator(".notice").evaluate("e => getComputedStyle(e).borderStyle") == "solid"


def test_real_radiographs_are_shown_as_their_header_asks(open_page: Any, shared_data: Path) -> None:
    page = open_page()
    page.set_input_files("#files", [str(shared_data / "dicom" / "693_UNCI.dcm")])
    page.locator(".preset").wait_for()
    assert "Header window" in page.locator(".preset").inner_text()
    assert "Lung" in page.locator(".preset").inner_text()
