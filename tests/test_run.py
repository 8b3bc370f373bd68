"""What a run is, and the folder that holds it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from overread.cases import Source
from overread.errors import InvalidData, InvalidOption, OutputExists
from overread.networks.augmentation import Augmentation
from overread.recipe import Recipe
from overread.run import (
    CrossValidationRun,
    EvaluationRun,
    FinishedTraining,
    Run,
    RunFolder,
    StudyRequest,
    TrainingRun,
)

RECIPE = Recipe(network="compact", epochs=3, augmentation=Augmentation(zoom=0.5))
REQUEST = StudyRequest(
    recipe=RECIPE,
    source=Source(data="/images", patient_pattern="^P"),
    accept=("mask-among-images",),
    options={"level": 0.9, "prevalence": None, "by": ["sex"]},
)
TRAINING = TrainingRun(
    request=REQUEST,
    fingerprint="f",
    images={"train": {"a": 2}},
    patients={"train": 1},
    study="s",
    left_out={"x": "bad"},
)
FINISHED = FinishedTraining(**vars(TRAINING), precision="float32", best_epoch=2, seconds=1.5)


OF_FOLDS = CrossValidationRun(request=dataclasses.replace(REQUEST, folds=5), seeds=2, cases="c")


@pytest.mark.parametrize("run", [TRAINING, FINISHED, OF_FOLDS])
def test_a_record_is_read_as_it_was_written(tmp_path: Path, run: TrainingRun | CrossValidationRun) -> None:
    folder = RunFolder.open(tmp_path / "run")
    folder.write(run)
    assert folder.read(type(run)).to_dict() == run.to_dict()
    assert folder.is_ours


def test_what_follows_from_the_number_of_images_must_be_the_same_only_where_it_is_given() -> None:
    assert not {"epochs", "patience"} & set(StudyRequest(recipe=Recipe(network="compact")).fixed)
    assert REQUEST.fixed["epochs"] == 3


def test_a_finished_training_is_a_training_and_only_then_is_the_folder_finished(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert not folder.is_finished
    folder.write(TRAINING)
    assert not folder.is_finished
    folder.write(FINISHED)
    assert folder.is_finished
    assert folder.read(TrainingRun).to_dict() == TRAINING.to_dict()


def test_the_record_of_an_earlier_version_which_did_not_keep_the_source_is_read(tmp_path: Path) -> None:
    written = {
        "recipe": RECIPE.to_dict(),
        "data": {"fingerprint": "f", "images": {"train": {"a": 2}}, "patients": {"train": 1}, "study": "s"},
        "left_out": {},
        "command": "overread train",
        "versions": {"python": "3.12"},
        "machine": "Linux",
        "started": "2026-01-01T00:00:00+00:00",
        "precision": "float32",
        "best_epoch": 2,
        "seconds": 1.5,
        "finished": True,
    }
    folder = RunFolder(tmp_path)
    folder.record.write_text(json.dumps(written))
    run = folder.read(FinishedTraining)
    assert (run.request.source, run.data) == (None, written["data"])
    assert {name: value for name, value in run.to_dict().items() if name in written} == written


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", json.dumps(Run(kind="audit").to_dict())])
def test_a_record_that_is_damaged_or_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    assert not RunFolder(tmp_path).is_finished
    with pytest.raises(InvalidData, match="does not hold the run that was expected"):
        RunFolder(tmp_path).read(TrainingRun)


def test_an_evaluation_tells_where_its_data_come_from_as_a_training_does() -> None:
    run = EvaluationRun(bundle="b", fingerprint="f").to_dict()
    assert (run["kind"], run["bundle"], run["data"]) == ("evaluation", "b", {"fingerprint": "f"})
    assert {"command", "versions", "machine", "started"} <= set(run)


def test_what_differs_between_two_runs_is_named_and_what_one_does_not_know_is_not(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.require_same({"epochs": 3, "positive": "a"}, {"epochs": 3})
    with pytest.raises(InvalidOption, match="holds a run that differs in epochs, positive: resume it"):
        folder.require_same({"epochs": 3, "positive": "a", "seed": 0}, {"epochs": 4, "positive": "b", "seed": 0})


def test_the_path_of_the_data_may_change_and_what_names_classes_and_patients_may_not() -> None:
    assert "data" not in REQUEST.fixed
    assert {"patient_pattern": "^P", "positive": None, "epochs": 3}.items() <= REQUEST.fixed.items()


def test_a_folder_is_replaced_only_if_a_run_began_in_it(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("years of work")
    for existing in ("refuse", "resume", "replace"):
        with pytest.raises(OutputExists):
            RunFolder.open(tmp_path, existing)  # type: ignore[arg-type]
    RunFolder(tmp_path).write(Run(kind="audit"))
    assert RunFolder.open(tmp_path, "resume").is_ours
    RunFolder.open(tmp_path, "replace")
    assert not list(tmp_path.iterdir())
