"""Reading exams: what belongs together, what each frame gave, and what is written of it."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from PIL import Image

from overread import Exam, Gathering, Reader, predict, to_frame
from overread.cases.folder import LeftOut
from overread.decision import Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import AssessmentOptions, Predictions, assess
from overread.formats import Instance
from overread.reading import Failure, Reading, explain, find_exams, write_readings, writing_frames
from overread.reading.exams.find import gathering_asked
from overread.reading.fields import column_names, reading_schema
from overread.reading.table import from_table, to_table
from overread.report.of_exams import in_exams
from overread.report.verdict import near_chance
from overread.scoring import ScoringOptions, score
from support.exams import write_pages, write_series, write_table
from support.small_readers import BOTH, BOTH_LOGITS, picture, small_reader

TWO = Task.of(("Normal", "Disease"))


def brighter(by: int, seed: int = 0) -> np.ndarray:
    return np.clip(picture(seed).astype(int) + by, 0, 255).astype(np.uint8)


def write_folder(folder: Path, *steps: int) -> Path:
    """An exam as a folder of PNGs, of which each is so much brighter than what the reader knows."""
    folder.mkdir(parents=True)
    for number, by in enumerate(steps, start=1):
        Image.fromarray(brighter(by, number)).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    return small_reader(tmp_path_factory.mktemp("exams") / "b", TWO, (1.0,), exams=Gathering(by="folder"))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    write_folder(tmp_path / "new" / "a", 0, 20, 4)
    write_folder(tmp_path / "new" / "b", -10, -30)
    return tmp_path / "new"


def test_files_are_gathered_as_those_of_training_unless_told_otherwise(reader: Reader, archive: Path) -> None:
    read = [*predict(reader, archive)]
    assert [(Path(one.path).name, len(one.frames)) for one in read if isinstance(one, Reading)] == [("a", 3), ("b", 2)]
    assert [one.name for one in find_exams(archive)] == [str(path) for path in sorted(archive.glob("*/*.png"))]
    (whole,) = find_exams(archive, Gathering(by="pattern", pattern="new/"))
    assert len(whole.instances) == 5
    assert len([*predict(reader, archive, exams=Gathering())]) == 5


def test_a_table_says_which_files_are_one_exam_and_files_alone_do_not(archive: Path) -> None:
    table = archive / "exams.csv"
    table.write_text("exam_id,path\none,a/1.png\ntwo,b/1.png\none,b/2.png\n")
    one, two = find_exams([table], Gathering(by="column"))
    assert (one.name, [i.path.name for i in one.instances], two.path) == (
        "one",
        ["1.png", "2.png"],
        archive / "b/1.png",
    )
    with pytest.raises(InvalidOption, match="a column of a table tells, and files do not"):
        find_exams(archive, Gathering(by="column"))
    table.write_text("file\na/1.png\n")
    with pytest.raises(InvalidData, match="expected path and exam_id"):
        find_exams(table)


def test_a_pattern_that_misses_a_file_is_told(archive: Path) -> None:
    with pytest.raises(InvalidData, match="does not match 2 files of 5"):
        find_exams(archive, Gathering(by="pattern", pattern="(?<=new/)a"))


def test_a_series_is_one_exam_whatever_its_names(reader: Reader, tmp_path: Path) -> None:
    frames = np.stack([brighter(by) for by in (0, 5, 10)])
    for name in ("s1", "s2"):
        write_series(tmp_path / "mixed" / name, frames)
    left_out = LeftOut()
    found = find_exams(tmp_path / "mixed", Gathering(by="series"), (), left_out)
    assert [len(one.instances) for one in found] == [3, 3]


def test_what_can_be_asked_for_is_what_files_tell() -> None:
    assert gathering_asked(None, None) is None and gathering_asked("study", None) == Gathering(by="study")
    assert gathering_asked(None, "(p1)") == Gathering(by="pattern", pattern="(p1)")
    for exams, pattern in (("patient", None), ("nothing", None), ("folder", "x")):
        with pytest.raises(InvalidOption):
            gathering_asked(exams, pattern)


def test_what_frames_gave_sums_to_the_logit_of_the_exam(reader: Reader, archive: Path) -> None:
    found = reader.read_exam(archive / "a")
    best = found.best_frame
    assert best is not None and best.rank == 1 and best.origin.path.name == "2.png"
    assert np.allclose(found.frames.shares, 1 / 3) and found.evidence().shape == found.activation_map.shape[:2]
    with reader.open_exam(archive / "a") as exam:
        looks = [reader.look(exam, index) for index in range(len(exam))]
    means = [look.evidence("Disease").mean() for look in looks]
    assert np.allclose(np.array(means) / 3, found.frames.of("Disease"), atol=1e-5)
    assert np.array_equal(looks[best.index].activation_map, found.activation_map)
    assert [frame.index for frame in found.frames.top(2)] == np.argsort(-found.frames.evidence)[:2].tolist()
    assert found.frames[-1] == [*found.frames][-1] and len(found.frames[1:]) == 2


def test_an_exam_of_one_image_reads_as_the_image(reader: Reader, archive: Path, tmp_path: Path) -> None:
    alone = Reader(dataclasses.replace(reader.bundle, exams=None))
    path = archive / "a" / "2.png"
    image, exam = alone.read(path), reader.read(path)
    assert np.allclose([*image.probabilities.values()], [*exam.probabilities.values()], atol=1e-6)
    assert (
        np.allclose(image.unfamiliarity, exam.unfamiliarity, atol=1e-4) and not image.frames and len(exam.frames) == 1
    )
    for source in (path.read_bytes(), Image.open(path), np.asarray(Image.open(path))):
        assert reader.read(source, name="x.png").probabilities == exam.probabilities
    with pytest.raises(InvalidOption, match="reads single images"):
        alone.read_exam(path)


def test_pages_of_a_file_are_the_exam(reader: Reader, tmp_path: Path) -> None:
    path = write_pages(tmp_path / "pages", np.stack([brighter(by) for by in (0, 3, 6, 9)]))
    assert len(reader.read(path).frames) == 4
    assert len(reader.read(path.read_bytes(), name="pages.tif").frames) == 4


def test_one_exam_that_cannot_be_read_is_a_failure_among_others(reader: Reader, archive: Path) -> None:
    (archive / "b" / "1.png").write_bytes(b"nothing")
    gone = Exam(name="gone", instances=(Instance(archive / "none.png"),))
    read = [*reader.read_many([*find_exams(archive, Gathering(by="folder")), gone] * 3)]
    assert [isinstance(one, Failure) for one in read] == [False, True, True] * 3
    assert read[2] == Failure(path="gone", error="a file of it is not there: check the name")
    assert {one.path for one in read if isinstance(one, Reading)} == {str(archive / "a")}


def test_workers_change_no_digit(reader: Reader, archive: Path) -> None:
    exams = find_exams(archive, Gathering(by="folder")) * 4
    one, two = ([found.to_dict() for found in reader.read_many(exams, workers=workers)] for workers in (1, 3))
    assert one == two == [reader.read_exam(exam).to_dict() for exam in exams]


def test_csv_json_frame_and_schema_of_an_exam_have_its_frames(reader: Reader, archive: Path, tmp_path: Path) -> None:
    found, failed = reader.read_exam(archive / "a"), Failure(path="c", error="is empty")
    for told in (found, failed):
        jsonschema.Draft202012Validator(reading_schema()).validate(json.loads(json.dumps(told.to_dict())))
    said = found.to_dict()
    assert said["frames"] == 3 and said["best_frame"]["number"] == 2 and "notes" not in said
    stream = io.StringIO()
    assert write_readings(stream, [found, failed], TWO, of_exams=True) == 1
    header, row, empty = csv.reader(stream.getvalue().splitlines())
    assert header == column_names(TWO, of_exams=True) == [*to_frame([found, failed]).columns]
    named = dict(zip(header, row, strict=True))
    assert (named["frames"], named["best_frame"]) == ("3", "2") and named["best_frame_path"].endswith("2.png")
    assert set(empty[1:-1]) == {""}
    assert "best_frame" not in column_names(TWO)
    for kind in ("csv", "parquet"):
        path = tmp_path / f"t.{kind}"
        path.write_bytes(to_table([found, failed], TWO, kind, of_exams=True)[0])
        assert from_table(path).labels == [found.predicted_label, None]


def test_each_frame_has_a_row(reader: Reader, archive: Path, tmp_path: Path) -> None:
    read = [*writing_frames(tmp_path / "each.csv", predict(reader, archive))]
    rows = [*csv.DictReader((tmp_path / "each.csv").read_text().splitlines())]
    assert len(read) == 2 and len(rows) == 5
    for one in read:
        assert isinstance(one, Reading)
        own = [row for row in rows if row["path"] == one.path]
        assert sum(float(row["share"]) for row in own) == pytest.approx(1, abs=1e-4)
        assert {row["evidence_for"] for row in own} == {one.predicted_label}


def test_several_tasks_have_the_evidence_of_frames_each(tmp_path: Path, archive: Path) -> None:
    reader = small_reader(tmp_path / "both", BOTH, BOTH_LOGITS, exams=Gathering(by="folder"))
    found = reader.read_exam(archive / "a")
    for part in found.parts.values():
        assert np.allclose(part.frames.evidence, part.task.evidence(part.frames.given[None], part.frames.name)[0])
        assert part.best_frame.index == found.best_frame.index


def test_an_exam_is_drawn_with_the_frames_that_gave_most(reader: Reader, archive: Path, tmp_path: Path) -> None:
    made = [*explain(reader, archive, tmp_path / "drawn", shown="Disease")]
    widths = []
    for one in made:
        assert one.picture is not None
        with Image.open(one.picture) as picture:
            widths.append(picture.width // 224)
    assert widths == [3, 2]


def test_an_archive_is_scored_by_exam(reader: Reader, archive: Path, tmp_path: Path) -> None:
    scored = score(reader, archive, tmp_path / "out", ScoringOptions(kind="csv"))
    assert (scored.images, scored.failures, scored.missing) == (2, 0, 0)
    stream = io.StringIO(newline="")
    write_readings(stream, predict(reader, archive), TWO, of_exams=True)
    assert (tmp_path / "out" / "parts" / "00000001.csv").read_text() == stream.getvalue()


def test_a_table_of_a_study_can_be_read_back(reader: Reader, tmp_path: Path) -> None:
    table = write_table(tmp_path / "data", ill=1, well=1)
    assert [one.name for one in find_exams(table, Gathering(by="column"))] == ["e001", "e101"]


def test_a_report_of_exams_speaks_of_exams() -> None:
    assert in_exams("An image of 3 images.") == "An exam of 3 exams."
    assert in_exams("private/images.csv, 9 images/s, ImageNet") == "private/images.csv, 9 images/s, ImageNet"
    assert in_exams("240 images are 60 exams\n4 images") == "240 images are 60 exams\n4 exams"


def test_a_result_like_guessing_is_called_no_better_than_chance() -> None:
    y_true = np.arange(60) % 2
    rng = np.random.default_rng(3)
    for signal, said in ((0.0, True), (0.9, False)):
        prob = np.clip(signal * y_true + (1 - signal) * rng.random(60), 0.01, 0.99)
        found = assess(
            Predictions(
                cases=[str(i) for i in range(60)],
                y_true=y_true,
                y_prob=np.stack([1 - prob, prob], axis=1),
                task=TWO,
                thresholds={"Disease": 0.5},
            ),
            AssessmentOptions(resamples=100),
        )
        assert bool(near_chance(found)) == said
        assert all("no better than chance" in one for one in near_chance(found))
