"""The HTML report: one closed file that fetches nothing, escapes everything and says each figure in words."""

from __future__ import annotations

import base64
import math
import re
import sys
from pathlib import Path

import pytest
from PIL import Image

from overread.errors import InvalidData, MissingExtra, MissingPath, OutputUnwritable
from overread.evaluation import Estimate, Interval, Metric
from overread.report import (
    FigureItem,
    ReportContext,
    Section,
    Table,
    draw_confusion_matrix,
    metrics_table,
    per_class_table,
    write_report,
)
from support.html_page import Page

pytestmark = pytest.mark.filterwarnings("error")
NASTY = '<script>alert("x")</script> & co'


@pytest.fixture
def figure(tmp_path: Path) -> FigureItem:
    png = draw_confusion_matrix([[54, 32], [27, 231]], ["normal", "ill"], path=tmp_path / "confusion")
    return FigureItem(png, f"Caption {NASTY}", f'Alt "{NASTY}"')


@pytest.fixture
def context(figure: FigureItem) -> ReportContext:
    table = Table(f"Table {NASTY}", ("Metric", NASTY), (("AUC", "0.912"), ("PPV", NASTY)))
    full = Section(f"Test set {NASTY}", (f"Text {NASTY}", "More."), (table, figure), (f"Few cases {NASTY}",))
    said = (f"Verdict {NASTY}", "What it rests on.")
    return ReportContext(f"Study {NASTY}", said, (full, Section("Method", ("Words only.",))))


def test_a_report_is_closed_html_with_its_parts_in_order(tmp_path: Path, context: ReportContext) -> None:
    page = Page(write_report(tmp_path / "report.html", context))
    assert page.seen[0] == "html" and page.texts("h1") == [context.title]
    assert page.texts("h2") == ["Verdict", *(section.heading for section in context.sections)]
    assert page.texts("span") == [f"Table {NASTY}"] and page.texts("figcaption") == [f"Caption {NASTY}"]
    assert page.texts("th") == ["Metric", NASTY, "AUC", "PPV"] and page.texts("td") == ["0.912", NASTY]
    paragraphs = [*context.verdict, f"Few cases {NASTY}", f"Text {NASTY}", "More.", "Words only."]
    assert page.texts("p")[1:] == paragraphs
    assert page.seen.count("table") == page.seen.count("figure") == 1


def test_a_report_says_that_it_is_for_research_only(tmp_path: Path) -> None:
    page = Page(write_report(tmp_path / "report.html", ReportContext("Title", ("Verdict",))))
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
    assert fetching and all(value.startswith(("data:image/png;base64,", "#")) for value in fetching)
    assert not re.search(r"https?:|url\(|@import", source)
    assert any("default-src 'none'" in value for _, _, value in page.attributes)


def test_figures_are_embedded_byte_for_byte(tmp_path: Path, context: ReportContext, figure: FigureItem) -> None:
    page = Page(write_report(tmp_path / "report.html", context))
    original = figure.path.read_bytes()
    figure.path.unlink()
    sources = [value for tag, name, value in page.attributes if (tag, name) == ("img", "src")]
    assert [base64.b64decode(source.partition(",")[2]) for source in sources] == [original]


def test_the_contents_lead_to_each_section(tmp_path: Path, context: ReportContext) -> None:
    page = Page(write_report(tmp_path / "report.html", context))
    assert page.texts("a") == [section.heading for section in context.sections]
    targets = [value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    there = [value for tag, name, value in page.attributes if (tag, name) == ("section", "id")]
    assert ["verdict", *targets] == there


def test_a_report_suits_dark_screens_and_telephones(tmp_path: Path, context: ReportContext) -> None:
    path = write_report(tmp_path / "report.html", context)
    page, source = Page(path), path.read_text(encoding="utf-8")
    assert ("meta", "content", "width=device-width, initial-scale=1") in page.attributes
    assert "@media screen and (prefers-color-scheme: dark)" in source  # and never on paper
    # A table wider than the screen scrolls in a box that the keyboard reaches and a screen reader names.
    boxes = {name: value for tag, name, value in page.attributes if tag == "div" and name in ("tabindex", "aria-label")}
    assert boxes == {"tabindex": "0", "aria-label": f"Table {NASTY}"} and "overflow-x: auto" in source


def test_on_paper_nothing_that_belongs_together_is_cut(tmp_path: Path, context: ReportContext) -> None:
    source = write_report(tmp_path / "report.html", context).read_text(encoding="utf-8")
    paper = source.partition("@media print {")[2]
    whole = re.search(r"([^{}]*)\{ break-inside: avoid; \}", paper)
    kept = re.search(r"([^{}]*)\{ break-after: avoid; \}", paper)
    assert whole and {"tr", "figure", ".table"} <= set(whole[1].replace(",", " ").split())
    assert kept and {"h1", "h2", "caption"} <= set(kept[1].replace(",", " ").split())


def test_a_figure_keeps_its_shape_and_a_strip_of_images_has_the_width_of_the_page(
    tmp_path: Path, figure: FigureItem
) -> None:
    strip = tmp_path / "strip.png"
    Image.new("L", (400, 100)).save(strip)
    items = (figure, FigureItem(strip, "Strip", "Four images"))
    page = Page(write_report(tmp_path / "report.html", ReportContext("T", ("V",), (Section("S", items=items),))))
    assert [value for tag, name, value in page.attributes if (tag, name) == ("figure", "class")] == ["wide"]
    sizes = [int(value) for tag, name, value in page.attributes if tag == "img" and name in ("width", "height")]
    with Image.open(figure.path) as drawn:
        assert sizes == [*drawn.size, 400, 100]


def test_a_table_too_broad_for_half_a_page_has_the_whole() -> None:
    assert not Table("Counts", ("Class", "Images", "Patients"), (("normal", "1,234", "567"),)).is_wide
    assert Table("Metrics", ("Metric", "Value", "Method"), (("x" * 20, "y" * 40, "z" * 40),)).is_wide


def test_a_report_replaces_an_older_one_and_leaves_no_other_file(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", ReportContext("Old", ("Verdict",)))
    write_report(str(tmp_path / "report.html"), ReportContext("Größe 5 µm", ("Verdict",)))
    assert Page(tmp_path / "report.html").texts("h1") == ["Größe 5 µm"]
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_figure_that_is_missing_or_no_png_is_refused(tmp_path: Path) -> None:
    def report_with(path: Path) -> ReportContext:
        return ReportContext("Title", ("Verdict",), (Section("Plots", items=(FigureItem(path, "Caption", "Alt"),)),))

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
        write_report(tmp_path / "absent" / "report.html", ReportContext("Title", ("Verdict",)))


def test_a_missing_jinja_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'overread\[report\]'"):
        write_report(tmp_path / "report.html", ReportContext("Title", ("Verdict",)))


AUC = Estimate(Metric("auc", 0.9123, 344), Interval(0.85, 0.95, 0.9, "DeLong, logit scale"))
NONE = Estimate(Metric("npv", math.nan, 0, "Every case was read as ill."), Interval.none(0.9, "none", "There is none."))
UNSURE = Estimate(Metric("f1", 1.0, 7), Interval.none(0.9, "bootstrap", "It never varies."))


def test_the_table_of_metrics_gives_value_interval_cases_and_method_or_the_reason() -> None:
    table = metrics_table("Caption", {"AUC": AUC, "NPV": NONE, "F1": UNSURE}, level=0.9)
    assert table.header == ("Metric", "Value", "90 % interval", "n", "Method")
    assert table.rows == (
        ("AUC", "0.912", "0.850 to 0.950", "344", "DeLong, logit scale"),
        ("NPV", "undefined", "Every case was read as ill.", "0", "none"),
        ("F1", "1.000", "none: It never varies.", "7", "bootstrap"),
    )


def test_the_table_of_classes_gives_a_row_each_and_tells_methods_apart() -> None:
    table = per_class_table("Caption", {"a": {"AUC": AUC, "F1": UNSURE}, "b": {"AUC": AUC, "F1": NONE}}, level=0.9)
    assert table.caption == "Caption; in brackets 90 % intervals" and table.header == ("Class", "AUC", "F1", "Method")
    assert table.rows == (
        (
            "a",
            "0.912 (0.850 to 0.950)",
            "1.000 (no interval: It never varies.)",
            "AUC: DeLong, logit scale; F1: bootstrap",
        ),
        ("b", "0.912 (0.850 to 0.950)", "undefined: Every case was read as ill.", "DeLong, logit scale"),
    )
