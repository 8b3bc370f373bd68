"""How often a test set was opened is known to the bundle, and later training runs are warned."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from overread import AssessmentOptions, Bundle, OwnMetric, Recipe, evaluate, train
from overread.bundle import Opening
from overread.bundle.openings import write_openings
from overread.errors import InvalidData, OutputUnwritable
from overread.study.data import read_manifest
from overread.study.train import Study
from overread.test_side import Ledger, Outcome

pytestmark = pytest.mark.usefixtures("blank_figures")
QUICK = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32")


def test_the_training_run_is_the_first_opening_of_its_test_set(tiny_study: Study) -> None:
    opening, *_ = Bundle.load(tiny_study.out / "bundle.zip").openings()
    assert opening.n == tiny_study.evaluation.n
    assert opening.study == tiny_study.bundle.data["study"]


def test_every_further_evaluation_is_counted_and_the_same_result_has_the_same_hash(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle"))
    # Other tests have evaluated the same bundle.
    none = write_openings((), origin=Bundle.load(bundle).fingerprint, sealed=True)
    (bundle / "evaluations.jsonl").write_bytes(none)
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
    Ledger().note(Opening(data=data, n=10, result="r", study="later", time="2999-01-01T00:00:00+00:00"))
    evaluate(bundle, manifest, tmp_path / "one", store=tmp_path / "s")
    assert "had been opened" not in (tmp_path / "one" / "report.html").read_text(encoding="utf-8")
    Ledger().note(Opening(data=data, n=10, result="r", study="before", time="2001-01-01T00:00:00+00:00"))
    evaluate(bundle, manifest, tmp_path / "two", store=tmp_path / "s")
    text = (tmp_path / "two" / "report.html").read_text(encoding="utf-8")
    assert "had been opened 1 time by 1 other training run on this machine" in text
    assert "2001-01-01" in text


def test_openings_are_remembered_whatever_the_store_and_those_that_earlier_versions_kept_in_it_too(
    tiny_study: Study, tmp_path: Path
) -> None:
    manifest, bundle = tiny_study.split.manifest, shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle")
    data = Bundle.load(bundle).openings()[0].data
    evaluate(bundle, manifest, tmp_path / "one", store=tmp_path / "s")
    assert [opening.data for opening in Ledger().openings(data)] == [data]
    assert not list((tmp_path / "s").glob("*.jsonl"))
    Ledger(tmp_path / "other").note(Opening(data=data, n=10, result="r", study="old", time="2001-01-01T00:00:00+00:00"))
    evaluate(bundle, manifest, tmp_path / "two", store=tmp_path / "other")
    text = (tmp_path / "two" / "report.html").read_text(encoding="utf-8")
    assert "had been opened 1 time by 1 other training run on this machine" in text
    assert len(Ledger().openings(data)) == 2


def test_an_opening_is_counted_even_where_its_result_cannot_be_written_or_drawn(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = Path(shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle"))
    before = len(Bundle.load(bundle).openings())

    def full(*_: object) -> None:
        raise OutputUnwritable("no space left")

    monkeypatch.setattr(Outcome, "write", full)
    with pytest.raises(OutputUnwritable):
        evaluate(bundle, tiny_study.split.manifest, tmp_path / "e", store=tmp_path / "s")
    openings = Bundle.load(bundle).openings()
    assert len(openings) == before + 1
    assert len(Ledger().openings(openings[-1].data)) == 1


def test_a_ledger_that_cannot_be_written_is_told_and_the_bundle_is_still_recorded(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    bundle = Path(shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle"))
    before = len(Bundle.load(bundle).openings())
    evaluate(bundle, tiny_study.split.manifest, tmp_path / "e", store=tmp_path / "s")
    text = (tmp_path / "e" / "report.html").read_text(encoding="utf-8")
    assert "could not be recorded on this machine" in text
    assert len(Bundle.load(bundle).openings()) == before + 1


def test_a_bundle_that_cannot_be_written_is_evaluated_and_the_report_says_that_it_was_not_recorded(
    tiny_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object) -> None:
        raise OutputUnwritable("the bundle cannot be written")

    monkeypatch.setattr(Bundle, "record", read_only)
    evaluate(tiny_study.out / "bundle", tiny_study.split.manifest, tmp_path / "e", store=tmp_path / "s")
    assert "could not be recorded" in (tmp_path / "e" / "report.html").read_text(encoding="utf-8")


def test_the_ledger_survives_lines_that_it_cannot_read(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.note(Opening(data="d", n=1, result="r", study="s"))
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"no json\n{}\n\xff\n" + file.read_bytes())
    ledger.note(Opening(data="e", n=1, result="r", study="s"))
    assert len(ledger.openings("d")) == len(ledger.openings("e")) == 1


def test_an_opening_whose_metrics_fail_is_counted_and_so_is_one_beside_a_damaged_zip(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    bundle = Path(shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle"))
    (tmp_path / "bundle.zip").write_bytes(b"no zip")
    before = len(Bundle.load(bundle).openings())

    def fails(actual: np.ndarray, score: np.ndarray, called: np.ndarray) -> float:
        return 1 / (len(actual) == 20)  # the made-up cases on which it is tried

    options = AssessmentOptions(metrics=(OwnMetric(name="own", label="Own", function=fails),))
    with pytest.raises(InvalidData, match="own"):
        evaluate(bundle, two_classes, tmp_path / "one", store=tmp_path / "s", options=options)
    assert [opening.result for opening in Bundle.load(bundle).openings()[before:]] == [""]
    assert Ledger().openings(Bundle.load(bundle).openings()[-1].data)
    evaluate(bundle, two_classes, tmp_path / "two", store=tmp_path / "s")
    assert len(Bundle.load(bundle).openings()) == before + 2


@pytest.mark.parametrize("damage", [b"\n{half of a li", b"\n" + b"[" * 10_000, b'\n{"data": 5}\n', b"\n\xff\xfe\n"])
def test_what_damages_the_ledger_costs_none_of_its_other_lines(tmp_path: Path, damage: bytes) -> None:
    ledger, opening = Ledger(tmp_path), Opening(data="d", n=1, result="r", study="s")
    ledger.note(opening)
    with (tmp_path / "test_sets.jsonl").open("ab") as stream:
        stream.write(damage)
    ledger.note(opening)
    assert ledger.openings("d") == [opening, opening]


def test_a_pipe_in_the_place_of_the_ledger_is_told_and_nobody_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "test_sets.jsonl")
    ledger = Ledger(tmp_path)
    assert ledger.openings("d") == []
    with pytest.raises(OutputUnwritable):
        ledger.note(Opening(data="d", n=1, result="r", study="s"))
