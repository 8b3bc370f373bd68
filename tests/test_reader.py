"""Reading new images: the same pixels and numbers as in the study, and failures that stop nothing."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread import Reader
from overread.errors import InvalidData, MissingPath, UnreadableImage
from overread.networks.build import NetworkSpec, build_network
from overread.reading import Failure, Reading, find_images, write_json_lines, write_readings
from overread.study.train import Study


@pytest.fixture(scope="module")
def reader(tiny_study: Study) -> Reader:
    return Reader.load(tiny_study.out / "bundle")


def some(two_classes: Path, count: int = 5) -> list[Path]:
    return sorted(two_classes.glob("*/*.png"))[:count]


def test_the_reader_repeats_the_predictions_of_the_study(reader: Reader, tiny_study: Study, two_classes: Path) -> None:
    with (tiny_study.out / "test" / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == tiny_study.evaluation.n
    for row in rows:
        reading = reader.read(two_classes / row["path"])
        assert reading.probabilities["Disease"] == pytest.approx(float(row["probability_Disease"]), abs=1e-6)
        assert reading.unfamiliarity == pytest.approx(float(row["unfamiliarity"]), rel=1e-3)
        assert (";".join(reading.prediction_set), ";".join(reading.refer)) == (row["prediction_set"], row["refer"])


def test_a_reading_is_referred_for_the_reasons_that_its_set_and_features_give(
    reader: Reader, two_classes: Path
) -> None:
    thresholds = reader.bundle.referral.thresholds
    for path in sorted(two_classes.glob("*/*.png")):
        reading = reader.read(path)
        inside = tuple(name for name, p in reading.probabilities.items() if 1 - p <= thresholds[name])
        assert reading.prediction_set == inside
        assert ("uncertain" in reading.refer) == (inside != (reading.predicted_label,))
        assert ("unfamiliar" in reading.refer) == (reading.unfamiliarity > 1)
        assert reading.projection.dtype == np.float32 and 1 <= len(reading.projection) <= 16


def test_an_image_unlike_the_training_images_is_referred(reader: Reader, two_classes: Path) -> None:
    usual = [reader.read(path).unfamiliarity for path in some(two_classes)]
    height, width = reader.bundle.preprocessing.height, reader.bundle.preprocessing.width
    stripes = np.zeros((1, height, width, 1), np.uint8)
    stripes[:, ::2] = 255
    (reading,) = reader.read_prepared(["stripes"], stripes)
    assert reading.unfamiliarity > max(usual) and "unfamiliar" in reading.refer


def test_the_reference_holds_what_was_said_of_the_validation_images(tiny_study: Study, two_classes: Path) -> None:
    (reference,) = tiny_study.bundle.references()
    manifest = tiny_study.split.manifest
    validation = [manifest.cases[i] for i in manifest.select("val")]
    reader = Reader(tiny_study.bundle)
    for i, case in enumerate(validation):
        reading = reader.read(two_classes / case.name)
        assert reference.scores[i] == pytest.approx([*reading.probabilities.values()], abs=1e-5)
        assert reference.distances[i] == pytest.approx(reading.unfamiliarity * reference.limit, rel=1e-3)
        assert reference.projections[i] == pytest.approx(reading.projection, abs=1e-3)
    assert (reference.distances <= reference.limit).all() and reference.limit in reference.distances


def test_keras_weights_of_the_bundle_give_what_the_reader_gives(
    reader: Reader, two_classes: Path, tmp_path: Path
) -> None:
    network = build_network(NetworkSpec(**reader.bundle.network))
    (tmp_path / "w.weights.h5").write_bytes(reader.bundle.read_file("network.weights.h5"))
    network.load_weights(tmp_path / "w.weights.h5")
    (member,) = reader.bundle.members
    for path in some(two_classes):
        reading = reader.read(path)
        logits = np.asarray(network(reading.pixels[None])["logits"])
        expected = member.calibration.apply(logits, reader.bundle.task)[0, 1]
        assert reading.probabilities["Disease"] == pytest.approx(expected, abs=1e-3)


def test_the_decision_is_the_probability_against_the_operating_point(reader: Reader, two_classes: Path) -> None:
    for path in sorted(two_classes.glob("*/*.png")):
        reading = reader.read(path)
        assert reading.threshold is not None
        assert reading.positive == (reading.probabilities["Disease"] >= reading.threshold)
        assert reading.predicted_label == ("Disease" if reading.positive else "Normal")
        assert sum(reading.probabilities.values()) == pytest.approx(1)


def test_the_activation_map_explains_the_logit(reader: Reader, two_classes: Path) -> None:
    reading = reader.read(some(two_classes)[0])
    probability, (member,) = reading.probabilities["Disease"], reader.bundle.members
    assert member.calibration.temperature is not None
    assert member.calibration.offset is not None
    odds = np.log(probability / (1 - probability)) - member.calibration.offset[0]
    logit = member.calibration.temperature * odds
    assert reading.activation_map.mean() == pytest.approx(logit, abs=1e-3)


def test_one_unreadable_image_among_many_is_named_and_the_others_are_read(
    reader: Reader, two_classes: Path, tmp_path: Path
) -> None:
    good = [path for path in sorted(two_classes.glob("*/*.png")) for _ in range(2)][:99]
    (tmp_path / "broken.png").write_bytes(good[0].read_bytes()[:100])
    readings = list(reader.read_many([*good[:50], tmp_path / "broken.png", *good[50:], tmp_path / "absent.png"]))
    failures = [reading for reading in readings if isinstance(reading, Failure)]
    assert [Path(failure.path).name for failure in failures] == ["broken.png", "absent.png"]
    assert "not there" in failures[1].error
    assert [reading.path for reading in readings if isinstance(reading, Reading)] == [str(path) for path in good]
    assert readings[0].path == str(good[0])
    one = reader.read(good[70])
    assert isinstance(readings[71], Reading)
    assert readings[71].probabilities["Disease"] == pytest.approx(one.probabilities["Disease"], abs=1e-6)


def test_readings_come_in_order_and_before_all_paths_are_known(reader: Reader, two_classes: Path) -> None:
    images = sorted(two_classes.glob("*/*.png"))
    asked = 0

    def endless() -> Iterator[Path]:
        nonlocal asked
        for path in itertools.cycle(images):
            asked += 1
            yield path

    some_readings = list(itertools.islice(reader.read_many(endless()), 150))
    assert [reading.path for reading in some_readings] == [str(images[i % 64]) for i in range(150)]
    assert asked < 150 + 64 * (os.cpu_count() or 1)


def test_a_reader_goes_on_when_its_bundle_is_moved_away(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle")
    reader = Reader.load(moved)
    shutil.rmtree(moved)
    assert all(isinstance(reading, Reading) for reading in reader.read_many(some(two_classes)))


def test_a_single_unreadable_image_raises(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(UnreadableImage):
        reader.read(tmp_path / "text.png")
    with pytest.raises(MissingPath):
        reader.read(tmp_path / "absent.png")


def alike(found: Reading, expected: Reading) -> bool:
    same = np.array_equal(found.pixels, expected.pixels) and found.probabilities == expected.probabilities
    return same and found.predicted_label == expected.predicted_label


def test_an_image_in_memory_gives_the_reading_of_its_file(reader: Reader, two_classes: Path) -> None:
    path = some(two_classes)[0]
    expected, picture = reader.read(path), Image.open(path)
    assert expected.path == reader.read(str(path)).path == str(path)
    for source in (path.read_bytes(), picture, np.asarray(picture), np.asarray(picture.convert("RGB"))):
        assert alike(reader.read(source), expected)
    assert reader.read(picture).path == "" and reader.read(picture, name="frame 3").path == "frame 3"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I", "F", "CMYK"])
def test_a_picture_of_every_mode_is_read_as_its_file(reader: Reader, tmp_path: Path, mode: str) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    wide = {"I;16": np.uint16, "I": np.int32, "F": np.float32}.get(mode)
    picture = Image.fromarray(levels.astype(wide) * 7) if wide else Image.fromarray(levels).convert(mode)
    picture.save(tmp_path / "file.tiff")
    assert picture.mode == mode and alike(reader.read(picture), reader.read(tmp_path / "file.tiff"))


def test_a_picture_is_turned_as_its_file_is(reader: Reader, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    levels = np.random.default_rng(0).integers(0, 256, (50, 70), dtype=np.uint8)
    Image.fromarray(levels).save(tmp_path / "turned.png", exif=exif)
    assert alike(reader.read(Image.open(tmp_path / "turned.png")), reader.read(tmp_path / "turned.png"))


@pytest.mark.parametrize(
    "pixels", [np.zeros((8, 8)), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 0), np.uint8), np.zeros(8, np.uint8)]
)
def test_an_array_that_is_no_image_is_refused_with_what_is_expected(reader: Reader, pixels: np.ndarray) -> None:
    with pytest.raises(
        UnreadableImage, match=r"is an array \(8.*give \(height, width\) or \(height, width, 3\) of uint8"
    ):
        reader.read(pixels)


def test_a_reader_and_its_bundle_are_shown_in_one_line(reader: Reader) -> None:
    assert repr(reader) == f"Reader(Bundle(Normal / Disease: compact, {reader.bundle.fingerprint[:12]}))"


def test_no_images_give_no_readings(reader: Reader) -> None:
    assert list(reader.read_many([])) == []


def test_files_folders_patterns_and_standard_input_are_expanded_in_order_without_repeats(
    two_classes: Path, tmp_path: Path
) -> None:
    a, b, c = some(two_classes, 3)
    found = find_images([str(b), str(two_classes / "Disease"), "-"], [f"{c}\n", "\n", f"{b}\n"])
    assert found[0] == b
    assert len(found) == len(set(found)) == 24
    assert find_images([str(two_classes / "*" / f"{a.name}")]) == [a]
    assert find_images([str(tmp_path / "absent.png")]) == [tmp_path / "absent.png"]
    with pytest.raises(InvalidData, match="holds no image"):
        find_images([str(tmp_path)])
    with pytest.raises(InvalidData, match="nothing matches"):
        find_images([str(tmp_path / "*.png")])


def test_csv_and_json_lines_hold_a_row_for_every_image(reader: Reader, two_classes: Path, tmp_path: Path) -> None:
    paths = [*some(two_classes), tmp_path / "absent.png"]
    assert write_readings(tmp_path / "out.csv", reader.read_many(paths), reader.bundle.task) == 1
    with (tmp_path / "out.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    lines = io.StringIO()
    assert write_json_lines(lines, reader.read_many(paths)) == 1
    objects = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [row["path"] for row in rows] == [value["path"] for value in objects] == [str(path) for path in paths]
    assert float(rows[0]["probability_Disease"]) == pytest.approx(objects[0]["probabilities"]["Disease"], abs=1e-6)
    assert rows[-1]["predicted_label"] == ""
    assert rows[-1]["error"] == objects[-1]["error"] != ""
    assert set(objects[0]) == set(objects[-1])
    assert rows[0]["prediction_set"].split(";") == (objects[0]["prediction_set"] or [""])
    assert float(rows[0]["unfamiliarity"]) == pytest.approx(objects[0]["unfamiliarity"], abs=1e-4)
    assert rows[0]["refer"].split(";") == (objects[0]["refer"] or [""])
    assert (rows[-1]["refer"], objects[-1]["refer"]) == ("", None)
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]
