"""How a reader bears up when images change: what is measured, kept and told."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from overread.bundle import Bundle
from overread.evaluation.robustness import Robustness
from overread.images.shifts import STRENGTHS, shifts_for
from overread.report.figures import draw_robustness
from overread.report.robustness import worst_sentence
from overread.report.sections import robustness_section
from overread.run import RunFolder
from overread.study.robustness import measure_robustness
from overread.study.train import Study
from support.html_page import Page
from support.reports import THREE, TWO, bear_up, predict, row


@pytest.fixture(scope="module", params=[TWO, THREE], ids=["two", "three"])
def found(request: pytest.FixtureRequest) -> Robustness:
    return bear_up(predict(request.param, 90))


def test_what_destroys_the_information_is_the_worst_and_comes_first(found: Robustness) -> None:
    assert [each.change.name for each in found.changes] == ["destroyed", "worse", "the same"]
    assert found.worst is found.changes[0]
    lost = found.worst.differences["balanced_accuracy"]
    assert lost.interval.high < 0
    assert lost.first == found.unchanged["balanced_accuracy"].metric.value
    assert found.worst.shares["referred"].metric.value > found.unchanged["referred"].metric.value
    assert found.mean_change("auc") < 0


def test_images_that_stay_the_same_cost_nothing(found: Robustness) -> None:
    (same,) = [each for each in found.changes if each.change.name == "the same"]

    assert {each.difference for each in same.differences.values()} == {0.0}
    assert same.shares == {name: found.unchanged[name] for name in ("referred", "unnoticed")}


def test_where_nothing_costs_anything_no_worst_change_is_told(found: Robustness) -> None:
    (same,) = [each for each in found.changes if each.change.name == "the same"]

    assert "none lowers the balanced accuracy" in worst_sentence(dataclasses.replace(found, changes=(same,)))


def test_a_record_gives_back_what_was_written(found: Robustness) -> None:
    written = json.dumps(found.to_dict())

    assert Robustness.from_dict(json.loads(written)).to_dict() == found.to_dict()


def test_the_section_tells_the_worst_and_warns_of_mild_changes_that_cost_much(
    found: Robustness, tmp_path: Path, blank_figures: None
) -> None:
    section = robustness_section(found, tmp_path)

    assert "this costs most: destroyed images, mild (so much)" in section.paragraphs[0]
    assert any("destroyed images, mild" in warning for warning in section.warnings)
    assert not any("the same" in warning for warning in section.warnings)


def test_the_figure_keeps_its_numbers(found: Robustness, tmp_path: Path, blank_figures: None) -> None:
    draw_robustness(found, path=tmp_path / "robustness")

    header, *rows = (tmp_path / "robustness.csv").read_text().splitlines()
    assert header.split(",")[:4] == ["change", "strength", "amount", "metric"]
    assert len(rows) == len(found.changes) * 6


def test_a_training_run_reads_its_validation_images_under_every_shift(tiny_study: Study) -> None:
    recorded = json.loads((tiny_study.out / "robustness.json").read_text())
    found, sizes = Robustness.from_dict({k: v for k, v in recorded.items() if k != "bundle"}), tiny_study.split.sizes()

    assert recorded["bundle"] == tiny_study.bundle.fingerprint
    assert found.n == sizes["val"]
    expected = {
        (shift.name, strength) for shift in shifts_for(np.zeros((1, 8, 8, 1), np.uint8)) for strength in STRENGTHS
    }
    assert {(each.change.name, each.change.strength) for each in found.changes} == expected
    # The classes differ by their brightness alone.
    assert found.worst.change.name in {"brighter", "darker", "harder", "flatter"}
    page = Page(tiny_study.report)
    assert "Robustness" in page.texts("h2")
    assert row(page, "as they are", below="Robustness")
    assert "Of 12 ways in which another scanner" in tiny_study.bundle.read_card()


def test_what_is_recorded_is_not_measured_again(tiny_study: Study, tmp_path: Path) -> None:
    bundle = Bundle.load(tiny_study.out / "bundle")

    again = measure_robustness(bundle, [], RunFolder(tiny_study.out), console=Console(quiet=True))

    recorded = json.loads((tiny_study.out / "robustness.json").read_text())
    assert {"bundle": bundle.fingerprint, **again.to_dict()} == recorded
