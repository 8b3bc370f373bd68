"""Names that are no Unicode, or act instead of showing, are read, stored in every file and given back as they were."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from overread import DataSet, Manifest, Preprocessing, Reader, Recipe, evaluate, train
from overread.cases import pseudonym
from overread.machine.content.text import restored, storable
from overread.machine.files import from_json, read_rows, to_json, write_rows
from overread.machine.terminal import shown
from overread.reading_log import ImageRow, ReadingLog, ReadingRow
from overread.run import RunFolder, TrainingRun
from overread.study.train import Study
from support.command_line import overread, sentence

# What Python makes of the GBK bytes of two Chinese words on Linux.
HEALTHY, ILL = os.fsdecode("健康".encode("gbk")), os.fsdecode("肺炎".encode("gbk"))
# Two surrogates that no file system gives are signs.
PARTS = st.characters(exclude_categories=(), exclude_characters="\udc00\udc5c") | st.sampled_from(
    ["\\", "\\udcc4", "\\udc00", "\udcc4", "\r", "\n", '"']
)
ANY_TEXT = st.lists(PARTS).map("".join)
posix_names = pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")


@pytest.fixture
def gbk_folder(tmp_path: Path) -> Path:
    """Images of two classes in folders and files of GBK names."""
    folder, rng = tmp_path / f"data {ILL}", np.random.default_rng(0)
    for number, name in enumerate((HEALTHY, ILL)):
        (folder / name).mkdir(parents=True)
        for i in range(16):
            pixels = rng.integers(0, 120, (40, 40), dtype=np.uint8) + np.uint8(60 * number)
            Image.fromarray(pixels).save(folder / name / f"{name}{i:02d}.png", format="PNG")
    return folder


@given(ANY_TEXT)
def test_any_text_is_stored_as_unicode_and_given_back(text: str) -> None:
    assert storable(text).encode("utf-8") is not None
    assert restored(storable(text)) == text


@given(st.text())
def test_unicode_without_a_backslash_is_stored_as_it_is(text: str) -> None:
    text = text.replace("\\", "/")
    assert storable(text) == text


@given(st.lists(st.lists(ANY_TEXT, min_size=2, max_size=3), min_size=1, max_size=3))
def test_rows_of_any_cells_are_written_and_read_back(rows: list[list[str]]) -> None:
    stream = io.StringIO()
    write_rows(stream, rows)
    assert list(read_rows(io.StringIO(stream.getvalue().encode().decode(), newline=""))) == rows


def test_cells_are_texts_of_what_they_hold() -> None:
    stream = io.StringIO()
    write_rows(stream, [[None, Path("\udcc4"), 0.1, np.float64(0.25), True, 7]])
    assert stream.getvalue() == ",\\udcc4,0.1,0.25,True,7\n"


@given(ANY_TEXT)
def test_json_of_any_text_is_one_line_that_any_reader_takes(text: str) -> None:
    line = to_json({text: [text]})
    assert len(line.splitlines()) == 1
    assert json.loads(line.encode()) == {storable(text): [storable(text)]}
    assert from_json(line.encode()) == {text: [text]}


def test_a_pseudonym_of_any_patient_is_given_and_that_of_unicode_is_what_it_was() -> None:
    assert (pseudonym("P001"), pseudonym("Zoë")) == ("p-e76f7e1d76672630", "p-2679078552fa34a8")
    assert pseudonym("\udcc4") != pseudonym("\udcc5")


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("a\x1b[2J.png", r"a\x1b[2J.png"),
        ("two\nlines", r"two\nlines"),
        ("exe\u202egnp", r"exe\u202egnp"),
        (HEALTHY, r"\udcbd\udca1\udcbf\udcb5"),
        ("肺炎 [red] :smile:", "肺炎 [red] :smile:"),
    ],
)
def test_what_would_act_on_a_terminal_is_shown_escaped(name: str, seen: str) -> None:
    assert shown(name) == seen


@posix_names
def test_a_manifest_of_gbk_names_finds_the_files_again(gbk_folder: Path, tmp_path: Path) -> None:
    manifest = Manifest.from_folder(gbk_folder)
    manifest.write_csv(gbk_folder / "cases.csv")
    (gbk_folder / "cases.csv").read_text(encoding="utf-8")
    again = Manifest.from_csv(gbk_folder / "cases.csv")
    assert set(again.classes) == {HEALTHY, ILL}
    assert {case.path for case in again.cases} == {case.path for case in manifest.cases}
    opened = [DataSet.open(one, Preprocessing(height=32, width=32), folder=tmp_path / "s") for one in (manifest, again)]
    assert opened[0].fingerprint == opened[1].fingerprint


@posix_names
@pytest.mark.parametrize(
    "name",
    [
        "back\\slash.png",
        r"lit\udcc4.png",
        "cr\rx",
        "nl\nx",
        "trail.png ",
        "\tlead",
        "\"q'uote",
        "ls\u2028",
        "wide\u3000",
        "p,q;r|s",
    ],
)
def test_a_manifest_of_names_that_tables_make_much_of_finds_the_files_again(tmp_path: Path, name: str) -> None:
    for label in ("Ill ", "Healthy"):
        (tmp_path / label).mkdir()
        Image.new("L", (40, 40)).save(tmp_path / label / name, format="PNG")
    manifest = Manifest.from_folder(tmp_path)
    manifest.write_csv(tmp_path / "cases.csv")
    again = Manifest.from_csv(tmp_path / "cases.csv")
    assert [(case.path, case.label) for case in again.cases] == [(case.path, case.label) for case in manifest.cases]
    assert all(case.path.exists() for case in again.cases)


@posix_names
@pytest.mark.usefixtures("blank_figures")
def test_gbk_names_go_through_the_whole_job(gbk_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"out\xc4")
    recipe = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32")
    study = train(gbk_folder, out, recipe, store=tmp_path / "s", accept=("near-duplicate-across-splits",))
    assert set(Reader.load(out / "bundle.zip").bundle.classes) == {HEALTHY, ILL}
    source = RunFolder(out).read(TrainingRun).request.source
    assert source is not None and source.data == str(gbk_folder)
    assert evaluate(study.bundle, gbk_folder, out / "evaluated", store=tmp_path / "s").evaluation.n == 32
    for path in out.rglob("*"):
        if path.suffix in (".csv", ".json", ".jsonl", ".html", ".md"):
            path.read_text(encoding="utf-8")
    assert r"\udcbd\udca1\udcbf\udcb5" in study.report.read_text(encoding="utf-8")


@posix_names
@pytest.mark.parametrize("option", ["--csv", "--json", None])
def test_a_gbk_name_is_read_and_written_by_predict(tiny_study: Study, tmp_path: Path, option: str | None) -> None:
    image = tmp_path / f"{ILL}\u2028.png"
    Image.new("L", (40, 40)).save(image, format="PNG")
    options = {"--csv": ["--csv", str(tmp_path / "out.csv")], "--json": ["--json"], None: []}[option]
    done = overread("predict", tiny_study.out, image, *options)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    text = (tmp_path / "out.csv").read_text(encoding="utf-8") if option == "--csv" else done.stdout
    if option == "--json":
        assert Path(from_json(text)["path"]) == image
    else:
        assert [Path(row[0]) for row in list(read_rows(io.StringIO(text, newline="")))[1:]] == [image]
        assert len(list(csv.reader(io.StringIO(text, newline="")))) == 2


@posix_names
def test_an_audit_of_gbk_names_writes_a_manifest_that_is_read(gbk_folder: Path, tmp_path: Path) -> None:
    done = overread("audit", gbk_folder, "--fix", tmp_path / "fix.csv", "--json")
    assert done.returncode in (0, 1) and json.loads(done.stdout)["n"] == 32
    assert all(case.path.exists() for case in Manifest.from_csv(tmp_path / "fix.csv").cases)


@posix_names
def test_markup_in_a_path_is_printed_as_it_is(tmp_path: Path) -> None:
    done = overread("train", tmp_path / "a[" / "b].png", "--out", tmp_path / "[red]run[/]")
    assert f"{tmp_path}/a[/b].png is not there" in sentence(done)
    assert done.returncode == 2


def test_the_reading_log_keeps_labels_that_are_no_unicode(tmp_path: Path) -> None:
    log = ReadingLog.open(f"sqlite:///{tmp_path / 'log.sqlite'}")
    row = ImageRow(
        sha256="a" * 64,
        latency_ms=1,
        predicted_label=ILL,
        probabilities={ILL: 0.9, HEALTHY: 0.1},
        prediction_set=(ILL,),
    )
    reading = ReadingRow(id=uuid.uuid4().hex, time=datetime.now(UTC), bundle="b" * 64, images=(row,))
    log.add(reading)
    log.review(reading.id, 0, HEALTHY)
    (found,) = log.get(reading.id).images
    assert (found.predicted_label, found.prediction_set, found.probabilities) == (ILL, (ILL,), row.probabilities)
    assert found.review is not None and found.review.true_label == HEALTHY
    log.close()
