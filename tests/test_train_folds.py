"""Training on folds: every choice rests on readings of unseen patients, and an interruption costs an epoch at most."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import keras
import pytest

from overread import Bundle, Reader, Recipe, Source, train
from overread.cases import pseudonym
from overread.errors import Interrupted, InvalidData, InvalidOption
from overread.run import RunFolder
from overread.study import Study
from support.figures import figures_left_blank
from support.image_files import write_images

FOLDS = 2
QUICK = Recipe(network="compact", size=32, epochs=2, batch_size=8, precision="float32", learning_rate=5e-3)


def source(data: Path) -> Source:
    return Source(data=str(data), positive="Disease", patient_pattern=r"^\w\d+")


@pytest.fixture(scope="module")
def study(two_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("folds")
    with figures_left_blank():
        return train(source(two_classes), folder / "run", QUICK, folds=FOLDS, store=folder / "s", study_id="one")


def patients(path: Path, side: str) -> set[str]:
    with path.open(encoding="utf-8") as stream:
        return {row["patient_id"] for row in csv.DictReader(stream) if row["split"] == side}


def test_each_patient_outside_test_is_left_out_by_one_network_and_those_of_test_by_all(study: Study) -> None:
    parts = [RunFolder(study.out).network(number).manifest for number in range(1, FOLDS + 1)]
    left_out = [patients(part, "val") for part in parts]
    test = {pseudonym(study.split.manifest.cases[i].patient_id) for i in study.split.manifest.select("test")}
    assert not left_out[0] & left_out[1]
    assert left_out[0] | left_out[1] == patients(RunFolder(study.out).manifest, "train")
    for part, held_out in zip(parts, left_out, strict=True):
        assert not patients(part, "train") & (held_out | test) and patients(part, "test") == test


def test_every_choice_rests_on_the_out_of_fold_readings_of_all_patients(study: Study) -> None:
    bundle, counts = Bundle.load(study.out / "bundle.zip"), study.split.counts()["train"]
    point = bundle.operating_point
    assert point is not None and len(bundle.members) == FOLDS
    assert {member.calibration.n for member in bundle.members} == {sum(counts.values())}
    assert (point.n_negative, point.n_positive) == (counts["Normal"], counts["Disease"])
    assert bundle.referral.counts == counts
    assert study.unseen is not None
    assert (study.unseen.evaluation.n, study.unseen.n_patients) == (
        sum(counts.values()),
        study.split.patients()["train"],
    )
    assert study.unseen.evaluation.threshold == study.evaluation.threshold == point.threshold


def test_the_test_side_is_read_once_and_by_all_networks_together(study: Study) -> None:
    assert study.evaluation.n == study.split.sizes()["test"]
    assert len(study.bundle.openings()) == 1
    image = study.split.manifest.cases[study.split.manifest.select("test")[0]]
    with (study.out / "test" / "predictions.csv").open(encoding="utf-8") as stream:
        told = {row["path"]: float(row["probability_Disease"]) for row in csv.DictReader(stream)}
    assert Reader.load(study.out).read(image.path).probabilities["Disease"] == pytest.approx(told[image.name], abs=1e-6)


def test_report_card_and_checklists_say_where_the_choices_were_made(study: Study) -> None:
    report = study.report.read_text(encoding="utf-8")
    card = (study.out / "bundle" / "card.md").read_text(encoding="utf-8")
    checklists = (study.out / "checklists.md").read_text(encoding="utf-8")
    n = study.split.sizes()["train"]
    for said in (
        "Out-of-fold readings",
        f"Each of {n} images outside test",
        "fixed beforehand on out-of-fold images",
    ):
        assert said in report
    assert "Each of the 2 networks is calibrated by temperature scaling" in card
    assert f"fitted on {n} out-of-fold images" in card and "out-of-fold images, before the test was read" in card
    assert "was not tested" not in card
    assert "each of 2 networks is fitted without one" in checklists
    assert json.loads((study.out / "out-of-fold" / "metrics.json").read_text())["n"] == n
    robustness = json.loads((study.out / "robustness.json").read_text())
    assert (robustness["n"], robustness["images"]) == (n, "out-of-fold images")


class Stop(keras.callbacks.Callback):
    """Counts the epochs of all networks and ends the run in the middle of one."""

    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.begun, self.stop_in = 0, epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.begun += 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.begun == self.stop_in:
            raise KeyboardInterrupt


def test_a_run_that_was_killed_in_its_second_fold_ends_as_one_that_was_not(
    study: Study, two_classes: Path, tmp_path: Path, blank_figures: None
) -> None:
    killed, rest = Stop(epoch=4), Stop(epoch=99)
    with pytest.raises((Interrupted, KeyboardInterrupt)):
        train(source(two_classes), tmp_path / "run", QUICK, folds=FOLDS, store=tmp_path / "s", callbacks=[killed])
    again = train(None, tmp_path / "run", existing="resume", store=tmp_path / "s", callbacks=[rest])
    assert (killed.begun, rest.begun) == (4, 1)
    for name, digest in study.bundle.files.items():
        assert name.endswith(".onnx") or again.bundle.files[name] == digest
    assert again.bundle.members == study.bundle.members
    assert again.assessment.to_dict() == study.assessment.to_dict()


def test_a_run_is_not_resumed_with_other_folds(study: Study, tmp_path: Path) -> None:
    shutil.copytree(study.out, tmp_path / "run")
    with pytest.raises(InvalidOption, match="differs in folds"):
        train(None, tmp_path / "run", folds=3, existing="resume", store=tmp_path / "s")


@pytest.mark.parametrize(
    ("folds", "error", "message"),
    [
        (21, InvalidOption, "folds=21 is outside 2 to 20"),
        (12, InvalidData, "no image of class Disease: outside test its 20 images come from 10 patients; .*--folds 10"),
    ],
)
def test_folds_that_cannot_be_are_refused_before_any_image_is_decoded(
    tmp_path: Path, folds: int, error: type[Exception], message: str
) -> None:
    data = write_images(tmp_path / "data", {"Normal": 60, "Disease": 24})
    with pytest.raises(error, match=message):
        train(source(data), tmp_path / "run", QUICK, folds=folds, store=tmp_path / "s")
    assert not (tmp_path / "run").exists() and not (tmp_path / "s").exists()
