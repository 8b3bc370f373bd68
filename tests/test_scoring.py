"""Reading an archive: parts that are whole, rows as of a plain run, a way on from any end, here and by Ray."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from overread import Reader
from overread.errors import InvalidData, InvalidOption, MissingPath, OutputExists
from overread.monitoring.checks import Expected
from overread.monitoring.monitor import monitor_readings
from overread.monitoring.parts import watch_parts
from overread.reading import predict, write_readings
from overread.scoring import ScoringOptions, score
from overread.study.train import Study
from support.command_line import overread

pytest.importorskip("pyarrow")
SMALL = ScoringOptions(part_images=8)
CSV = ScoringOptions(part_images=8, kind="csv")
DEADLY = Path(__file__).parent / "support" / "deadly"


@pytest.fixture(scope="module")
def reader(tiny_study: Study) -> Reader:
    return Reader.load(tiny_study.out)


@pytest.fixture(scope="module")
def archive(two_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images, with one that cannot be read."""
    folder = tmp_path_factory.mktemp("archive")
    for number, path in enumerate(sorted(two_classes.rglob("*.png"))[:27]):
        shutil.copyfile(path, folder / f"{number:02d}.png")
    (folder / "13-broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return folder


@pytest.fixture(scope="module")
def plain(reader: Reader, archive: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The CSV of a plain run."""
    path = tmp_path_factory.mktemp("plain") / "readings.csv"
    write_readings(path, predict(reader, archive), reader.bundle.task)
    return path.read_text()


@pytest.fixture(scope="module")
def deadly(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive with an image that kills the process that reads it, where `support/deadly` is found."""
    folder = tmp_path_factory.mktemp("deadly")
    shutil.copytree(archive, folder / "archive")
    shutil.copyfile(archive / "00.png", folder / "archive" / "05-deadly.png")
    return folder


def names_the_deadly(out: Path) -> bool:
    told = {Path(row["path"]).name: row["error"] for row in csv.DictReader(rows_of(out).splitlines())}
    failed = {name for name, error in told.items() if error}
    return (
        len(told) == 29
        and failed == {"05-deadly.png", "13-broken.png"}
        and told["05-deadly.png"].startswith("ended the process that read it")
    )


def rows_of(out: Path) -> str:
    first, *others = (path.read_bytes().decode() for path in sorted((out / "parts").glob("[0-9]*"), key=str))
    return first + "".join(text.partition("\n")[2] for text in others)


def parts(out: Path) -> list[str]:
    return sorted(path.name for path in (out / "parts").glob("[0-9]*"))


def test_parts_hold_the_rows_of_a_plain_run_with_failures_among_them(
    reader: Reader, archive: Path, plain: str, tmp_path: Path
) -> None:
    scored = score(reader, archive, tmp_path / "out", CSV)
    assert parts(tmp_path / "out") == [f"0000000{number}.csv" for number in (1, 2, 3, 4)]
    assert rows_of(tmp_path / "out") == plain
    assert (scored.images, scored.failures, scored.missing) == (28, 1, 0)
    assert not [*(tmp_path / "out").rglob("*.begun")]


def test_parquet_has_typed_columns_and_every_digit(reader: Reader, archive: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    score(reader, archive, tmp_path / "out", SMALL)
    found = pyarrow.parquet.read_table(tmp_path / "out" / "parts").to_pylist()
    for row, reading in zip(found, predict(reader, archive), strict=True):
        values = reading.to_dict()
        probabilities = values.pop("probabilities") or dict.fromkeys(reader.bundle.classes)
        assert row == values | {f"probability_{name}": value for name, value in probabilities.items()}


def test_a_further_run_reads_what_is_missing_and_no_more(reader: Reader, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    score(reader, archive, out, CSV)
    before = rows_of(out)
    kept = (out / "parts" / "00000001.csv").stat().st_mtime_ns
    (out / "parts" / "00000003.csv").unlink()
    score(reader, archive, out)
    assert rows_of(out) == before
    assert (out / "parts" / "00000001.csv").stat().st_mtime_ns == kept


def test_new_images_are_read_as_further_parts(reader: Reader, archive: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "archive", tmp_path / "out"
    shutil.copytree(archive, folder)
    score(reader, folder, out, CSV)
    shutil.copyfile(archive / "00.png", folder / "00-later.png")
    scored = score(reader, folder, out)
    assert parts(out) == [f"0000000{number}.csv" for number in (1, 2, 3, 4, 5)]
    assert scored.images == 29
    assert rows_of(out).count("00-later.png") == 1


def test_an_image_that_two_sources_name_is_read_once(reader: Reader, archive: Path, tmp_path: Path) -> None:
    assert score(reader, [archive, archive / "00.png"], tmp_path / "out", CSV).images == 28


def test_a_folder_of_other_readings_is_refused(reader: Reader, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    score(reader, archive, out, CSV)
    with pytest.raises(InvalidOption, match="differ in the images: go on"):
        score(reader, archive / "00.png", out)
    with pytest.raises(InvalidOption, match="differ in the images of a part, the kind of the parts: go on"):
        score(reader, archive, out, ScoringOptions(part_images=16, kind="parquet"))
    with pytest.raises(OutputExists, match="no readings of an archive"):
        score(reader, archive, archive)


@pytest.mark.parametrize("images", [0, 7, 12])
def test_a_part_of_broken_chunks_is_refused(images: int) -> None:
    with pytest.raises(InvalidOption, match="expected a multiple of 8"):
        ScoringOptions(part_images=images)


def test_an_image_that_ends_its_process_becomes_a_failure(
    reader: Reader, deadly: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(DEADLY), os.environ.get("PYTHONPATH", "")]))
    out = tmp_path / "out"
    score(reader, deadly / "archive", out, CSV)  # by this process, which Python started before
    (out / "parts" / "00000001.csv").unlink()
    (out / "plan" / "00000001.begun").touch()
    assert score(reader, deadly / "archive", out).failures == 2
    assert names_the_deadly(out)


def test_a_killed_run_is_gone_on_with(tiny_study: Study, archive: Path, plain: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["predict", str(tiny_study.out), str(archive), "--out", str(out), "--parts", "csv", "--part-images", "8"]
    process = subprocess.Popen([sys.executable, "-m", "overread", *command], stderr=subprocess.DEVNULL)
    for _ in range(2000):
        if (out / "parts").is_dir() and parts(out):
            break
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = overread(*command)
    assert finished.returncode == 1
    assert "1 of 28 images could not be read" in finished.stderr
    assert rows_of(out) == plain


@pytest.mark.cluster
def test_ray_reads_what_this_machine_reads(
    cluster: None, reader: Reader, archive: Path, plain: str, tmp_path: Path
) -> None:
    scored = score(reader, archive, tmp_path / "out", ScoringOptions(part_images=8, kind="csv", engine="ray"))
    assert rows_of(tmp_path / "out") == plain
    assert (scored.images, scored.failures, scored.missing) == (28, 1, 0)


@pytest.mark.cluster
def test_a_worker_that_is_killed_loses_nothing_and_the_image_that_kills_it_is_named(
    cluster: None, reader: Reader, deadly: Path, tmp_path: Path
) -> None:
    options = ScoringOptions(part_images=8, kind="csv", engine="ray")
    assert score(reader, deadly / "archive", tmp_path / "out", options).missing == 0
    assert names_the_deadly(tmp_path / "out")


def test_an_archive_in_a_store_is_read_into_a_store(reader: Reader, archive: Path, plain: str, bucket: Path) -> None:
    for path in sorted(archive.iterdir()):
        (bucket / "archive" / path.name).write_bytes(path.read_bytes())
    for number in range(2):
        scored = score(reader, bucket / "archive", bucket / "out", CSV)
        assert (scored.images, scored.failures, scored.report) == (28, 1, None), number
    assert rows_of(bucket / "out").replace(str(bucket / "archive"), str(archive)) == plain


def test_the_readings_of_an_archive_are_held_against_the_reference(
    reader: Reader, archive: Path, tmp_path: Path
) -> None:
    scored = score(reader, archive, tmp_path / "out", SMALL)
    found = monitor_readings(tmp_path / "out", reader.bundle, out=tmp_path / "page")
    assert found.to_dict() == scored.monitoring.to_dict()
    assert (found.n_images, sum(found.classes.values()), sum(found.failures.values())) == (28, 27, 1)
    assert "on an archive" in (tmp_path / "page" / "report.html").read_text()
    assert (tmp_path / "out" / "report" / "report.html").is_file()
    with pytest.raises(MissingPath, match="holds no readings"):
        monitor_readings(archive)


def test_drift_of_an_archive_is_found_from_all_its_files(reader: Reader, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    name = reader.bundle.task.judged[0]
    other = next(each for each in reader.bundle.classes if each != name)
    for number in range(4):
        header = ["path", "predicted_label", f"probability_{name}", f"probability_{other}", "unfamiliarity"]
        scores = random.beta(2, 2 + number, 100)
        lines = [f"{i}.png,{name},{p},{1 - p},0.5,," for i, p in enumerate(scores)]
        (tmp_path / f"{number}.csv").write_text("\n".join([",".join([*header, "refer", "error"]), *lines]) + "\n")
    expected = Expected(
        scores={name: random.beta(2, 2, 400)}, projections=np.empty((0, 0)), unfamiliarity=np.full(400, 0.5)
    )
    found = watch_parts(tmp_path, expected)
    assert [check.name for check in found.findings] == [f"score of {name}"]
    assert found.n_images == found.findings[0].n == 400


def test_a_part_that_was_whole_when_its_reader_was_ended_keeps_no_sign_of_it(
    tiny_study: Study, archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    score(tiny_study.bundle, archive, out, CSV)
    begun = out / "plan" / "00000001.begun"
    begun.touch()
    score(tiny_study.bundle, archive, out, CSV)
    assert not begun.exists()


def test_a_plan_or_part_that_lost_rows_is_told(tiny_study: Study, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    score(tiny_study.bundle, archive, out, CSV)
    part = out / "parts" / "00000001.csv"
    part.write_text("".join(part.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(InvalidData, match="was to hold 2"):
        score(tiny_study.bundle, archive, out, CSV)
