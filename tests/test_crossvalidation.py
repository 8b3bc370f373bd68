"""Cross-validation: each patient is read by networks that never saw him, and an interruption costs one fold."""

from __future__ import annotations

import csv
import dataclasses
import json
import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.special import logit

from overread import Bundle, Reader, Recipe, Source, crossvalidate, evaluate
from overread.bundle import Graph
from overread.cases import Case, Manifest
from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks
from overread.errors import InvalidData, InvalidOption
from overread.evaluation import AssessmentOptions
from overread.images import prepare
from overread.study.crossvalidation import CrossValidation
from overread.study.data import read_manifest
from overread.training.precision import PrecisionChoice
from support.figures import figures_left_blank

pytestmark = pytest.mark.usefixtures("blank_figures")

QUICK = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32", learning_rate=5e-3)


@pytest.fixture(scope="module")
def finished(two_classes: Path, tmp_path_factory: pytest.TempPathFactory) -> CrossValidation:
    folder = tmp_path_factory.mktemp("cv")
    manifest = read_manifest(two_classes, patient_pattern=r"^\w\d+")
    with figures_left_blank():
        return crossvalidate(
            manifest, folder / "run", QUICK, folds=2, seeds=2, ensemble=True, store=folder / "s",
            options=AssessmentOptions(resamples=200),
        )  # fmt: skip


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_image_is_read_once_a_seed_by_a_network_that_never_saw_its_patient(finished: CrossValidation) -> None:
    for seed in (0, 1):
        pooled = rows(finished.out / f"predictions-seed-{seed}.csv")
        assert len({row["path"] for row in pooled}) == len(pooled) == 64
        for fold in (1, 2):
            manifest = rows(finished.out / f"seed-{seed}" / f"fold-{fold}" / "manifest.csv")
            tested = {row["patient_id"] for row in manifest if row["split"] == "test"}
            assert not tested & {row["patient_id"] for row in manifest if row["split"] != "test"}


def test_the_seeds_share_the_folds_and_differ_in_the_networks(finished: CrossValidation) -> None:
    first, second = (rows(finished.out / f"predictions-seed-{seed}.csv") for seed in (0, 1))
    assert [row["path"] for row in first] == [row["path"] for row in second]
    assert [row["probability_Disease"] for row in first] != [row["probability_Disease"] for row in second]


def test_pooled_counts_are_those_of_the_folds_at_their_own_points(finished: CrossValidation) -> None:
    for seed, folds in finished.folds.items():
        assert sum(fold.n for fold in folds) == finished.pooled[seed].evaluation.n == 64
        confusion = sum(fold.confusion for fold in folds)
        assert np.array_equal(finished.pooled[seed].evaluation.confusion, confusion)
    assert finished.spread("accuracy")["folds_sd"] is not None
    assert finished.spread("accuracy")["seeds_sd"] is not None


def test_the_ensemble_gives_the_mean_of_its_networks(finished: CrossValidation, two_classes: Path) -> None:
    ensemble = Reader.load(finished.out / "bundle.zip")
    bundle = ensemble.bundle
    assert len(bundle.members) == 4
    image = next((two_classes / "Disease").glob("*.png"))
    alone = [Reader.load(path).read(image) for path in finished.out.glob("seed-*/fold-*/bundle")]
    together = ensemble.read(image)
    pixels = prepare(image, ensemble.bundle.preprocessing)[None]
    said = [
        member.calibration.apply(
            Graph(ensemble.bundle.read_file(member.graph)).run(pixels).logits, ensemble.bundle.task
        )
        for member in ensemble.bundle.members
    ]
    assert together.probabilities["Disease"] == pytest.approx(np.mean(said, axis=0)[0, 1], abs=1e-6)
    assert np.allclose(together.activation_map, np.mean([reading.activation_map for reading in alone], axis=0))


def test_the_points_of_the_ensemble_come_from_unseen_images(finished: CrossValidation) -> None:
    assert finished.bundle is not None
    point = finished.bundle.operating_point
    assert point is not None
    assert (point.n_negative, point.n_positive) == (40, 24)
    assert finished.bundle.referral.counts == {"Normal": 40, "Disease": 24}
    assert len({member.calibration for member in finished.bundle.members}) == 1
    scores = np.concatenate([found.scores for found in finished.bundle.references()])
    told = [rows(finished.out / f"predictions-seed-{seed}.csv") for seed in (0, 1)]
    calibration = finished.bundle.members[0].calibration
    logits = [[logit(float(row["uncalibrated_Disease"])) for row in seed] for seed in told]
    mean = np.mean([calibration.apply(np.c_[of_seed], finished.bundle.task)[:, 1] for of_seed in logits], axis=0)
    assert np.allclose(np.sort(scores[:, 1]), np.sort(mean), atol=1e-5)


def test_the_card_of_the_ensemble_says_that_its_average_was_not_tested(finished: CrossValidation) -> None:
    card = (finished.out / "bundle" / "card.md").read_text(encoding="utf-8")
    assert "4 convolutional neural networks, whose calibrated probabilities are averaged" in card
    assert "their average, which the bundle gives, was not tested" in card
    assert "The 2 folds, each read by networks that were not trained on it, have 64 images" in card
    assert (finished.out / "checklists.md").exists()


def test_an_ensemble_is_evaluated_like_any_bundle(finished: CrossValidation, two_classes: Path, tmp_path: Path) -> None:
    found = evaluate(finished.out / "bundle", two_classes, tmp_path / "e", store=tmp_path / "s")
    assert found.evaluation.n == 64
    assert len(Bundle.load(finished.out / "bundle").openings()) == 1


class Recording:
    """An engine that sends each item through pickle, as another process would get it, and stops where it is told."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after, self.folders = stop_after, list[Path]()

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        for item in items:
            if len(self.folders) == self.stop_after:
                raise KeyboardInterrupt
            self.folders.append(item.out)
            yield pickle.loads(pickle.dumps(function))(pickle.loads(pickle.dumps(item)))


def test_a_run_goes_on_with_the_folds_that_are_missing_by_its_folder_alone(
    finished: CrossValidation, two_classes: Path, tmp_path: Path
) -> None:
    source = Source(data=str(two_classes), patient_pattern=r"^\w\d+")
    first, second = Recording(stop_after=1), Recording()
    with pytest.raises(KeyboardInterrupt):
        crossvalidate(source, tmp_path / "run", QUICK, folds=2, store=tmp_path / "s", engine=first)
    result = crossvalidate(
        None,
        tmp_path / "run",
        folds=2,
        store=tmp_path / "s",
        existing="resume",
        engine=second,
    )
    assert [path.name for path in (*first.folders, *second.folders)] == ["fold-1", "fold-2"]
    expected = {name: finished.pooled[0].evaluation[name].value for name in ("auc", "loss")}
    assert {name: result.pooled[0].evaluation[name].value for name in expected} == expected
    assert json.loads((tmp_path / "run" / "run.json").read_text())["finished"] is True
    with pytest.raises(InvalidOption, match="differs in folds"):
        crossvalidate(None, tmp_path / "run", folds=3, store=tmp_path / "s", existing="resume")


class Measuring:
    """An engine that measures, and stops when it gets trainings."""

    def __init__(self) -> None:
        self.precisions = list[str]()

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        for item in items:
            if hasattr(item, "recipe"):
                self.precisions.append(item.recipe.precision)
            else:
                yield function(item)
        if self.precisions:
            raise KeyboardInterrupt


def test_all_folds_are_trained_in_the_precision_that_the_engine_measured_once(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faster = iter(["mixed_bfloat16", "float32"])
    monkeypatch.setattr(
        "overread.training.train_network.choose_precision",
        lambda build, batch, *, asked: PrecisionChoice(policy=next(faster), images_per_second={}),
    )
    manifest, engine = read_manifest(two_classes, patient_pattern=r"^\w\d+"), Measuring()
    recipe = dataclasses.replace(QUICK, precision="auto")
    for existing in ("refuse", "resume"):
        with pytest.raises(KeyboardInterrupt):
            crossvalidate(
                manifest, tmp_path / "run", recipe, folds=2, store=tmp_path / "s", engine=engine, existing=existing
            )
    assert engine.precisions == 4 * ["mixed_bfloat16"]


def test_where_a_fold_leaves_a_metric_undefined_its_spread_is_none() -> None:
    folds: Any = {0: [{"ppv": SimpleNamespace(value=value)} for value in (float("nan"), 0.5)]}
    found = CrossValidation(out=Path("run"), folds=folds, pooled={}, bundle=None)
    assert found.spread("ppv") == {"folds_sd": None, "seeds_sd": None}


def test_the_report_shows_folds_pool_and_spread(finished: CrossValidation) -> None:
    text = finished.report.read_text(encoding="utf-8")
    assert "https://" not in text
    for shown in ("2 folds", "pooled", "across seeds", f"{finished.pooled[0].evaluation['auc'].value:.3f}"):
        assert shown in text
    assert "Changed less unchanged validation images, 4 training runs" in text and "darker, strong" in text


@pytest.mark.parametrize("seeds", [0, 21])
def test_a_number_of_seeds_out_of_range_is_refused(two_classes: Path, tmp_path: Path, seeds: int) -> None:
    with pytest.raises(InvalidOption, match=f"seeds={seeds} is outside 1 to 20"):
        crossvalidate(two_classes, tmp_path / "run", QUICK, seeds=seeds, store=tmp_path / "s")


def test_too_few_patients_for_the_folds_are_told_before_training(two_classes: Path, tmp_path: Path) -> None:
    manifest = read_manifest(two_classes, patient_pattern=r"^\w\d+")
    with pytest.raises(InvalidData, match="no image of class Disease"):
        crossvalidate(manifest, tmp_path / "run", QUICK, folds=20, store=tmp_path / "s")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_findings_and_grades_of_one_network_are_cross_validated_and_kept_as_an_ensemble(tmp_path: Path) -> None:
    task = SeveralTasks.together({"grade": OrderedGrades(tuple("012")), "signs": SeveralFindings(("scar", "drusen"))})
    labels = (
        *("grade: 0; signs: No Finding", "grade: 1; signs: scar", "grade: 2; signs: scar|drusen"),
        *("grade: 0; signs: ?scar", "signs: drusen", "grade: 2"),
    )
    random, cases = np.random.default_rng(0), []
    for i in range(72):
        path = tmp_path / f"{i}.png"
        Image.fromarray(random.integers(0, 255, (32, 32), dtype=np.uint8)).save(path)
        cases.append(Case(path=path, name=path.name, label=labels[i % 6], patient_id=f"p{i}"))
    found = crossvalidate(
        Manifest(cases=tuple(cases), task=task), tmp_path / "run", QUICK, folds=2, ensemble=True, store=tmp_path / "s",
        options=AssessmentOptions(resamples=100),
    )  # fmt: skip
    assert list(found.parts) == ["grade", "signs"] and len(found.parts["grade"].folds[0]) == 2
    assert found.bundle is not None and found.bundle.task == task and len(found.bundle.members) == 2
    reading = Reader.load(tmp_path / "run").read(tmp_path / "0.png")
    assert [one.name for one in reading.questions[:2]] == ["grade: 1 or more", "grade: 2 or more"]
    page = found.report.read_text(encoding="utf-8")
    assert "grade: Folds" in page and "signs: Pooled" in page
