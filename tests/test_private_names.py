"""No patient's name from a path is in what may be handed on: pages, documents, records, figures and bundles."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from overread.bundle import Bundle
from overread.cases import Case, Manifest, PublicNames
from overread.cases.note import Note
from overread.cli import app
from overread.decision import Task
from overread.errors import OverreadError
from overread.run import RunFolder, TrainingRun
from support.image_files import png, write_images

NAME = "Mueller_Hans_1960"
# What a user's own tables are, and what is declared private.
OWN = ("manifest.csv", "predictions.csv", "private/places.json", "private/images.csv")
TRAIN = ("--size", "32", "--epochs", "1", "--batch-size", "8", "--precision", "float32", "--network", "compact")


def overread(*arguments: str | Path) -> int:
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit | OverreadError), done.exception
    return done.exit_code


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder in which everything is named after a patient, with each kind of run on the same images."""
    root: Path = tmp_path_factory.mktemp("home") / NAME
    made = write_images(root / "made", {"Normal": 40, "Disease": 24})
    data, labels = root / "data", ["file,shows,remark"]
    for path in sorted(made.glob("*/*.png")):
        below = data / path.parent.name / (NAME if path.stem.endswith("0") else "rest")
        below.mkdir(parents=True, exist_ok=True)
        labels.append(f"{NAME}_{path.name},{path.parent.name},x")
        path.rename(below / f"{NAME}_{path.name}")
    (data / "Normal" / "rest" / f"{NAME}_N001_broken.png").write_bytes(png()[:20])
    (data / "Normal" / "rest" / f"{NAME}_N000_copy.png").write_bytes(next(data.glob("Normal/*/*_0.png")).read_bytes())
    labels.append(f"{NAME}_N000_copy.png,Normal,x")
    table = root / f"{NAME}.csv"
    table.write_text("\n".join(labels))
    pattern, store = ("--patient-pattern", r"_([ND]\d+)_"), ("--store", root / "store")
    skip = ("--skip-unreadable", *store)
    assert overread("train", data, "--out", root / "run", *pattern, *skip, *TRAIN) == 0
    assert overread("evaluate", root / "run", data, "--out", root / "seen", *skip) == 0
    tables = ("--labels", table, "--images", data, "--label-column", "shows")
    assert overread("evaluate", root / "run" / "bundle", "--out", root / "again", *tables, *skip) == 0
    assert overread("compare", root / "seen", root / "again", "--out", root / "compared") == 0
    assert overread("audit", data, "--out", root / "audited", *store) in (0, 1, 3)
    return root


def handed_on(run: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a run that is neither private nor a table of the user's, with its content; zips are opened."""
    for path in sorted(run.rglob("*")):
        name = path.relative_to(run).as_posix()
        if path.is_dir() or name.endswith(OWN):
            continue
        yield name, path.read_bytes()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{name}/{member}", archive.read(member)) for member in archive.namelist())


@pytest.mark.parametrize("run", ["run", "seen", "again", "audited", "compared"])
def test_what_may_be_handed_on_holds_no_name_of_a_path(home: Path, run: str) -> None:
    found = [name for name, content in handed_on(home / run) if NAME.encode() in content or NAME in name]
    assert not found


def test_numbers_stand_for_images_and_the_private_folder_tells_which(home: Path) -> None:
    folder = RunFolder(home / "run")
    header, *rows = folder.images.read_text(encoding="utf-8").splitlines()
    assert header == "image,name,frame,path" and len(rows) == 66
    (number,) = [row.split(",")[0] for row in rows if "broken" in row]
    assert list(json.loads(folder.record.read_text())["left_out"]) == [f"image {number}"]
    assert f"image {number}" in folder.report.read_text(encoding="utf-8")


def test_the_command_is_kept_with_words_for_its_paths(home: Path) -> None:
    record = json.loads(RunFolder(home / "again").record.read_text())
    assert record["command"].startswith("overread evaluate BUNDLE ")
    for words in ("--labels LABELS", "--images IMAGES", "--label-column shows", "--out OUT", "--store STORE"):
        assert words in record["command"]
    trained = json.loads(RunFolder(home / "run").record.read_text())["command"]
    assert trained.startswith("overread train DATA --patient-pattern '_([ND]\\d+)_' --out OUT ")
    assert str(home / "again") in json.loads(RunFolder(home / "again").places.read_text())["typed"]


def test_only_the_user_may_read_what_is_private(home: Path) -> None:
    folder = RunFolder(home / "run")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder.private, folder.places, folder.images)]
    assert modes == [0o700, 0o600, 0o600]


def test_a_run_without_its_private_folder_is_read_but_does_not_know_its_data(home: Path, tmp_path: Path) -> None:
    whole = RunFolder(home / "run").read(TrainingRun)
    assert whole.request.source is not None and whole.request.source.data == str(home / "data")
    record = RunFolder(tmp_path).record
    record.write_bytes(RunFolder(home / "run").record.read_bytes())
    assert RunFolder(tmp_path).read(TrainingRun).request.source is None


def test_a_run_of_an_earlier_version_knows_its_data_from_the_record(home: Path, tmp_path: Path) -> None:
    written = json.loads(RunFolder(home / "run").record.read_text())
    written["source"] = {"data": "/images", "positive": None, "patient_pattern": "^P"}
    RunFolder(tmp_path).record.write_text(json.dumps(written))
    source = RunFolder(tmp_path).read(TrainingRun).request.source
    assert source is not None and (source.data, source.patient_pattern) == ("/images", "^P")


def test_a_start_is_recorded_without_its_path(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--store", home / "store", "--skip-unreadable", "--from", home / "run")
    assert overread("train", home / "data", "--out", out, *options, *TRAIN) == 0
    assert Bundle.load(out).recipe["start"] == "the weights of an earlier training"
    assert not [name for name, content in handed_on(out) if NAME.encode() in content]
    assert RunFolder(out).read(TrainingRun).request.recipe.start == str(home / "run")


def names(*paths: str) -> PublicNames:
    cases = tuple(Case(path=Path("/data") / name, name=name, label="a") for name in paths)
    return PublicNames(Manifest(cases=cases, task=Task.of(("a", "b"))))


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("a/x 1.png", "image 1"),
        ("a near copy of a/x 1.png, mirrored", "a near copy of image 1, mirrored"),
        ("/data/a/x 1.png and yz22.png", "image 1 and image 2"),
        ("yz22 and 4", "image 2 and 4"),
        ("4711", "image 3"),  # a cell that is nothing but the name
        ("ayz22.png is another", "ayz22.png is another"),
        ("1 image of 3", "1 image of 3"),
        ("4", "4"),  # a count
    ],
)
def test_names_of_images_are_replaced_where_they_stand_alone(text: str, hidden: str) -> None:
    assert names("a/x 1.png", "a/yz22.png", "4711", "4").hide(text) == hidden


def test_a_note_that_names_folders_has_a_sentence_for_everybody() -> None:
    assert names("a/1.png").hide_in([Note("takes 1 folder: Hans", "takes 1 folder"), "the same"]) == (
        "takes 1 folder",
        "the same",
    )
