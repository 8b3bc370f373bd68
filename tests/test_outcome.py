"""What an evaluation writes is what is read back from it."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from overread.errors import InvalidData, MissingPath
from overread.evaluation import AssessmentOptions, OwnMetric, Predictions, assess
from overread.test_side import Outcome, read_predictions
from support.documents import THREE, TWO, predictions


def written(folder: Path, found: Predictions, **options: object) -> Path:
    assessment = assess(found, AssessmentOptions(resamples=100, **options))  # type: ignore[arg-type]
    Outcome(predictions=found, assessment=assessment, mistakes=(), data="a hash").write(folder)
    return folder


def pooled(classes: tuple[str, ...]) -> Predictions:
    found = predictions(classes)
    decided = (np.asarray(found.y_true) + (np.arange(120) % 7 == 0)) % len(classes)
    return dataclasses.replace(found, thresholds={}, decided=decided)


@pytest.mark.parametrize("found", [predictions(TWO), predictions(THREE), pooled(TWO), pooled(THREE)])
def test_predictions_come_back_as_they_were(tmp_path: Path, found: Predictions) -> None:
    again = read_predictions(written(tmp_path, found))
    assert again.cases == found.cases and again.task == found.task and again.patients == found.patients
    assert again.thresholds == found.thresholds
    for name in ("y_true", "y_prob", "uncalibrated", "decisions"):
        assert np.array_equal(getattr(again, name), getattr(found, name)), name


def test_the_columns_say_whose_label_it_is(tmp_path: Path) -> None:
    found = predictions(TWO)
    with (written(tmp_path, found) / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:4] == ["path", "patient_id", "true_label", "predicted_label"]
    assert [row["true_label"] for row in rows] == [TWO[i] for i in np.asarray(found.y_true)]
    assert [row["predicted_label"] for row in rows] == [TWO[i] for i in found.decisions]


@pytest.mark.parametrize(("classes", "threshold"), [(TWO, True), (THREE, False)])
def test_the_metrics_file_tells_the_threshold_or_those_of_the_classes(
    tmp_path: Path, classes: tuple[str, ...], threshold: bool
) -> None:
    found = predictions(classes)
    fields = json.loads((written(tmp_path, found) / "metrics.json").read_text(encoding="utf-8"))
    assert fields["threshold"] == (found.thresholds["ill"] if threshold else None)
    assert fields["class_thresholds"] == ({} if threshold else found.thresholds)


def test_a_metric_of_ones_own_stands_in_the_metrics_file(tmp_path: Path) -> None:
    own = OwnMetric(name="called", label="Share called", function=lambda actual, score, called: called.mean())
    folder = written(tmp_path, predictions(TWO), metrics=(own,))
    fields = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["metrics"]["called"]
    assert 0 < fields["interval"]["low"] < fields["value"] < fields["interval"]["high"]
    assert read_predictions(folder).task.classes == TWO


def test_an_unknown_label_is_a_damaged_file(tmp_path: Path) -> None:
    folder = written(tmp_path, predictions(TWO))
    text = (folder / "predictions.csv").read_text(encoding="utf-8")
    (folder / "predictions.csv").write_text(text.replace(",ill,", ",well,"), encoding="utf-8")
    with pytest.raises(InvalidData, match="damaged: evaluate again"):
        read_predictions(folder)


def test_a_folder_without_an_evaluation_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPath, match="holds no evaluation"):
        read_predictions(tmp_path / "nothing")
