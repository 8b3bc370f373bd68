"""What readers are worth on a terminal of any width: in one order, each number once, no word broken."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest

from overread.auditing import Audit, Finding, brief_lines, totals
from overread.cli.results import print_assessment, print_comparison
from overread.cli.tables import print_audit
from overread.errors import InvalidOption
from overread.evaluation import AssessmentOptions, Predictions, assess, compare
from overread.evaluation.summary import summarise
from overread.report.verdict import verdict
from overread.study.compare import compare as compare_runs
from support.reports import THREE, TWO, make, predict

WIDTHS = [60, 80, 120]
FEW = AssessmentOptions(resamples=100)
LONG = ("no_diabetic_retinopathy", "proliferative_diabetic_retinopathy", "mild_retinopathy")


def printed(predictions: Predictions, capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_assessment(assess(predictions, FEW), as_json=False)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("classes", [TWO, THREE, LONG])
def test_no_line_is_too_long_and_none_is_broken_inside_a_word(
    classes: tuple[str, ...], width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    known = set(re.findall(r"\S+", "\n".join(printed(predict(classes, 90), capsys))))
    monkeypatch.setenv("COLUMNS", str(width))
    lines = printed(predict(classes, 90), capsys)
    assert max(map(len, lines)) <= width
    words = {word for line in lines for word in line.split() if not set(word) <= {"─"}}
    assert words <= known


def test_the_first_rows_are_auc_sensitivity_specificity_and_accuracy_at_the_point_and_at_a_half() -> None:
    assessment = assess(predict(TWO, 90), FEW)
    (table,) = summarise(assessment).tables
    assert table.header == ("Metric", "At 0.4 (operating point)", "At 0.5")
    assert [row[0] for row in table.rows[:4]] == ["AUC", "Sensitivity (recall)", "Specificity", "Accuracy"]
    assert assessment.at_half is not None
    at_half = assessment.at_half["sensitivity"].metric.value
    assert table.rows[0][2] == "the same" and table.rows[1][2].startswith(f"{at_half:.3f} (")


def test_a_point_at_a_half_is_shown_once() -> None:
    found = dataclasses.replace(predict(TWO, 90), thresholds={TWO[1]: 0.5})
    assert summarise(assess(found, FEW)).tables[0].header == ("Metric", "At 0.5 (operating point)")


def test_each_of_several_classes_has_its_images_auc_sensitivity_and_specificity() -> None:
    assessment = assess(predict(THREE, 90), FEW)
    overall, each = summarise(assessment).tables
    assert [row[0] for row in each.rows] == list(THREE) and {row[1] for row in each.rows} == {"30"}
    for name, *cells in each.rows:
        estimates = [assessment.estimates.of_class(name, metric) for metric in ("auc", "sensitivity", "specificity")]
        values = [f"{estimate.metric.value:.3f}" for estimate in estimates]
        assert [cell.split()[0] for cell in cells[1:]] == values
    names = [row[0] for row in overall.rows]
    assert names[:4] == ["AUC, mean", "Balanced accuracy", "Specificity, mean", "Accuracy"] and len(set(names)) == 10


@pytest.mark.parametrize("classes", [TWO, THREE])
def test_average_precision_stands_beside_the_auc_of_a_rare_class(classes: tuple[str, ...]) -> None:
    found = predict(classes, 300)
    last = np.flatnonzero(np.asarray(found.y_true) == len(classes) - 1)
    kept = np.setdiff1d(np.arange(300), last[8:])
    rows = {
        name: np.asarray(getattr(found, name))[kept].tolist()
        for name in ("cases", "y_true", "y_prob", "uncalibrated", "patients")
    }
    assessment = assess(dataclasses.replace(found, **rows), FEW)
    first, *each = summarise(assessment).tables
    assert [row[0].split(",")[0] for row in first.rows[:2]] == ["AUC", "Average precision"]
    assert all("Average precision" in table.header for table in each)
    said = verdict(assessment, None)[0]
    assert f"{classes[-1]} is rare here" in said and "where chance would give 0.0" in said
    assert "is rare here" not in verdict(assess(found, FEW), None)[0]


def test_a_stated_prevalence_has_a_table_of_its_own() -> None:
    tables = summarise(assess(predict(TWO, 90), dataclasses.replace(FEW, prevalence=0.02))).tables
    assert tables[1].caption == "Where 2 % of images are Polyp, as stated" and len(tables[1].rows) == 2


def test_what_is_missing_is_said_once_below() -> None:
    one_class = dataclasses.replace(predict(TWO, 90), y_true=np.ones(90, int))
    notes = summarise(assess(one_class, FEW)).notes
    assert "Undefined: every case is Polyp." in notes and len(set(notes)) == len(notes)


def test_a_comparison_names_its_readers_and_says_where_both_gave_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    first = predict(TWO, 60)
    print_comparison(compare(first, first, resamples=100), as_json=False, readers=("runs/a", "runs/b"))
    same = capsys.readouterr().out
    assert "A is runs/a" in same and "B is runs/b" in same and "nothing to compare" in same
    other = dataclasses.replace(first, y_prob=np.asarray(first.y_prob)[:, ::-1])
    print_comparison(compare(first, other, resamples=100), as_json=False, readers=("a", "b"))
    assert "B less A (95 % interval)" in capsys.readouterr().out


def test_an_evaluation_is_not_compared_with_itself_by_whichever_path_it_is_reached(tmp_path: Path) -> None:
    outcome, _ = make(tmp_path, predict(TWO, 60))
    outcome.write(tmp_path / "run" / "test")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    for other in ("run/test", "link", "run/../run"):
        with pytest.raises(InvalidOption, match="are the same evaluation"):
            compare_runs(tmp_path / "run", tmp_path / other)


def finding(code: str, severity: str, count: int = 3) -> Finding:
    return Finding(code=code, severity=severity, sentence=f"All of {code}.", fix=f"Mend {code}.", count=count)  # type: ignore[arg-type]


def test_an_audit_is_a_line_a_finding_and_a_count_of_what_only_informs(capsys: pytest.CaptureFixture[str]) -> None:
    audit = Audit(
        findings=(finding("unreadable", "block"), finding("shortcut-bytes", "warn"), finding("mixed-sizes", "info")),
        n=9,
    )
    assert totals(audit) == "9 images, 3 findings: 1 blocks, 1 warns and 1 for information"
    assert [line.text for line in brief_lines(audit)] == [
        "blocks: unreadable (3): a file that gives no pixels",
        "warns: shortcut-bytes (3): the class can be told from the size of the file (compression and detail)",
        "1 more finding for information",
    ]
    print_audit(audit, as_json=False, details=True)
    shown = capsys.readouterr().out
    assert all(f"All of {f.code}." in shown and f"What to do: {f.fix}" in shown for f in audit.findings)
    assert totals(Audit(findings=(), n=1)) == "1 image: nothing was found"
