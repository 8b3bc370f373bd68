"""Sides of cases with several findings: each finding and pair near its share, rare ones on every side, none refused."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from overread.cases import Case, Manifest, fold_cases, split_cases
from overread.decision import OrderedGrades, SeveralFindings, SeveralTasks, Task

TASK = SeveralFindings(("effusion", "mass", "hernia"))
SIDES = ("train", "val", "test")


def manifest_of(rows: Sequence[tuple[str, str | None, str | None]], task: Task = TASK) -> Manifest:
    """A manifest of (label, patient, side) rows."""
    cases = [
        Case(path=Path(f"{i}.png"), name=f"{i}.png", label=label, patient_id=patient, split=side)
        for i, (label, patient, side) in enumerate(rows)
    ]
    return Manifest(cases=tuple(cases), task=task)


def drawn(n: int, seed: int = 0, per_patient: int = 3) -> Manifest:
    random = np.random.default_rng(seed)
    y_true = (random.random((n, 3)) < [0.3, 0.1, 0.03]).astype(int)
    y_true[random.random((n, 3)) < 0.2] = -1
    return manifest_of([(TASK.label(row), f"p{i // per_patient}", None) for i, row in enumerate(y_true)])


def sides_of(manifest: Manifest, name: str) -> dict[str, int]:
    """On each side, how many show a finding."""
    return {side: int(TASK.shows(manifest.y_true[manifest.select(side)], name).sum()) for side in SIDES}


@pytest.mark.parametrize("seed", range(5))
def test_each_finding_and_what_is_not_known_of_it_comes_near_its_share(seed: int) -> None:
    manifest = drawn(600, seed)
    dealt = split_cases(manifest, seed=seed).manifest
    shares = {"train": 0.7225, "val": 0.1275, "test": 0.15}
    for side, share in shares.items():
        own, every = dealt.y_true[dealt.select(side)], dealt.y_true
        for column, state in itertools.product(range(3), (-1, 0, 1)):
            total = int((every[:, column] == state).sum())
            assert abs((own[:, column] == state).sum() - share * total) <= max(5, 0.1 * total)


@pytest.mark.parametrize(("seed", "folds"), [(0, True), (1, False), (2, True), (3, False)])
def test_patients_and_copies_stay_together(seed: int, folds: bool) -> None:
    manifest = drawn(240, seed)
    cases = [dataclasses.replace(case, group=f"g{i % 20}" if i < 60 else None) for i, case in enumerate(manifest.cases)]
    manifest = manifest.replace(cases)
    parts = fold_cases(manifest, folds=4, seed=seed) if folds else (split_cases(manifest, seed=seed).manifest,)
    for part in parts:
        for name in ("group", "patient_id"):
            sides = defaultdict(set)
            for case in part.cases:
                sides[getattr(case, name)].add(case.split)
            assert all(len(found) == 1 for key, found in sides.items() if key)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("patients", [3, 4, 6])
def test_a_finding_of_three_patients_or_more_stands_on_every_side(seed: int, patients: int) -> None:
    random = np.random.default_rng(seed)
    rows = [("effusion" if random.random() < 0.4 else "No Finding", f"p{i // 4}", None) for i in range(400)]
    rows += [("hernia|effusion", f"h{i % patients}", None) for i in range(patients * 3)]
    split = split_cases(manifest_of(rows, SeveralFindings(("effusion", "hernia"))), seed=seed)
    assert all(split.counts()[side]["hernia"] for side in SIDES) and split.warnings == ()


def test_a_finding_that_nearly_all_show_is_absent_somewhere_on_every_side() -> None:
    rows = [("effusion|mass", f"p{i}", None) for i in range(200)] + [("mass", f"n{i}", None) for i in range(3)]
    dealt = split_cases(manifest_of(rows, SeveralFindings(("effusion", "mass")))).manifest
    assert all("mass" in {dealt.cases[i].label for i in dealt.select(side)} for side in SIDES)


def test_two_findings_that_occur_together_come_near_their_share_together() -> None:
    rows = [(("effusion", "mass", "effusion|mass", "No Finding")[i % 4], f"p{i}", None) for i in range(400)]
    task = SeveralFindings(("effusion", "mass"))
    for fold in fold_cases(manifest_of(rows, task), folds=5):
        labels = [fold.cases[i].label for i in fold.select("test")]
        assert all(abs(labels.count(one) - 20) <= 1 for one in set(labels))


def test_a_finding_of_two_patients_is_warned_of_and_not_refused() -> None:
    rows = [(("effusion", "No Finding")[i % 2], f"p{i}", None) for i in range(100)] + [
        ("hernia", f"h{i}", None) for i in (1, 2)
    ]
    (warning,) = split_cases(manifest_of(rows, SeveralFindings(("effusion", "hernia")))).warnings
    assert warning == "test has no image with hernia: the result cannot be judged there"


def test_given_sides_that_lack_a_finding_are_kept_and_that_is_said() -> None:
    labels = ("effusion|mass|hernia", "No Finding")
    rows = [(labels[i % 2], f"p{i}", SIDES[i % 3]) for i in range(180)]
    rows = [(label.replace("|hernia", "|?hernia") if side == "test" else label, p, side) for label, p, side in rows]
    split = split_cases(manifest_of(rows))
    assert [case.split for case in split.manifest.cases] == [side for _, _, side in rows]
    assert split.warnings == ("test has no image with hernia: the result cannot be judged there",)
    folded = split_cases(manifest_of(rows), folds=3)
    assert folded.warnings == split.warnings and len(folded.parts) == 3


def test_folds_that_lack_a_finding_are_counted() -> None:
    rows = [(("effusion", "No Finding")[i % 2], f"p{i}", "train") for i in range(100)]
    rows += [("hernia|effusion", f"h{i}", "train") for i in (1, 2)] + [
        ("hernia|effusion", "t", "test"),
        ("No Finding", "u", "test"),
    ]
    split = split_cases(manifest_of(rows, SeveralFindings(("effusion", "hernia"))), folds=5)
    (warning,) = split.warnings
    assert warning.startswith("val has no image with hernia (in 3 of 5 folds): nothing tells the operating point")


def with_validation(rare: int, common: int) -> Manifest:
    """A validation side of 40 images, of which so many show a rare and a common finding, and a train side of 1,000."""
    rows = [(("effusion", "No Finding")[i % 2] + "|hernia" * (i in (1, 2, 3)), f"p{i}", "train") for i in range(1000)]
    rows = [(label.replace("No Finding|", ""), p, side) for label, p, side in rows]
    shown = [("hernia",) * (i < rare) + ("effusion",) * (i < common) for i in range(40)]
    rows += [("|".join(one) or "No Finding", f"v{i}", "val") for i, one in enumerate(shown)]
    rows += [(("effusion|hernia", "No Finding")[i % 2], f"t{i}", "test") for i in range(60)]
    return manifest_of(rows, SeveralFindings(("effusion", "hernia")))


@pytest.mark.parametrize(("rare", "common", "kept"), [(0, 20, True), (1, 20, True), (1, 2, False)])
def test_a_finding_that_is_rare_everywhere_carves_no_validation_side_anew(rare: int, common: int, kept: bool) -> None:
    split = split_cases(with_validation(rare, common))
    assert (len(split.manifest.select("val")) == 40) == kept == (not any("carved anew" in note for note in split.notes))


def test_rows_that_do_not_tell_a_part_are_dealt_and_every_grade_of_each_part_comes_near_its_share() -> None:
    task = SeveralTasks.together({"a": OrderedGrades(tuple("012")), "b": OrderedGrades(tuple("01"))})
    labels = ("a: 0; b: 0", "a: 1; b: 1", "a: 2", "b: 1")
    counts = split_cases(manifest_of([(labels[i % 4], f"p{i}", None) for i in range(800)], task)).counts()
    assert all(abs(counts["test"][name] - 30) <= 2 for name in ("a: 0", "a: 1", "a: 2", "b: 0"))
    assert abs(counts["test"]["b: 1"] - 60) <= 2
