"""The whole job: what a run leaves behind, and what stops it before hours are spent."""

from __future__ import annotations

import csv
import dataclasses
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread import Bundle, Manifest, Recipe, compare, evaluate, train
from overread.cases import pseudonym
from overread.errors import InvalidData, InvalidOption, MissingPath, OutputExists, OutputUnwritable, UnreadableImages
from overread.evaluation import AssessmentOptions, roc_auc
from overread.run import RunFolder, TrainingRun
from overread.study.data import read_manifest
from overread.study.train import Study
from support.dicom_files import dataset, file_bytes
from support.image_files import write_images

QUICK = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32")


def test_a_run_leaves_bundle_figures_numbers_logs_and_report(tiny_study: Study) -> None:
    expected = """
        bundle/bundle.json bundle/network.onnx bundle/network.weights.h5 bundle/card.md
        bundle/evaluations.jsonl bundle.zip checklists.md log.csv manifest.csv report.html run.json
        figures/samples.png figures/augmented.png figures/training.png figures/training.csv
        test/metrics.json test/predictions.csv test/figures/confusion.png test/figures/confusion.csv
        test/figures/roc.png test/figures/roc.csv test/figures/precision_recall.png test/figures/precision_recall.csv
        test/figures/reliability.png test/figures/reliability.csv test/figures/net_benefit.png
    """
    assert [name for name in expected.split() if not (tiny_study.out / name).stat().st_size] == []
    assert not list(tiny_study.out.rglob("*.tmp"))


def test_the_easy_classes_are_learnt(tiny_study: Study) -> None:
    assert tiny_study.evaluation["auc"].value > 0.9


def test_the_record_tells_recipe_data_and_versions(tiny_study: Study) -> None:
    run = json.loads((tiny_study.out / "run.json").read_text())
    bundle = Bundle.load(tiny_study.out / "bundle")
    assert run["finished"] is True
    assert run["recipe"]["size"] == bundle.recipe["size"] == 32
    assert run["data"]["fingerprint"] == bundle.data["fingerprint"]
    assert {"python", "keras", "onnxruntime"} <= set(bundle.versions)
    assert bundle.operating_point is not None
    assert bundle.preprocessing.channels == 1
    assert bundle.data["onnx_keras_difference"] <= 1e-3


def test_the_operating_point_comes_from_validation(tiny_study: Study) -> None:
    point = tiny_study.bundle.operating_point
    assert point is not None
    counts = tiny_study.split.counts()["val"]
    assert (point.n_negative, point.n_positive) == (counts["Normal"], counts["Disease"])
    assert tiny_study.evaluation.threshold == point.threshold


@pytest.mark.parametrize(("rule", "method"), [("sensitivity=0.9", "beta"), ("cost=4:1", "isotonic"), ("0.3", "none")])
def test_rule_and_calibration_are_fitted_on_validation_and_frozen_in_the_bundle(
    two_classes: Path, tmp_path: Path, rule: str, method: str
) -> None:
    recipe = dataclasses.replace(QUICK, operating_point=rule, calibration=method)
    study = train(read_manifest(two_classes, patient_pattern=r"^\w\d+"), tmp_path / "run", recipe, store=tmp_path / "s")
    bundle = Bundle.load(study.out / "bundle.zip")
    (member,), point = bundle.members, bundle.operating_point
    assert point is not None
    assert (member.calibration.method, point.rule) == (method, rule)
    assert member.calibration.n == sum(study.split.counts()["val"].values())
    assert study.evaluation.threshold == point.threshold
    if rule == "0.3":
        assert point.threshold == 0.3
    if rule == "sensitivity=0.9":
        assert point.sensitivity >= 0.9


def test_temperature_changes_probabilities_and_neither_auc_nor_the_order_of_cases(tiny_study: Study) -> None:
    with (tiny_study.out / "test" / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    before, after = ([float(row[f"{kind}_Disease"]) for row in rows] for kind in ("uncalibrated", "probability"))
    labels = [row["true_label"] == "Disease" for row in rows]
    assert before != after
    assert np.argsort(before, kind="stable").tolist() == np.argsort(after, kind="stable").tolist()
    assert roc_auc(labels, before) == roc_auc(labels, after) == tiny_study.evaluation["auc"].value


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"calibration": "isotonic"}, {}, "isotonic calibrates two classes and the data hold 3"),
        ({}, {"by": ("sex",)}, "no column 'sex' to group by"),
    ],
)
def test_what_would_fail_after_training_is_refused_before(
    tmp_path: Path, change: dict[str, str], options: dict[str, tuple[str, ...]], message: str
) -> None:
    folder = write_images(tmp_path / "data", {"a": 24, "b": 24, "c": 24})
    with pytest.raises(InvalidOption, match=message):
        train(folder, tmp_path / "run", dataclasses.replace(QUICK, **change), options=AssessmentOptions(**options))  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_two_runs_are_compared_on_the_cases_of_both_and_others_refused(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    evaluate(tiny_study.out / "bundle", tiny_study.split.manifest, tmp_path / "again", store=tmp_path / "s")
    found = compare(tiny_study.out, tmp_path / "again", tmp_path / "c")
    assert found.n == tiny_study.evaluation.n
    assert {difference.difference for difference in found.differences.values()} == {0}
    assert json.loads((tmp_path / "c" / "comparison.json").read_text())["n"] == found.n
    assert "Comparison of two readers" in (tmp_path / "c" / "report.html").read_text(encoding="utf-8")
    evaluate(tiny_study.out / "bundle", two_classes, tmp_path / "all", store=tmp_path / "s")
    with pytest.raises(InvalidData, match=rf"0 are in the first only, {64 - found.n} in the second only"):
        compare(tiny_study.out, tmp_path / "all")
    with pytest.raises(MissingPath, match="holds no evaluation"):
        compare(tiny_study.out, two_classes)


def test_no_patient_name_is_written_anywhere(tiny_study: Study) -> None:
    with (tiny_study.out / "test" / "predictions.csv").open() as stream:
        row = next(csv.DictReader(stream))
    assert row["patient_id"] == pseudonym(Path(row["path"]).stem.split("_")[0])


def test_the_report_is_one_closed_page_that_fetches_nothing(tiny_study: Study) -> None:
    text = tiny_study.report.read_text(encoding="utf-8")
    HTMLParser().feed(text)
    assert text.count("data:image/png;base64,") == len(list(tiny_study.out.rglob("figures/*.png"))) >= 8
    assert "http://" not in text
    assert "https://" not in text
    auc, interval = tiny_study.assessment["auc"]
    assert f"AUC of {auc.value:.3f} (95 % interval {interval.low:.3f} to {interval.high:.3f})" in text


def test_an_evaluation_of_the_same_test_side_repeats_the_result(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    result = evaluate(tiny_study.out / "bundle.zip", tiny_study.split.manifest, tmp_path / "eval", store=tmp_path / "s")
    assert result.to_dict() == tiny_study.assessment.to_dict()
    assert (tmp_path / "eval" / "report.html").exists()
    every = evaluate(tiny_study.out / "bundle", two_classes, tmp_path / "all", store=tmp_path / "s")
    assert every.evaluation.n == 64


def test_an_evaluation_refuses_labels_that_the_bundle_does_not_know(tiny_study: Study, tmp_path: Path) -> None:
    other = write_images(tmp_path / "data", {"Normal": 2, "Polyp": 2})
    with pytest.raises(InvalidData, match="the data hold Polyp, and what was trained tells Normal and Disease apart"):
        evaluate(tiny_study.out / "bundle", other, tmp_path / "eval", store=tmp_path / "s")
    assert not (tmp_path / "eval").exists()


def test_dicom_files_without_suffix_are_found_and_name_their_patients_under_a_hash(tmp_path: Path) -> None:
    for name in ("Normal", "Disease"):
        (tmp_path / name).mkdir()
        for i in range(6):
            ds = dataset(np.full((8, 8), i, dtype=np.uint8), PatientID=f"Doe^Jane{name}{i // 2}")
            (tmp_path / name / f"{i}").write_bytes(file_bytes(ds))
    manifest = read_manifest(tmp_path)
    assert len(manifest) == 12
    assert manifest.has_patients
    assert len({case.patient_id for case in manifest.cases}) == 6
    assert not any("Jane" in str(case) for case in manifest.cases)
    assert "patients come from the DICOM headers, hashed" in manifest.notes


def test_several_classes_in_colour_are_trained_and_evaluated_one_against_the_rest(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"a": 24, "b": 24, "c": 24})
    for path in folder.glob("*/*.png"):
        grey = np.asarray(Image.open(path))
        Image.fromarray(np.stack([grey, grey // 2, 255 - grey], axis=2)).save(path)
    study = train(folder, tmp_path / "run", QUICK, store=tmp_path / "s")
    assert study.bundle.operating_point is None
    assert set(study.bundle.operating_points) == set(study.assessment.at_class_points) == {"a", "b", "c"}
    assert study.bundle.preprocessing.channels == 3
    assert set(study.evaluation.per_class) == {"a", "b", "c"}
    assert study.evaluation.confusion.shape == (3, 3)


def test_unreadable_images_stop_a_run_before_training_and_are_left_out_by_number_when_told(
    two_classes: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(two_classes, tmp_path / "data"))
    (folder / "Normal" / "N000_0.png").write_bytes(b"")
    (folder / "Disease" / "D000_0.png").write_text("text")
    with pytest.raises(UnreadableImages, match=r"2 of 64 images cannot be read .*--skip-unreadable") as caught:
        train(folder, tmp_path / "run", QUICK, store=tmp_path / "s")
    assert set(caught.value.failures) == {"Normal/N000_0.png", "Disease/D000_0.png"}
    assert not (tmp_path / "run" / "checkpoints").exists()
    study = train(folder, tmp_path / "run", QUICK, existing="resume", skip_unreadable=True, store=tmp_path / "s")
    assert sum(sum(side.values()) for side in study.split.counts().values()) == 62
    report = study.report.read_text(encoding="utf-8")
    assert "2 unreadable images were left out" in report
    assert "Normal/N000_0.png" in RunFolder(study.out).images.read_text(encoding="utf-8")
    assert "N000_0.png" not in report


def test_a_folder_that_holds_something_is_refused_unless_it_is_a_run_to_be_replaced(
    two_classes: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.doc").write_text("years of work")
    for existing in ("refuse", "replace", "resume"):
        with pytest.raises(OutputExists):
            train(two_classes, tmp_path / "mine", QUICK, existing=existing, store=tmp_path / "s")  # type: ignore[arg-type]
    assert (tmp_path / "mine" / "thesis.doc").read_text() == "years of work"


def test_a_run_is_resumed_only_with_the_same_recipe_and_data(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(two_classes, patient_pattern=r"^\w\d+")
    with pytest.raises(InvalidOption, match="differs in seed"):
        train(
            manifest,
            tiny_study.out,
            dataclasses.replace(_recipe(tiny_study), seed=9),
            existing="resume",
            store=tmp_path / "s",
        )
    with pytest.raises(InvalidOption, match="the images or their split"):
        train(two_classes, tiny_study.out, _recipe(tiny_study), existing="resume", store=tmp_path / "s")


def _recipe(study: Study) -> Recipe:
    return Recipe.from_dict(json.loads((study.out / "run.json").read_text())["recipe"])


def test_an_output_that_cannot_be_made_is_told_before_decoding(two_classes: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputUnwritable, match="cannot be made"):
        train(two_classes, tmp_path / "file" / "run", QUICK, store=tmp_path / "s")
    with pytest.raises(OutputExists, match="is a file"):
        train(two_classes, tmp_path / "file", QUICK, store=tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_disk_that_cannot_hold_a_run_is_told_before_training(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr("overread.machine.files.shutil.disk_usage", lambda _: usage._replace(free=10_000_000))
    with pytest.raises(OutputUnwritable, match="10 MB free and the run needs 54 MB"):
        train(two_classes, tmp_path / "run", QUICK, store=tmp_path / "s")
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_a_class_too_small_for_three_sides_is_refused(tmp_path: Path) -> None:
    folder = write_images(tmp_path / "data", {"a": 20, "b": 2}, images_per_patient=1)
    with pytest.raises(InvalidData, match="no image of class b: its 2 images come from 2 patients"):
        train(Manifest.from_folder(folder), tmp_path / "run", QUICK, store=tmp_path / "s")


def test_what_follows_from_the_number_of_images_is_recorded(tiny_study: Study) -> None:
    recipe = RunFolder(tiny_study.out).read(TrainingRun).request.recipe
    assert (recipe.epochs, recipe.patience) == (3, 10)
    assert tiny_study.bundle.recipe["patience"] == 10
