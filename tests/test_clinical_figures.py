"""Bands, calibration, net benefit, subgroups and mistakes: numbers beside them, marks, and texts that stay apart."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.text import Text

from overread import report
from overread.decision import Task
from overread.errors import InvalidData, InvalidOption
from overread.evaluation.decision_curve import DecisionCurve, decision_curve
from overread.evaluation.grouping import group_cases
from overread.evaluation.metrics.definition import Metric
from overread.evaluation.reliability import Reliability, measure_reliability
from overread.evaluation.subgroups import Subgroup, SubgroupMetric, Subgroups, evaluate_subgroups
from overread.evaluation.uncertainty.bands import Band, precision_recall_band, roc_band
from overread.evaluation.uncertainty.interval import Interval, wilson
from overread.reading import tint
from overread.report.figures.canvas import PALETTE
from support.figures import AWKWARD, BINARY, count_of_colour, drawn, predictions, rows_of

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[matplotlib.figure.Figure]:
    """The figures that a test has written, as matplotlib objects."""
    figures: list[matplotlib.figure.Figure] = []
    save = matplotlib.figure.Figure.savefig

    def keep(figure: matplotlib.figure.Figure, *args: Any, **options: Any) -> None:
        figures.append(figure)
        save(figure, *args, **options)

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", keep)
    return figures


def texts_drawn(figure: matplotlib.figure.Figure, monkeypatch: pytest.MonkeyPatch) -> list[Text]:
    """Without the labels of ticks that lie outside the axes, which are there but not drawn."""
    texts: list[Text] = []
    draw = Text.draw

    def keep(text: Text, *args: Any, **options: Any) -> None:
        texts.append(text)
        draw(text, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", keep)
        figure.canvas.draw()
    return [text for text in texts if text.get_text().strip() and text.get_visible()]


def calibrations(n: int = 200) -> tuple[Reliability, Reliability]:
    random = np.random.default_rng(4)
    logit = random.normal(0, 2, n)
    y_true = random.random(n) < 1 / (1 + np.exp(-logit / 2))
    before, after = 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-logit / 2))
    return measure_reliability(y_true, before), measure_reliability(y_true, after)


def some_subgroups(labels: tuple[str, ...], column: str = "sex") -> Subgroups:
    """The first group is read worse than the others; the last has one case."""
    random = np.random.default_rng(5)
    y_true, group = np.arange(400) % 2, np.arange(400) // 2 % (len(labels) - 1)
    right = random.random(400) < np.where(group == 0, 0.6, 0.95)
    score = np.where(right == (y_true == 1), 0.9, 0.1) + random.uniform(-0.09, 0.09, 400)
    group[-1] = len(labels) - 1

    def wilson_of(evaluation: Any, mask: Any) -> dict[str, Interval]:
        rates = {name: evaluation[name] for name in ("sensitivity", "specificity", "ppv")}
        return {name: wilson(round(m.value * m.n), m.n) for name, m in rates.items() if m.reason is None}

    grouping = group_cases([labels[index] for index in group], column=column)
    y_prob = np.column_stack([1 - score, score])
    return evaluate_subgroups(y_true, y_prob, grouping, task=Task.of(BINARY), find_intervals=wilson_of)


def a_mistake(caption: str, shade: int = 120, shape: tuple[int, int, int] = (20, 30, 1)) -> report.ImageWithEvidence:
    return report.ImageWithEvidence(np.full(shape, shade, dtype=np.uint8), np.eye(3), caption)


def draw_all(folder: Path, names: tuple[str, ...]) -> list[Path]:
    y_true, y_prob = predictions(len(names))
    bands, other_bands = (
        {name: find(y_true == index, y_prob[:, index], resamples=100) for index, name in enumerate(names)}
        for find in (roc_band, precision_recall_band)
    )
    y = np.arange(60) % 2
    captions = [f"case {i}: {name.upper()}, read as {names[0]} (0.987)" for i, name in enumerate(names * 2)]
    return [
        report.draw_roc(y_true, y_prob, task=Task.of(names), path=folder / "roc", bands=bands),
        report.draw_precision_recall(y_true, y_prob, task=Task.of(names), path=folder / "pr", bands=other_bands),
        report.draw_reliability(*calibrations(), path=folder / "reliability"),
        report.draw_decision_curve(decision_curve(y, (y + 0.7) / 2.2), path=folder / "net_benefit", threshold=0.4),
        report.draw_subgroups(some_subgroups((*names, "last"), names[-1]), path=folder / "forest"),
        report.draw_subgroups(some_subgroups((*names, "last")), path=folder / "one", names=["ppv"]),
        report.draw_mistakes([a_mistake(caption) for caption in captions], path=folder / "mistakes"),
    ]


@pytest.mark.parametrize("names", [BINARY, AWKWARD])
def test_nothing_touches_the_edge_and_no_text_another(
    tmp_path: Path, saved: list[matplotlib.figure.Figure], monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    for png, figure in zip(draw_all(tmp_path, names), saved, strict=True):
        image = drawn(png)
        assert all((edge == 255).all() for edge in (image[:3], image[-3:], image[:, :3], image[:, -3:])), png.name
        assert image.shape[1] < 7.5 * figure.dpi, f"{png.name}: text of 10 points is too small on a telephone"
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts_drawn(figure, monkeypatch)]
        assert len(boxes) > 1, png.name
        boxes += [("an image", axis.get_window_extent()) for axis in figure.axes if axis.images]
        for (one, box), (other, another) in itertools.combinations(boxes, 2):
            assert not box.padded(-1).overlaps(another.padded(-1)), f"{png.name}: {one!r} lies on {other!r}"


@pytest.mark.parametrize(
    ("draw", "find", "columns"),
    [
        (report.draw_roc, roc_band, ("fpr", "tpr_low", "tpr_high")),
        (report.draw_precision_recall, precision_recall_band, ("recall", "precision_low", "precision_high")),
    ],
)
def test_a_band_is_filled_and_stands_in_a_table_of_its_own(
    tmp_path: Path, draw: Any, find: Any, columns: tuple[str, ...]
) -> None:
    y_true, y_prob = predictions(2)
    band = find(y_true, y_prob[:, 1], level=0.9, resamples=200)
    plain = draw(y_true, y_prob, task=Task.of(BINARY), path=tmp_path / "plain")
    banded = draw(y_true, y_prob, task=Task.of(BINARY), path=tmp_path / "banded", bands={"ill": band})
    assert plain.with_suffix(".csv").read_bytes() == banded.with_suffix(".csv").read_bytes()
    assert not (tmp_path / "plain_band.csv").exists()
    rows = rows_of(tmp_path / "banded_band.png")
    assert {(row["class"], row["level"]) for row in rows} == {("ill", "0.9")}
    for name, values in zip(columns, (band.x, band.low, band.high), strict=True):
        assert [float(row[name]) for row in rows] == values.tolist()
    tinted = np.array([204, 227, 240])  # a fifth of the blue on white
    share = (np.abs(drawn(banded) - tinted).max(axis=2) <= 3).mean()
    assert share > 0.02 > (np.abs(drawn(plain) - tinted).max(axis=2) <= 3).mean()


@pytest.mark.parametrize("draw", [report.draw_roc, report.draw_precision_recall])
def test_a_class_without_a_band_is_drawn_without_it(tmp_path: Path, draw: Any) -> None:
    y_true, y_prob = predictions(3)
    none = Band.none(0.95, "bootstrap", "Too few patients.")
    some = roc_band(y_true == 1, y_prob[:, 1], resamples=100)
    draw(y_true, y_prob, task=Task.of(("a", "b", "c")), path=tmp_path / "curve", bands={"a": none, "b": some})
    assert {row["class"] for row in rows_of(tmp_path / "curve_band.png")} == {"b"}


@pytest.mark.parametrize("draw", [report.draw_roc, report.draw_precision_recall])
def test_a_band_of_an_unknown_class_is_refused(tmp_path: Path, draw: Any) -> None:
    y_true, y_prob = predictions(2)
    with pytest.raises(InvalidData, match="no class here"):
        draw(
            y_true,
            y_prob,
            task=Task.of(BINARY),
            path=tmp_path / "curve",
            bands={"Ill": Band.none(0.95, "none", "No case.")},
        )
    assert list(tmp_path.iterdir()) == []


def test_the_reliability_table_holds_the_bins_with_wilsons_intervals(
    tmp_path: Path, saved: list[matplotlib.figure.Figure]
) -> None:
    before, after = calibrations()
    rows = rows_of(report.draw_reliability(before, after, path=tmp_path / "reliability", level=0.9))
    expected = [("before", *point) for point in before.bins] + [("after", *point) for point in after.bins]
    names = ("lowest", "highest", "mean_probability", "observed", "n", "n_positive")
    assert [(row["calibration"], *(float(row[name]) for name in names)) for row in rows] == expected
    for row in rows:
        interval = wilson(int(row["n_positive"]), int(row["n"]), level=0.9)
        assert (float(row["low"]), float(row["high"])) == (interval.low, interval.high)
    titles = [axis.get_title(loc="left") for axis in saved[0].axes if axis.get_title(loc="left")]
    for title, measured in zip(titles, (before, after), strict=True):
        assert f"ECE {measured.ece:.3f}, Brier {measured.brier:.3f}\nslope {measured.slope.value:.2f}" in title


def test_the_bars_below_the_diagram_hold_every_case(tmp_path: Path, saved: list[matplotlib.figure.Figure]) -> None:
    before, after = calibrations(150)
    report.draw_reliability(before, after, path=tmp_path / "reliability")
    for axis in saved[0].axes[1::2]:
        assert sum(bar.get_height() for bar in axis.patches) == 150


@pytest.mark.parametrize("y_prob", [[0.0, 0.0, 1.0, 1.0], [0.3, 0.3, 0.3, 0.3]])
def test_a_slope_that_is_undefined_is_said_to_be_so(
    tmp_path: Path, saved: list[matplotlib.figure.Figure], y_prob: list[float]
) -> None:
    measured = measure_reliability([0, 0, 1, 1], y_prob)
    report.draw_reliability(measured, measured, path=tmp_path / "reliability")
    assert "slope undefined" in saved[0].axes[0].get_title(loc="left")


def test_the_table_of_net_benefit_holds_what_is_cut_off_in_the_plot(
    tmp_path: Path, saved: list[matplotlib.figure.Figure]
) -> None:
    random = np.random.default_rng(6)
    y_true = random.random(300) < 0.3
    curve = decision_curve(y_true, np.clip(0.3 + 0.2 * y_true + random.normal(0, 0.2, 300), 0, 1))
    rows = rows_of(report.draw_decision_curve(curve, path=tmp_path / "net_benefit"))
    for name, values in (
        ("threshold", curve.thresholds),
        ("net_benefit", curve.net_benefit),
        ("treat_all", curve.treat_all),
        ("treat_none", [0.0] * 99),
    ):
        assert [float(row[name]) for row in rows] == list(values)
    bottom, top = saved[0].axes[0].get_ylim()
    assert min(curve.treat_all) < -50 and -0.1 < bottom < 0 and max(curve.net_benefit) < top < 0.4


def test_the_operating_point_lies_on_the_curve_of_draw_decision_curve(
    tmp_path: Path, saved: list[matplotlib.figure.Figure]
) -> None:
    curve = DecisionCurve(thresholds=(0.1, 0.3), net_benefit=(0.4, 0.2), treat_all=(0.4, 0.1), prevalence=0.4, n=10)
    plain = report.draw_decision_curve(curve, path=tmp_path / "plain")
    marked = report.draw_decision_curve(curve, path=tmp_path / "marked", threshold=0.25)
    beyond = report.draw_decision_curve(curve, path=tmp_path / "beyond", threshold=0.9)
    colour = [count_of_colour(png, PALETTE[1]) for png in (plain, marked, beyond)]
    assert colour[0] == 0 < colour[2] < colour[1]
    (point,) = [line for line in saved[1].axes[0].lines if line.get_marker() == "o"]
    assert np.ravel(point.get_data()) == pytest.approx([0.25, 0.25])


def test_net_benefit_without_a_positive_case_has_a_scale(tmp_path: Path) -> None:
    png = report.draw_decision_curve(decision_curve([0, 0], [0.0, 0.0]), path=tmp_path / "net_benefit")
    assert {float(row["net_benefit"]) for row in rows_of(png)} == {0.0} and (drawn(png) < 128).any()


def test_the_forest_table_holds_every_metric_of_every_group(tmp_path: Path) -> None:
    subgroups = some_subgroups(("F", "M", "one"))
    rows = rows_of(report.draw_subgroups(subgroups, path=tmp_path / "forest"))
    names = ("auc", "sensitivity", "specificity")
    assert [(row["group"], row["metric"]) for row in rows] == list(itertools.product(("F", "M", "one"), names))
    flags = {True: "true", False: "false", None: ""}
    for row, (group, name) in zip(rows, itertools.product(subgroups.groups, names), strict=True):
        one = group.metrics[name]
        assert (row["column"], row["n"], row["patients"]) == ("sex", str(group.n), str(group.patients))
        assert (row["metric_n"], row["flagged"], row["not_judged"]) == (
            str(one.metric.n),
            flags[one.flagged],
            one.not_judged or "",
        )
        numbers = [one.metric.value, *(one.interval or (None,) * 2), one.gap, *(one.gap_interval or (None,) * 2)]
        shown = [row[key] for key in ("value", "low", "high", "gap", "gap_low", "gap_high")]
        assert shown == ["" if x is None or math.isnan(x) else str(float(x)) for x in numbers]
        assert row["method"] == (one.method or "")
    assert {row["flagged"] for row in rows} == {"true", ""}


def forest_of(flagged: bool | None) -> Subgroups:
    one = SubgroupMetric(
        metric=Metric("auc", 0.9, 50),
        interval=(0.8, 0.95),
        method="DeLong",
        gap=0.1,
        gap_interval=None if flagged is None else (0.01, 0.2),
        flagged=flagged,
        not_judged="Too small." if flagged is None else None,
    )
    return Subgroups(
        column="sex", groups=(Subgroup(label="F", n=50, patients=50, class_counts={}, metrics={"auc": one}),)
    )


@pytest.mark.parametrize(
    ("flagged", "marker", "face"), [(True, "D", PALETTE[1]), (False, "o", PALETTE[0]), (None, "o", "white")]
)
def test_a_flag_shows_in_colour_and_marker(
    tmp_path: Path, saved: list[matplotlib.figure.Figure], flagged: bool | None, marker: str, face: str
) -> None:
    report.draw_subgroups(forest_of(flagged), path=tmp_path / "forest", names=["auc"])
    interval, point = saved[0].axes[0].lines
    assert (point.get_marker(), point.get_markerfacecolor()) == (marker, face)
    assert point.get_xdata()[0] == 0.9 and list(interval.get_xdata()) == [0.8, 0.95]
    left, right = saved[0].axes[0].get_xlim()
    assert left < 0.8 and right > 1


def test_a_metric_that_is_undefined_in_a_group_is_said_to_be_so(
    tmp_path: Path, saved: list[matplotlib.figure.Figure]
) -> None:
    report.draw_subgroups(some_subgroups(("F", "M", "one")), path=tmp_path / "forest")
    assert [[text.get_text() for text in axis.texts if text.get_text() != "sex"] for axis in saved[0].axes] == [
        ["undefined"],
        [],
        ["undefined"],
    ]


@pytest.mark.parametrize("names", [[], ["auc", "kappa"]])
def test_a_forest_of_unknown_metrics_is_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(InvalidOption, match="choose among"):
        report.draw_subgroups(forest_of(True), path=tmp_path / "forest", names=names)


@pytest.mark.parametrize(
    ("draw", "nothing"), [(report.draw_subgroups, Subgroups(column="sex", groups=())), (report.draw_mistakes, [])]
)
def test_a_figure_of_nothing_is_refused_and_leaves_no_file(tmp_path: Path, draw: Any, nothing: Any) -> None:
    with pytest.raises(InvalidData):
        draw(nothing, path=tmp_path / "figure")
    assert list(tmp_path.iterdir()) == []


def test_each_mistake_stands_beside_its_evidence_under_its_caption(
    tmp_path: Path, saved: list[matplotlib.figure.Figure]
) -> None:
    items = [a_mistake(f"case {i}", shade=10 * i, shape=(24, 24, 1 + 2 * (i % 2))) for i in range(1, 15)]
    png = report.draw_mistakes(items, path=tmp_path / "mistakes")
    assert list(tmp_path.iterdir()) == [png]
    axes = saved[0].axes
    assert len(axes) == 24 and [a.get_title(loc="left") for a in axes[::2]] == [f"case {i}" for i in range(1, 13)]
    for item, plain, tinted in zip(items, axes[::2], axes[1::2], strict=False):
        assert np.array_equal(np.atleast_3d(plain.images[0].get_array()), item.pixels)
        assert np.array_equal(tinted.images[0].get_array(), np.asarray(tint(item.pixels, item.activation_map)))
        assert (
            plain.get_position().y0 == tinted.get_position().y0 and plain.get_position().x1 < tinted.get_position().x0
        )
    assert len({round(axis.get_position().y0, 6) for axis in axes}) == 6


def test_a_mistake_whose_map_does_not_fit_cannot_be_made() -> None:
    with pytest.raises(InvalidData, match="cannot be drawn"):
        report.ImageWithEvidence(np.zeros((8, 8, 3), np.uint8), np.full((2, 2), np.nan), "case 1")
