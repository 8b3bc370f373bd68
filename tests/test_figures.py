"""Figures: the numbers beside them, nothing clipped, no state left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.image
import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from overread import report
from overread.decision import SeveralFindings, Task
from overread.errors import InvalidData, MissingExtra, OutputUnwritable
from overread.evaluation import compute_metrics
from overread.report.figures import draw_together
from overread.report.figures.canvas import PALETTE
from overread.report.figures.operating_point import DARK_PERCENT
from support.figures import AWKWARD, BINARY, count_of_colour, drawn, predictions, rows_of

pytestmark = pytest.mark.filterwarnings("error")


def epochs(n: int) -> list[dict[str, Any]]:
    names = ("loss", "accuracy", "auc", "val_loss", "val_accuracy", "val_auc")
    return [
        {"epoch": i, "learning_rate": 1e-3, **{name: 1 / (i + j) for j, name in enumerate(names)}}
        for i in range(1, n + 1)
    ]


def draw_all(folder: Path, classes: tuple[str, ...], channels: int = 1) -> list[Path]:
    pixels = np.random.default_rng(0).integers(0, 256, (3 * len(classes), 20, 30, channels), dtype=np.uint8)
    variants = np.stack([pixels[:2] * 0.5, pixels[:2] * 0.8], axis=1)
    y_true, y_prob = predictions(len(classes))
    marks = {classes[1]: 0.5} if len(classes) == 2 else {}
    return [
        report.draw_samples(
            pixels.__getitem__, {name: [i, i + len(classes)] for i, name in enumerate(classes)}, path=folder / "samples"
        ),
        report.draw_augmentation(pixels[:2], variants, path=folder / "augmented"),
        report.draw_training_curves(epochs(3), path=folder / "training", best_epoch=2),
        report.draw_confusion_matrix(
            compute_metrics(y_true, y_prob, task=Task.of(classes)).confusion, classes, path=folder / "confusion"
        ),
        report.draw_roc(y_true, y_prob, task=Task.of(classes), path=folder / "roc", thresholds=marks),
        report.draw_precision_recall(y_true, y_prob, task=Task.of(classes), path=folder / "pr", thresholds=marks),
    ]


@pytest.mark.parametrize(("classes", "channels"), [(BINARY, 1), (AWKWARD, 3)])
def test_nothing_touches_the_edge_of_a_figure_whatever_the_class_names(
    tmp_path: Path, classes: tuple[str, ...], channels: int
) -> None:
    for png in draw_all(tmp_path, classes, channels):
        image = drawn(png)
        edges = [image[:3], image[-3:], image[:, :3], image[:, -3:]]
        assert all((edge == 255).all() for edge in edges), png.name
        assert (image < 128).any(), png.name


def test_only_figures_and_their_numbers_are_left_behind(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    pngs = draw_all(tmp_path, BINARY)
    tables = [png.with_suffix(".csv") for png in pngs if png.stem != "augmented"]
    assert sorted(tmp_path.iterdir()) == sorted(pngs + tables)
    assert dict(matplotlib.rcParams) == before


def test_a_stem_with_a_dot_is_kept_whole(tmp_path: Path) -> None:
    assert report.draw_training_curves(epochs(1), path=tmp_path / "fold.1") == tmp_path / "fold.1.png"


def test_samples_show_at_most_eight_a_class_and_count_them_all(tmp_path: Path) -> None:
    green = np.array([0, 90, 0], dtype=np.uint8)
    png = report.draw_samples(
        np.tile(green, (21, 16, 16, 1)).__getitem__, {"a": [20], "b": range(20)}, path=tmp_path / "samples"
    )
    assert [(row["class"], row["count"]) for row in rows_of(png)] == [("a", "1"), ("b", "20")]
    inside = (drawn(png) == green).all(axis=2).astype(int)
    images_in_row = {int((np.diff(row) == 1).sum()) for row in inside}
    assert images_in_row == {0, 1, 8}


def test_a_class_of_eight_shows_each_image_once(tmp_path: Path) -> None:
    shades = np.arange(20, 180, 20, dtype=np.uint8)
    pixels = np.stack([np.full((8, 8, 3), (shade, 0, 200), dtype=np.uint8) for shade in shades])
    image = drawn(report.draw_samples(pixels.__getitem__, {"a": range(8)}, path=tmp_path / "samples"))
    shown = {tuple(colour) for colour in np.unique(image.reshape(-1, 3), axis=0).tolist()}
    assert {(int(shade), 0, 200) for shade in shades} <= shown


def test_the_seed_decides_which_samples_are_shown(tmp_path: Path) -> None:
    pixels = np.repeat(np.arange(100, dtype=np.uint8), 64).reshape(100, 8, 8, 1)
    first, again, other = (
        report.draw_samples(pixels.__getitem__, {"a": range(100)}, path=tmp_path / str(i), seed=seed).read_bytes()
        for i, seed in enumerate((1, 1, 2))
    )
    assert first == again != other


def test_variants_of_any_range_are_clipped_to_pixels_and_not_wrapped(tmp_path: Path) -> None:
    original = np.full((1, 8, 8, 1), 255, dtype=np.uint8)
    png = report.draw_augmentation(original, np.full((1, 1, 8, 8, 1), -60.0, dtype=np.float32), path=tmp_path / "a")
    grey = drawn(png)
    assert (grey == 0).all(axis=2).mean() > 0.2


@pytest.mark.parametrize(
    ("draw", "arrays"),
    [
        (report.draw_samples, (np.zeros((1, 8, 8, 1), np.uint8).__getitem__, {"a": [0], "b": []})),
        (report.draw_augmentation, (np.zeros((2, 8, 8, 1)), np.zeros((1, 3, 8, 8, 1)))),
        (report.draw_training_curves, ([],)),
        (report.draw_confusion_matrix, (np.zeros((2, 3)), BINARY)),
    ],
)
def test_a_figure_of_nothing_is_refused_and_leaves_no_file(tmp_path: Path, draw: Any, arrays: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidData):
        draw(*arrays, path=tmp_path / "figure")
    assert list(tmp_path.iterdir()) == []


def test_training_curves_hold_gaps_and_mark_the_best_epoch(tmp_path: Path) -> None:
    history = epochs(60)
    history[4]["val_auc"] = None
    del history[5]["auc"]
    history[6]["val_loss"] = float("nan")
    plain = report.draw_training_curves(history, path=tmp_path / "plain")
    marked = report.draw_training_curves(history, path=tmp_path / "marked", best_epoch=7)
    rows = rows_of(plain)
    assert len(rows) == 60 and rows[0]["learning_rate"] == "0.001" and rows[4]["val_auc"] == "" == rows[5]["auc"]
    assert count_of_colour(marked, "0.35") > count_of_colour(plain, "0.35")


def test_the_confusion_table_holds_counts_and_percentages_of_each_true_class(tmp_path: Path) -> None:
    png = report.draw_confusion_matrix([[54, 32], [0, 0]], BINARY, path=tmp_path / "confusion")
    assert [tuple(row.values()) for row in rows_of(png)] == [
        ("normal", "normal", "54", "62.791"),
        ("normal", "ill", "32", "37.209"),
        ("ill", "normal", "0", ""),
        ("ill", "ill", "0", ""),
    ]


def test_numbers_in_the_confusion_matrix_contrast_with_every_shade() -> None:
    # 4.5 is the contrast that WCAG 2.2 asks of text (success criterion 1.4.3).
    for percent in range(101):
        channel = np.array(matplotlib.colormaps["Blues"](percent / 100)[:3])
        linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
        luminance = linear @ [0.2126, 0.7152, 0.0722]
        white_text = percent > DARK_PERCENT
        contrast = 1.05 / (luminance + 0.05) if white_text else (luminance + 0.05) / 0.05
        assert contrast >= 4.5, percent


def test_the_points_beside_a_curve_give_its_area(tmp_path: Path) -> None:
    y_true, y_prob = predictions(2)
    points = rows_of(report.draw_roc(y_true, y_prob, task=Task.of(BINARY), path=tmp_path / "roc"))
    area = sklearn_metrics.auc([float(p["fpr"]) for p in points], [float(p["tpr"]) for p in points])
    assert area == pytest.approx(sklearn_metrics.roc_auc_score(y_true, y_prob[:, 1]))
    points = rows_of(report.draw_precision_recall(y_true, y_prob, task=Task.of(BINARY), path=tmp_path / "pr"))
    recall, precision = ([float(p[name]) for p in points] for name in ("recall", "precision"))
    area = -np.sum(np.diff(recall) * precision[:-1])
    assert area == pytest.approx(sklearn_metrics.average_precision_score(y_true, y_prob[:, 1]))
    assert points[-1]["threshold"] == ""


@pytest.mark.parametrize("draw", [report.draw_roc, report.draw_precision_recall])
def test_the_operating_point_is_marked_only_where_there_is_one(tmp_path: Path, draw: Any) -> None:
    y_true, y_prob = predictions(2)
    plain = draw(y_true, y_prob, task=Task.of(BINARY), path=tmp_path / "plain")
    marked = draw(y_true, y_prob, task=Task.of(BINARY), path=tmp_path / "marked", thresholds={BINARY[1]: 0.5})
    assert count_of_colour(plain, PALETTE[1]) == 0 < count_of_colour(marked, PALETTE[1])


@pytest.mark.parametrize(("draw", "on_the_left"), [(report.draw_roc, True), (report.draw_precision_recall, False)])
def test_a_perfect_operating_point_is_marked_in_its_corner(tmp_path: Path, draw: Any, on_the_left: bool) -> None:
    y_prob = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]
    image = drawn(draw([0, 0, 1], y_prob, task=Task.of(BINARY), path=tmp_path / "curve", thresholds={BINARY[1]: 0.5}))
    wanted = np.rint(255 * np.array(matplotlib.colors.to_rgb(PALETTE[1])))
    rows, columns = np.nonzero(np.abs(image - wanted).max(axis=2) <= 2)
    in_plot = columns[rows < image.shape[0] / 8] / image.shape[1]
    assert in_plot.size and (in_plot.max() < 0.25 if on_the_left else in_plot.min() > 0.75)


def test_precision_recall_marks_no_point_where_no_case_is_called_positive(tmp_path: Path) -> None:
    y_true, y_prob = predictions(2)
    png = report.draw_precision_recall(
        y_true, y_prob, task=Task.of(BINARY), path=tmp_path / "pr", thresholds={BINARY[1]: 1.0}
    )
    assert count_of_colour(png, PALETTE[1]) == 0


@pytest.mark.parametrize("draw", [report.draw_roc, report.draw_precision_recall])
def test_each_class_has_a_curve_but_one_without_cases(tmp_path: Path, draw: Any) -> None:
    y_true, y_prob = predictions(5)
    keep = y_true != 3
    png = draw(y_true[keep], y_prob[keep], task=Task.of(AWKWARD), path=tmp_path / "curves")
    assert {row["class"] for row in rows_of(png)} == set(AWKWARD) - {"_under"}


@pytest.mark.parametrize("draw", [report.draw_roc, report.draw_precision_recall])
def test_one_class_only_draws_axes_without_a_curve(tmp_path: Path, draw: Any) -> None:
    png = draw(
        [1, 1], [[0.2, 0.8], [0.4, 0.6]], task=Task.of(BINARY), path=tmp_path / "curve", thresholds={BINARY[1]: 0.5}
    )
    assert rows_of(png) == []


@pytest.mark.parametrize("draw", [report.draw_roc, report.draw_precision_recall])
def test_curves_refuse_probabilities_of_another_shape(tmp_path: Path, draw: Any) -> None:
    with pytest.raises(InvalidData, match="one column a class"):
        draw([0, 1], [[0.2, 0.8], [0.4, 0.6]], task=Task.of(("a", "b", "c")), path=tmp_path / "curve")


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputUnwritable, match="No such file"):
        report.draw_training_curves(epochs(2), path=tmp_path / "absent" / "training")


def test_a_missing_matplotlib_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtra, match=r"pip install 'overread\[report\]'"):
        report.draw_training_curves(epochs(2), path=tmp_path / "training")


def test_importing_the_report_imports_no_matplotlib_and_drawing_no_pyplot(tmp_path: Path) -> None:
    code = (
        "import sys, overread.report as report; heavy = {'matplotlib', 'jinja2', 'pandas'} & set(sys.modules);"
        f"report.draw_confusion_matrix([[1, 0], [0, 1]], ['a', 'b'], path={str(tmp_path / 'figure')!r});"
        "print(heavy or 'light', 'matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "light False\n"


def test_many_findings_are_drawn_side_by_side_and_their_operating_points_marked(tmp_path: Path) -> None:
    task = SeveralFindings(tuple(f"sign {i}" for i in range(9)))
    random = np.random.default_rng(0)
    y_true, y_prob = random.integers(0, 2, (40, 9)), random.random((40, 9))
    y_true[:, 8] = -1
    half = dict.fromkeys(task.classes, 0.5)
    for draw in (report.draw_roc, report.draw_precision_recall):
        png = draw(y_true, y_prob, task=task, path=tmp_path / "curves", thresholds=half)
        assert {row["class"] for row in rows_of(png)} == set(task.classes[:8])
        assert count_of_colour(png, PALETTE[1]) > 8


def test_findings_that_no_image_shows_have_no_share_together(tmp_path: Path) -> None:
    shares = np.array([[1.0, 0.5], [np.nan, np.nan]])
    drawn_rows = rows_of(draw_together(shares, np.eye(2), ("a", "b"), path=tmp_path / "together"))
    assert [row["in_labels"] for row in drawn_rows] == ["1.0", "0.5", "", ""]
    with pytest.raises(InvalidData, match="do not fit 3 findings"):
        draw_together(shares, np.eye(2), ("a", "b", "c"), path=tmp_path / "together")
