"""The HTML report: one closed file that fetches nothing, escapes everything and says each figure in words."""

from __future__ import annotations

import base64
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from overread.errors import InvalidData, MissingExtra, MissingPath, OutputUnwritable
from overread.evaluation import evaluate
from overread.report import (
    FigureItem,
    ReportContext,
    Section,
    Table,
    confusion_matrix,
    metrics_table,
    per_class_table,
    write_report,
)

pytestmark = pytest.mark.filterwarnings("error")
NASTY = '<script>alert("x")</script> & co'
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """Reads a page, checks that each tag is closed in turn, and keeps what the tests ask for."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[tuple[str, str]] = []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append((self.open[-1], data.strip()))

    def texts(self, tag: str) -> list[str]:
        return [text for within, text in self.text if within == tag]


@pytest.fixture
def figure(tmp_path: Path) -> FigureItem:
    png = confusion_matrix([[54, 32], [27, 231]], ["normal", "ill"], path=tmp_path / "confusion")
    return FigureItem(png, f"Caption {NASTY}", f'Alt "{NASTY}"')


@pytest.fixture
def context(figure: FigureItem) -> ReportContext:
    table = Table(f"Table {NASTY}", ("Metric", NASTY), (("AUC", "0.912"), ("PPV", NASTY)))
    full = Section(f"Test set {NASTY}", (f"Text {NASTY}", "More."), (table,), (figure,), (f"Few cases {NASTY}",))
    return ReportContext(f"Study {NASTY}", f"Verdict {NASTY}", (full, Section("Method", ("Words only.",))))


def test_a_report_is_closed_html_with_its_parts_in_order(tmp_path: Path, context: ReportContext) -> None:
    page = Page(write_report(tmp_path / "report.html", context))
    assert page.seen[0] == "html" and page.texts("h1") == [context.title]
    assert page.texts("h2") == [section.heading for section in context.sections]
    assert page.texts("caption") == [context.sections[0].tables[0].caption]
    assert page.texts("figcaption") == [context.sections[0].figures[0].caption]
    assert page.texts("th") == ["Metric", NASTY, "AUC", "PPV"] and page.texts("td") == ["0.912", NASTY]
    assert [context.summary, f"Few cases {NASTY}", f"Text {NASTY}", "More.", "Words only."] == page.texts("p")[1:]
    assert page.seen.count("table") == page.seen.count("figure") == 1


def test_a_report_says_that_it_is_for_research_only(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path / "report.html", ReportContext("Title", "Verdict")))
    assert page.texts("p") == ["Research use only; not a medical device", "Verdict"]


def test_markup_in_any_text_is_shown_and_never_run(tmp_path: Path, context: ReportContext) -> None:
    path = write_report(tmp_path / "report.html", context)
    page = Page(path)
    assert "script" not in page.seen and "<script" not in path.read_text(encoding="utf-8")
    assert ("img", "alt", f'Alt "{NASTY}"') in page.attributes
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_a_report_fetches_nothing(tmp_path: Path, context: ReportContext) -> None:
    path = write_report(tmp_path / "report.html", context)
    page, source = Page(path), path.read_text(encoding="utf-8")
    fetching = [value for _, name, value in page.attributes if name in {"src", "href", "srcset", "action"}]
    assert fetching and all(value.startswith("data:image/png;base64,") for value in fetching)
    assert not re.search(r"https?:|url\(|@import", source)
    assert any("default-src 'none'" in value for _, _, value in page.attributes)


def test_figures_are_embedded_byte_for_byte(tmp_path: Path, context: ReportContext, figure: FigureItem) -> None:
    page = Page(write_report(tmp_path / "report.html", context))
    original = figure.path.read_bytes()
    figure.path.unlink()
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert [base64.b64decode(source.partition(",")[2]) for source in sources] == [original]


def test_a_report_suits_dark_screens_and_telephones(tmp_path: Path, context: ReportContext) -> None:
    path = write_report(tmp_path / "report.html", context)
    assert ("meta", "content", "width=device-width, initial-scale=1") in Page(path).attributes
    assert "prefers-color-scheme: dark" in path.read_text(encoding="utf-8")


def test_a_report_replaces_an_older_one_and_leaves_no_other_file(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", ReportContext("Old", "Verdict"))
    write_report(str(tmp_path / "report.html"), ReportContext("Größe 5 µm", "Verdict"))
    assert Page(tmp_path / "report.html").texts("h1") == ["Größe 5 µm"]
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_figure_that_is_missing_or_no_png_is_refused(tmp_path: Path) -> None:
    def report_with(path: Path) -> ReportContext:
        return ReportContext("Title", "Verdict", (Section("Plots", figures=(FigureItem(path, "Caption", "Alt"),)),))

    with pytest.raises(MissingPath, match=r"absent\.png"):
        write_report(tmp_path / "report.html", report_with(tmp_path / "absent.png"))
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(InvalidData, match="not a PNG"):
        write_report(tmp_path / "report.html", report_with(tmp_path / "text.png"))
    assert not (tmp_path / "report.html").exists()


def test_a_figure_without_words_and_a_ragged_table_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="alt text"):
        FigureItem(tmp_path / "a.png", "Caption", " ")
    with pytest.raises(InvalidData, match=r"row 1 .* has 3 cells"):
        Table("Caption", ("a", "b"), (("1", "2"), ("1", "2", "3")))


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="No such file"):
        write_report(tmp_path / "absent" / "report.html", ReportContext("Title", "Verdict"))


def test_a_missing_jinja_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'overread\[report\]'"):
        write_report(tmp_path / "report.html", ReportContext("Title", "Verdict"))


def test_the_table_of_metrics_gives_each_once_with_its_cases() -> None:
    score = np.repeat([0.9, 0.1, 0.9, 0.1], [231, 27, 32, 54])
    y_prob = np.column_stack([1 - score, score])
    evaluation = evaluate(np.repeat([1, 1, 0, 0], [231, 27, 32, 54]), y_prob, classes=("normal", "ill"))
    table = metrics_table(evaluation)
    assert "344 cases" in table.caption and "threshold 0.5" in table.caption
    assert ("Sensitivity (recall)", "0.895", "258") in table.rows and ("PPV (precision)", "0.878", "263") in table.rows
    assert len(table.rows) == len({id(metric) for metric in evaluation.metrics.values()})
    assert per_class_table(evaluation).rows == ()


def test_an_undefined_metric_is_shown_with_its_reason() -> None:
    table = metrics_table(evaluate([1, 1], [[0.2, 0.8], [0.6, 0.4]], classes=("normal", "ill")))
    assert ("Specificity", "undefined: Every case is ill.", "0") in table.rows


def test_more_classes_have_macro_averages_and_a_row_each() -> None:
    y_prob = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    evaluation = evaluate([0, 1, 1, 2], y_prob, classes=("a", "b", "c"))
    labels = [row[0] for row in metrics_table(evaluation).rows]
    assert "AUC, macro average" in labels and "Accuracy" in labels
    rows = per_class_table(evaluation).rows
    assert [row[:2] for row in rows] == [("a", "1"), ("b", "2"), ("c", "1")]
    assert rows[1][4] == "0.500"
