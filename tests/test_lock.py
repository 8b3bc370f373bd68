"""How often a test set was opened is known to the bundle, and later training runs are warned."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from overread import Bundle, Recipe, evaluate, train
from overread.bundle import Opening
from overread.study.data import read_manifest
from overread.study.train import Study
from overread.test_side.lock import note_in_ledger, read_ledger

QUICK = Recipe(size=32, epochs=1, batch_size=8, precision="float32")


def test_the_training_run_is_the_first_opening_of_its_test_set(tiny_study: Study) -> None:
    opening, *_ = Bundle.load(tiny_study.out / "bundle.zip").openings()
    assert opening.n == tiny_study.evaluation.n
    assert opening.study == tiny_study.bundle.data["study"]


def test_every_further_evaluation_is_counted_and_the_same_result_has_the_same_hash(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle"))
    (bundle / "evaluations.jsonl").unlink()  # other tests have evaluated the same bundle
    for name in ("one", "two", "three"):
        evaluate(bundle, tiny_study.split.manifest, tmp_path / name, store=tmp_path / "s")
    evaluate(bundle, two_classes, tmp_path / "all", store=tmp_path / "s")
    openings = Bundle.load(bundle).openings()
    assert len(openings) == 4
    assert len({(found.data, found.result) for found in openings[:3]}) == 1
    assert openings[3].data != openings[0].data
    assert "opened 3 times" in (tmp_path / "three" / "report.html").read_text(encoding="utf-8")


def test_a_later_training_run_on_a_test_set_that_was_opened_is_warned_of_and_the_same_run_is_not(
    two_classes: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(two_classes, patient_pattern=r"^\w\d+")
    first = train(manifest, tmp_path / "first", QUICK, store=tmp_path / "s")
    assert "had been opened" not in first.report.read_text(encoding="utf-8")
    again = train(manifest, tmp_path / "first", QUICK, store=tmp_path / "s", existing="resume")
    assert "had been opened" not in again.report.read_text(encoding="utf-8")
    assert again.bundle.fingerprint == first.bundle.fingerprint
    assert len(again.bundle.openings()) == 2
    second = train(manifest, tmp_path / "second", QUICK, store=tmp_path / "s")
    assert "had been opened 2 times by 1 other training run" in second.report.read_text(encoding="utf-8")


def test_an_evaluation_warns_only_of_openings_before_its_bundle_was_trained(tiny_study: Study, tmp_path: Path) -> None:
    manifest, bundle = tiny_study.split.manifest, shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle")
    data = Bundle.load(bundle).openings()[0].data
    (tmp_path / "s").mkdir()
    note_in_ledger(
        tmp_path / "s", Opening(data=data, n=10, result="r", study="later", time="2999-01-01T00:00:00+00:00")
    )
    evaluate(bundle, manifest, tmp_path / "one", store=tmp_path / "s")
    assert "had been opened" not in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    note_in_ledger(
        tmp_path / "s", Opening(data=data, n=10, result="r", study="before", time="2001-01-01T00:00:00+00:00")
    )
    evaluate(bundle, manifest, tmp_path / "two", store=tmp_path / "s")
    text = (tmp_path / "two" / "report.html").read_text(encoding="utf-8")
    assert "had been opened 1 time by 1 other training run on this machine" in text
    assert "2001-01-01" in text


def test_a_bundle_that_cannot_be_written_is_evaluated_and_the_report_says_that_it_was_not_recorded(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from overread.errors import OutputUnwritable

    def read_only(*_: object) -> None:
        raise OutputUnwritable("the bundle cannot be written")

    monkeypatch.setattr(Bundle, "record", read_only)
    evaluate(tiny_study.out / "bundle", tiny_study.split.manifest, tmp_path / "e", store=tmp_path / "s")
    assert "could not be recorded" in (tmp_path / "e" / "report.html").read_text(encoding="utf-8")


def test_the_ledger_survives_lines_that_it_cannot_read(tmp_path: Path) -> None:
    note_in_ledger(tmp_path, Opening(data="d", n=1, result="r", study="s"))
    ledger = tmp_path / "test_sets.jsonl"
    ledger.write_text("no json\n{}\n" + ledger.read_text(encoding="utf-8"))
    note_in_ledger(tmp_path, Opening(data="e", n=1, result="r", study="s"))
    assert len(read_ledger(tmp_path, "d")) == len(read_ledger(tmp_path, "e")) == 1
