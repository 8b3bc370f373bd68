"""Classes of unequal size, too few patients to claim anything, columns that know one class better, single sources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.auditing import Finding, Material
from overread.auditing.rules.balance import RULE
from overread.cases import Case, Manifest
from overread.decision import Task
from overread.evaluation import wilson

Row = tuple[str, str | None, str | None, dict[str, str]]


def rows(label: str, patients: int, *, images: int = 1, side: str | None = None, **extra: str) -> list[Row]:
    """Images of patients who all have one class."""
    return [(label, f"{label}{i}", side, extra) for i in range(patients) for _ in range(images)]


def found(cases: Sequence[Row], classes: tuple[str, ...] = ("Normal", "Disease")) -> dict[str, Finding]:
    """The findings by code; neither headers nor pixels are looked at."""
    manifest = Manifest(
        cases=tuple(
            Case(path=Path(f"{i}.png"), name=f"{i}.png", label=label, patient_id=patient, split=side, extra=extra)
            for i, (label, patient, side, extra) in enumerate(cases)
        ),
        task=Task.of(classes),
    )
    nothing: Any = None
    findings = RULE.apply(Material(manifest=manifest, headers=(), data_set=nothing, failures={}))
    assert len({finding.code for finding in findings}) == len(findings)
    return {finding.code: finding for finding in findings}


def test_equal_classes_of_many_patients_are_balanced() -> None:
    assert found(rows("Normal", 120) + rows("Disease", 120)) == {}


@pytest.mark.parametrize(("normal", "severity"), [(239, None), (240, "info"), (1199, "info"), (1200, "warn")])
def test_imbalance_is_told_from_two_to_one_and_warned_of_from_ten(normal: int, severity: str | None) -> None:
    finding = found(rows("Normal", normal) + rows("Disease", 120)).get("class-imbalance")
    assert (finding and finding.severity) == severity
    if finding:
        assert finding.count == 120
        assert f"{100 * normal / (normal + 120):.0f} % of the images" in finding.sentence


def test_a_class_without_any_image_is_unbalanced_and_untested() -> None:
    findings = found(rows("Normal", 120) + rows("Disease", 120), classes=("Normal", "Disease", "Rare"))
    assert findings["class-imbalance"].severity == "warn"
    assert "0 to 100 % (0 patients of Rare)" in findings["class-too-small"].sentence


def test_ten_test_patients_let_a_perfect_reader_have_72_to_100_percent() -> None:
    cases = rows("Normal", 50, side="test") + rows("Disease", 10, images=30, side="test") + rows("Disease", 99)
    finding = found(cases)["class-too-small"]
    assert finding.severity == "warn"
    assert "a sensitivity of 72 to 100 % (10 patients of Disease)" in finding.sentence
    assert "specificity" not in finding.sentence
    assert finding.count == 1


def test_without_a_test_side_15_percent_of_the_patients_are_reckoned_with() -> None:
    finding = found(rows("Normal", 59) + rows("Disease", 200))["class-too-small"]
    assert "will be too small" in finding.sentence
    assert "a specificity of 70 to 100 % (9 patients of Normal)" in finding.sentence


def test_a_side_that_is_carved_has_a_patient_of_each_class() -> None:
    finding = found(rows("Normal", 2, images=50) + rows("Disease", 200))["class-too-small"]
    assert "a specificity of 21 to 100 % (1 patient of Normal)" in finding.sentence


def test_many_times_as_many_images_are_told_in_whole_numbers() -> None:
    assert (
        "There are 351 times as many images of Normal"
        in found(rows("Normal", 351) + rows("Disease", 1))["class-imbalance"].sentence
    )


def test_many_images_of_few_patients_do_not_make_a_class_large() -> None:
    assert "class-too-small" in found(rows("Normal", 20, images=50) + rows("Disease", 200, images=5))


def test_of_three_classes_each_has_its_own_sensitivity() -> None:
    cases = rows("a", 200) + rows("b", 200) + rows("c", 40)
    assert (
        "a sensitivity for c of 61 to 100 % (6 patients of c)"
        in found(cases, ("a", "b", "c"))["class-too-small"].sentence
    )


def test_unnamed_patients_are_counted_as_pictures_and_that_is_said() -> None:
    cases: list[Row] = [(label, None, "test", {}) for label in ["Normal"] * 30 + ["Disease"] * 12]
    sentence = found(cases)["class-too-small"].sentence
    assert "(12 pictures of Disease)" in sentence
    assert "not named" in sentence


@given(st.integers(1, 60))
def test_a_class_is_too_small_exactly_where_the_best_interval_is_wider_than_20_points(patients: int) -> None:
    cases = rows("Normal", 60, side="test") + rows("Disease", patients, side="test")
    assert ("class-too-small" in found(cases)) == (1 - wilson(patients, patients).low > 0.2) == (patients < 16)


@pytest.mark.parametrize("empty", ["", "NA", "nan", " ", "unknown"])
def test_a_column_that_is_empty_in_one_class_is_named(empty: str) -> None:
    cases = rows("Normal", 120, age=empty) + rows("Disease", 120, age="61")
    finding = found(cases)["metadata-missing-by-class"]
    assert "age is empty in 100 % of the images of Normal and in 0 % of Disease" in finding.sentence
    assert finding.evidence == ({"column": "age", "empty in Normal": "100 %", "empty in Disease": "0 %"},)


def test_patients_named_in_one_class_only_are_told() -> None:
    cases: list[Row] = [("Normal", None, None, {})] * 120 + rows("Disease", 120)
    assert "patient_id is empty in 100 % of the images of Normal" in found(cases)["metadata-missing-by-class"].sentence


def test_gaps_that_are_as_frequent_in_every_class_are_no_finding() -> None:
    some = [("", "51")[i % 3 > 0] for i in range(120)]
    cases = [
        (label, f"{label}{i}", None, {"age": age, "sex": ""})
        for label in ("Normal", "Disease")
        for i, age in enumerate(some)
    ]
    assert found(cases) == {}


def test_a_sure_but_small_difference_in_gaps_is_no_finding() -> None:
    cases = rows("Normal", 2000, age="61") + rows("Disease", 1850, age="61") + rows("Disease", 150, age="")
    assert found(cases) == {}


@given(st.integers(0, 6), st.integers(0, 6))
def test_gaps_in_a_handful_of_images_are_never_enough_to_tell(one: int, other: int) -> None:
    cases = [("Normal", f"n{i}", None, {"age": "" if i < one else "5"}) for i in range(6)]
    cases += [("Disease", f"d{i}", None, {"age": "" if i < other else "5"}) for i in range(6)]
    told = "metadata-missing-by-class" in found(cases)
    assert not told or abs(one - other) >= 5


def test_a_class_that_comes_from_one_hospital_is_told_without_naming_it() -> None:
    cases = rows("Normal", 60, Hospital_ID="St. Elsewhere") + rows("Normal", 60, Hospital_ID="North")
    finding = found([*cases, *rows("Disease", 120, Hospital_ID="North")])["class-from-one-source"]
    assert "all 120 images of Disease have one Hospital_ID, as do 50 % of the others" in finding.sentence
    assert "North" not in str(finding.to_dict())
    assert finding.count == 1


def test_sources_that_all_classes_share_are_no_finding() -> None:
    same = rows("Normal", 120, scanner="a") + rows("Disease", 120, scanner="a")
    mixed = [(label, f"{label}{i}", None, {"site": "ab"[i % 2]}) for label in ("Normal", "Disease") for i in range(120)]
    assert found(same) == found(mixed) == {}


def test_a_column_that_only_restates_the_class_is_no_source() -> None:
    assert found(rows("Normal", 120, etiology="none") + rows("Disease", 120, etiology="virus")) == {}


def test_radiographs_are_slightly_unbalanced_and_nothing_else(shared_data: Path) -> None:
    manifest = Manifest.read(shared_data / "chest_xray")
    nothing: Any = None
    (finding,) = RULE.apply(Material(manifest=manifest, headers=(), data_set=nothing, failures={}))
    assert (finding.code, finding.severity, finding.count) == ("class-imbalance", "info", 1583)
