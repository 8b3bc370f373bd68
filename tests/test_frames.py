"""What a notebook shows of what the program holds, and what is said where pandas is not installed."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from overread.cases import Case, Manifest
from overread.decision import Task
from overread.errors import MissingExtra
from overread.evaluation import Predictions
from overread.reading import to_frame
from overread.training.history import History
from support.documents import assessed, predictions
from support.readings import reading


def manifest() -> Manifest:
    cases = [
        Case(path=Path(f"/data/{name}.png"), name=f"{name}.png", label=label, patient_id=name, extra=extra)
        for name, label, extra in (("a", "ill", {"age": "71"}), ("b", "normal", {}))
    ]
    return Manifest(cases=tuple(cases), task=Task.of(("normal", "ill")))


def test_a_manifest_gives_a_row_a_case_with_its_further_columns() -> None:
    frame = manifest().to_frame()
    assert [*frame.columns] == ["path", "label", "patient_id", "split", "age"]
    assert frame.path.tolist() == ["a.png", "b.png"] and frame.age.isna().tolist() == [False, True]
    assert repr(manifest()) == "Manifest(2 cases of normal / ill)"


@pytest.mark.parametrize("classes", [("normal", "ill"), ("normal", "polyp", "cancer")])
def test_predictions_give_truth_decision_and_probabilities(classes: tuple[str, ...]) -> None:
    found: Predictions = predictions(classes)
    frame = found.to_frame()
    assert len(frame) == len(found.cases)
    assert frame.true_label.tolist() == [classes[i] for i in np.asarray(found.y_true)]
    assert frame.predicted_label.tolist() == [classes[i] for i in found.decisions]
    probabilities = frame[[f"probability_{name}" for name in classes]].to_numpy()
    assert np.array_equal(probabilities, np.asarray(found.y_prob)) and set(frame.sex) == {"f", "m"}


def test_a_history_gives_a_row_an_epoch() -> None:
    rows = ({"epoch": 1, "loss": 0.7}, {"epoch": 2, "loss": 0.5})
    frame = History(rows=rows, best_epoch=2).to_frame()
    assert frame.loss.tolist() == [0.7, 0.5] and [*frame.columns] == ["epoch", "loss"]
    assert History(rows=(), best_epoch=1).to_frame().empty


def test_an_assessment_is_shown_in_one_line_and_in_a_notebook_as_a_table() -> None:
    found = assessed(predictions(("normal", "ill")))
    assert repr(found) == "Assessment(120 images of 60 patients)"
    shown = found._repr_html_()
    assert "120 images of 60 patients, 95 % intervals" in shown and "<th>sensitivity</th>" in shown


def test_without_pandas_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    for made in (manifest().to_frame, lambda: to_frame([reading()])):
        with pytest.raises(MissingExtra, match="pip install pandas"):
            made()
