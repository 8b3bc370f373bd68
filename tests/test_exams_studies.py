"""Studies of exams, end to end: what was chosen, read and kept is the same wherever it is asked for."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from overread import Reader, Recipe, train
from overread.bundle import Graph
from overread.cases import Source
from overread.errors import InvalidOption, UnreadableImages
from overread.images import DataSet, Preprocessing
from overread.run import RunFolder
from overread.run.pooling import PoolingChoice
from overread.study import Study
from overread.study.data import read_manifest
from overread.training.exams.frame_traits import FrameTraits
from support.figures import figures_left_blank
from support.graphs import FEATURES, tiny_graph
from support.own_networks import maps

EXAMS, FRAMES, SIDE = 32, 3, 32
RECIPE = Recipe(network=maps, size=SIDE, epochs=1, batch_size=16, precision="float32", pooling="attention")


def write_exams(folder: Path, *, exams: int = EXAMS, side: int = SIDE) -> Path:
    """Exams of a few frames, of which one is brighter where there is a lesion, and a table of them."""
    rng, rows = np.random.default_rng(2), []
    for number in range(exams):
        for frame in range(FRAMES):
            pixels = rng.integers(0, 120, (side, side)) + 100 * (number % 2 and frame == number % FRAMES)
            path = folder / f"exam{number:02d}" / f"{frame}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.astype(np.uint8)).save(path)
            label = "lesion" if number % 2 else "none"
            rows.append((f"{path.parent.name}/{path.name}", label, f"P{number}", path.parent.name))
    table = folder / "exams.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("path", "label", "patient_id", "exam_id"), *rows])
    return table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_exams(tmp_path_factory.mktemp("exams"))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


def studied(table: Path, out: Path, store: Path, **options: Any) -> Study:
    accept = ("near-duplicate-across-classes", "duplicate-across-classes")
    with figures_left_blank():
        return train(table, out, RECIPE, accept=accept, store=store, study_id="one", **options)


@pytest.fixture(scope="module")
def study(table: Path, store: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return studied(table, tmp_path_factory.mktemp("run") / "run", store)


def files_of(table: Path, name: str) -> list[Path]:
    return sorted((table.parent / name).iterdir())


def test_how_frames_are_pooled_is_recorded(study: Study) -> None:
    choice = PoolingChoice.read(RunFolder(study.out).pooling)
    assert choice is not None and choice.chosen == "attention"
    assert [one.name for one in choice.candidates] == ["mean", "attention"]
    assert choice.exams == study.split.sizes()["train"] and choice.frames == FRAMES * choice.exams
    assert study.bundle.members[0].attention == "attention.npz"


def test_an_exam_is_read_as_the_test_side_was_in_whatever_order_its_files_come(study: Study, table: Path) -> None:
    reader = Reader.load(study.out)
    case = study.split.manifest.cases[study.split.manifest.select("test")[0]]
    files = files_of(table, case.name)
    one, other = reader.read_exam(files), reader.read_exam(files[::-1])
    assert one.probabilities["lesion"] == pytest.approx(other.probabilities["lesion"])
    with (study.out / "test" / "predictions.csv").open(encoding="utf-8") as stream:
        told = {row["path"]: float(row["probability_lesion"]) for row in csv.DictReader(stream)}
    assert one.probabilities["lesion"] == pytest.approx(told[case.name], abs=1e-6)


def test_what_the_frames_gave_sums_to_the_answer(study: Study, table: Path) -> None:
    reading = Reader.load(study.out).read_exam(files_of(table, "exam01"))
    assert len(reading.frames) == FRAMES
    assert sum(frame.share for frame in reading.frames) == pytest.approx(1)
    assert sorted(frame.rank for frame in reading.frames) == list(range(1, FRAMES + 1))


def test_what_calibrated_the_bundle_is_what_a_reader_says(study: Study, table: Path) -> None:
    (reference,) = study.bundle.references()
    cases = [study.split.manifest.cases[i] for i in study.split.manifest.select("val")]
    reader = Reader.load(study.out)
    said = [reader.read_exam(files_of(table, case.name)).probabilities["lesion"] for case in cases]
    assert np.asarray(reference.scores)[:, 1] == pytest.approx(said, abs=1e-5)


def test_a_finished_study_resumes_to_the_same_bundle(study: Study, table: Path, store: Path) -> None:
    before = study.bundle.fingerprint
    assert studied(table, study.out, store, existing="resume").bundle.fingerprint == before


def test_no_time_is_given_to_exams(table: Path, store: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="these are exams"):
        studied(table, tmp_path / "run", store, time="1m")


def opened(table: Path, store: Path, **options: Any) -> DataSet:
    manifest = read_manifest(Source(data=str(table)))
    return DataSet.open(manifest, Preprocessing(height=16, width=16, channels=1), folder=store, **options)


def tiny() -> Graph:
    return Graph(tiny_graph().SerializeToString())


def test_kept_features_that_were_damaged_are_worked_out_anew(table: Path, tmp_path: Path) -> None:
    data_set, graph = opened(table, tmp_path), tiny()
    traits = FrameTraits.work_out(data_set, graph, "network", [0, 1])
    right = traits.of(0).copy()
    assert right.shape[0] == FRAMES and traits.features(0).shape[1] == FEATURES
    content = bytearray(traits.paths[0].read_bytes())
    content[-20] ^= 1
    traits.paths[0].write_bytes(content)
    again = FrameTraits.work_out(data_set, graph, "network", [0, 1])
    assert np.array_equal(again.of(0), right)
    written = [path.stat().st_mtime_ns for path in again.paths]
    FrameTraits.work_out(data_set, graph, "network", [1, 0])
    assert written == [path.stat().st_mtime_ns for path in again.paths]


def test_features_of_another_network_are_not_taken(table: Path, tmp_path: Path) -> None:
    data_set, graph = opened(table, tmp_path), tiny()
    one, other = (FrameTraits.work_out(data_set, graph, name, [0]) for name in ("one", "other"))
    assert one.paths != other.paths


def test_an_exam_with_a_frame_that_cannot_be_read_is_named_or_left_out(tmp_path: Path) -> None:
    table = write_exams(tmp_path / "exams", exams=6)
    (table.parent / "exam03" / "1.png").write_bytes(b"no image")
    with pytest.raises(UnreadableImages, match=r"exam03: has a frame, number [23] of 3, that") as raised:
        opened(table, tmp_path / "store")
    assert list(raised.value.failures) == ["exam03"]
    assert len(opened(table, tmp_path / "store", skip_unreadable=True).manifest) == 5


def test_a_frame_that_breaks_after_the_exams_were_opened_is_named(tmp_path: Path) -> None:
    table = write_exams(tmp_path / "exams", exams=6)
    data_set = opened(table, tmp_path / "store")
    (table.parent / "exam03" / "1.png").write_bytes(b"no image")
    with pytest.raises(UnreadableImages, match=r"exam03: has a frame, number [23] of 3"):
        FrameTraits.work_out(data_set, tiny(), "network", list(range(6)))
