"""Evaluate, compare and what they write, of findings, grades and several tasks; no network is trained for it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from overread import compare, evaluate
from overread.bundle import Bundle
from overread.cases import Case, Manifest
from overread.cli.results import print_comparison
from overread.decision import Task
from overread.evaluation import AssessmentOptions
from overread.test_side import read_predictions
from support.small_readers import (
    BOTH,
    BOTH_LOGITS,
    CHEST,
    CHEST_LOGITS,
    picture,
    png,
    small_reader,
)

pytestmark = pytest.mark.usefixtures("blank_figures")
OPTIONS = AssessmentOptions(resamples=100, by=("sex",))
LABELS = {
    CHEST: ("Effusion|Mass", "No Finding", "Mass|?Edema", "Edema", "?Effusion"),
    BOTH: ("retinopathy: 2; signs: drusen|?scar", "signs: No Finding", "retinopathy: 0", "retinopathy: 4; signs: scar"),
}


def manifest(folder: Path, task: Task, labels: Sequence[str]) -> Manifest:
    """Images of these labels in turn, two of each patient."""
    cases = []
    for i in range(40):
        path = folder / f"{i:02d}.png"
        path.write_bytes(png(np.clip(picture(i).astype(int) + (i * 7) % 50 - 25, 0, 255).astype(np.uint8)))
        extra = {"sex": "fm"[i // 2 % 2]}
        cases.append(
            Case(path=path, name=path.name, label=labels[i % len(labels)], patient_id=f"p{i // 2}", extra=extra)
        )
    return Manifest(cases=tuple(cases), task=task)


@pytest.mark.parametrize(("task", "logits"), [(CHEST, CHEST_LOGITS), (BOTH, BOTH_LOGITS)], ids=["findings", "tasks"])
def test_a_bundle_of_any_kind_is_evaluated_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], task: Task, logits: Sequence[float]
) -> None:
    first = small_reader(tmp_path / "first", task, logits).bundle
    second = small_reader(tmp_path / "second", task, [one - 1.5 for one in logits]).bundle
    (tmp_path / "images").mkdir()
    cases = manifest(tmp_path / "images", task, LABELS[task])  # type: ignore[index]
    for bundle, name in ((first, "a"), (second, "b")):
        evaluate(bundle, cases, tmp_path / name, options=OPTIONS, store=tmp_path / "store")
    found = read_predictions(tmp_path / "a")
    assert found.task == task and np.array_equal(found.y_true, cases.y_true)
    assert found.thresholds == first.thresholds and first.thresholds[task.judged[0]] == 0.5
    with (tmp_path / "a" / "predictions.csv").open(encoding="utf-8", newline="") as stream:
        assert {"called", "unsure", "refer", "prediction_set"} <= set(next(csv.DictReader(stream)))
    metrics = json.loads((tmp_path / "a" / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics["referral"].get("parts", {})) == set(task.parts)
    assert len(Bundle.load(tmp_path / "first").openings()) == 1
    compared = compare(tmp_path / "a", tmp_path / "b", tmp_path / "c", options=OPTIONS)
    assert not compared.identical and set(compared.parts) == set(task.parts)
    print_comparison(compared, False, readers=("a", "b"))
    printed = capsys.readouterr().out
    assert all(f"{name}: " in printed for name in task.parts)
    assert all(name.rpartition(": ")[2] in printed for name in task.judged)
    for page in ("a", "c"):
        assert (tmp_path / page / "report.html").stat().st_size > 10_000
