"""The report of a training run: its data, its audit and its epochs, before what the test images say."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from overread.auditing import Audit, Finding
from overread.cases import Case, Manifest, PublicNames, Split
from overread.recipe import Recipe
from overread.report import pages
from overread.run import FinishedTraining, StudyRequest
from overread.test_side.outcome import Outcome
from overread.training.history import History
from support.data_sets import data_set_of
from support.html_page import Page
from support.reports import LAST, RUN, SECTIONS, TWO, alts, bear_up, make, predict, row, words

FOUND = Finding(code="mask-among-images", severity="block", sentence="Three masks.", fix="Move them away.", count=3)


def _names(outcome: Outcome) -> PublicNames:
    labels = [TWO[index] for index in np.asarray(outcome.predictions.y_true).tolist()]
    pairs = zip(outcome.predictions.cases, labels, strict=True)
    return PublicNames(
        Manifest(
            cases=tuple(Case(path=Path(name), name=name, label=label) for name, label in pairs),
            task=outcome.predictions.task,
        )
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Page:
    tmp_path = tmp_path_factory.mktemp("trained")
    outcome, bundle = make(tmp_path, predict(TWO, 60))
    sides = ["train"] * 5 + ["val"] * 3 + ["test"] * 2
    data_set = data_set_of(tmp_path, TWO * 5, sides)
    warnings = ("1 patients stand on more than one given side: the test result will flatter",)
    split = Split(manifest=data_set.manifest, parts=(data_set.manifest,), notes=("test is carved",), warnings=warnings)
    epoch = {name: 0.5 for name in ("loss", "accuracy", "auc", "val_accuracy", "val_auc", "images_per_second")}
    rows = [{**epoch, "epoch": i, "val_loss": loss} for i, loss in enumerate((0.9876, 0.1234, 0.4567), start=1)]
    run = FinishedTraining(
        **RUN,
        request=StudyRequest(recipe=Recipe(network="compact")),
        fingerprint="f" * 64,
        images=split.counts(),
        patients=split.patients(),
        study="a study",
        left_out={},
        best_epoch=2,
        seconds=90.0,
        precision="float32",
    )
    training = pages.TrainingResult(
        run=run,
        split=split,
        data_set=data_set,
        audit=Audit(findings=(FOUND,), n=10, accepted=("mask-among-images",)),
        histories=[History(rows=tuple(rows), best_epoch=2)],
        augment=lambda images: np.stack([images, 255 - images], axis=1),
        robustness=bear_up(outcome.predictions),
    )
    result = pages.BundleResult(bundle=bundle, outcome=outcome, warnings=(), names=_names(outcome))
    return Page(pages.write_training_report(tmp_path, training, result))


def test_an_accepted_finding_is_a_warning_and_stands_in_the_table(trained: Page) -> None:
    said = " ".join(text for _, text in trained.text)
    assert "a finding that blocks was accepted (mask-among-images): Three masks." in said
    assert {"accepted", "Three masks.", "Move them away."} <= set(trained.texts("td"))


def test_a_training_run_has_every_section_and_its_figures(trained: Page) -> None:
    assert trained.texts("h2") == ["Verdict", "Result", "Data", "Audit", "Training", *SECTIONS, "Robustness", *LAST]
    assert len(alts(trained)) == 10 and all(re.search(r"\d", alt) for alt in alts(trained))
    assert trained.texts("h1") == ["Normal / Polyp: a reader trained on 5 images"]


def test_a_training_run_tells_its_sides_its_warnings_and_its_epochs(trained: Page) -> None:
    assert row(trained, "training")[:4] == ["3", "2", "5", "3"] and row(trained, "validation")[2:4] == ["3", "2"]
    assert "the test result will flatter" in words(trained) and "under Data, Audit and Robustness" in words(trained)
    assert row(trained, "2 (best, kept)")[1] == "0.1234" and row(trained, "3 (last)")[1] == "0.4567"
    assert [alt for alt in alts(trained) if "from 0.988 in the first epoch to 0.123 in the best, number 2 of 3" in alt]
    assert "The network compact was trained for 3 epochs in 1.5 minutes" in words(trained)
    assert row(trained, "batch_size")[0] == "32" and row(trained, "augmentation shift")
    assert "secret" not in words(trained)
