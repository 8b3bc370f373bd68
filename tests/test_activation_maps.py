"""What the report says of activation maps: two checks, passed or not, and a warning where a shortcut may lie."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.errors import InvalidData
from overread.images import DataSet
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import ImageWithEvidence, draw_mean_maps
from overread.report.sections import activation_maps_section
from support.data_sets import data_set_of

Make = Callable[..., Section]


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> DataSet:
    return data_set_of(tmp_path_factory.mktemp("images"), ["Polyp", "Cyst"] * 3, ["val"] * 4 + ["train"] * 2)


@pytest.fixture
def section(data_set: DataSet, tmp_path: Path) -> Make:
    return partial(make_section, data_set, tmp_path)


def make_section(
    data_set: DataSet,
    folder: Path,
    *,
    alike: float = 0.2,
    border: float | None = 0.3,
    rim: float = 0.01,
    images: int = 40,
    side: int = 7,
) -> Section:
    """What is said of these findings; images of Cyst were never decided on."""
    stages = [{"name": name, "rank_correlation": alike, "ssim": alike / 2} for name in ("head", "all")]
    placed: list[dict[str, Any]] = [
        {"class": "Polyp", "images": images, "mean_map": [[1.0]], "border": [border, 0.36], "rim": [rim, 0.01]},
        {"class": "Cyst", "images": 0, "mean_map": [[0.0]], "border": [None, 0.0], "rim": [None, 0.0]},
    ]
    randomised = {"images": 32, "cells": [side, side], "draws": 3, "stages": stages if side > 2 else []}
    found = {"randomised": randomised, "border": 0.1, "placed": placed}
    return activation_maps_section(found, data_set, folder, "validation images")


def test_maps_that_change_with_the_weights_pass_and_their_likeness_stands_in_a_table(section: Make) -> None:
    found = section()
    assert "the check is passed" in found.paragraphs[1] and "rank correlation of 0.20" in found.paragraphs[1]
    stages, shares, figure = found.items
    assert isinstance(stages, Table) and stages.rows == (("head", "0.200", "0.100"), ("all", "0.200", "0.100"))
    assert isinstance(shares, Table) and shares.rows[0][:4] == ("Polyp", "40", "30.0\xa0%", "36.0\xa0%")
    assert shares.rows[1][:3] == ("Cyst", "0", "none")
    assert isinstance(figure, FigureItem) and "Polyp (40 images)" in figure.alt and "Cyst" not in figure.alt
    assert figure.path.name == "mean_maps.png" and figure.path.exists()
    assert found.warnings == ()


def test_maps_that_stay_alike_with_random_weights_are_a_warning(section: Make) -> None:
    found = section(alike=0.6)
    assert "the check is not passed" in found.paragraphs[1]
    (warning,) = found.warnings
    assert "Take no explanation from them" in warning


def test_evidence_far_over_the_area_of_the_border_is_a_warning_that_names_the_class(section: Make) -> None:
    (warning,) = section(border=0.6).warnings
    assert warning.startswith("Of the evidence for Polyp, 60.0\xa0% lies on the border of the images")
    assert section(border=0.5).warnings == section(border=None).warnings == section(rim=0.5).warnings == ()


def test_a_few_images_or_a_coarse_map_give_no_verdict_on_the_border(section: Make) -> None:
    assert section(border=0.6, images=9).warnings == ()
    coarse = section(border=0.6, side=4)
    assert coarse.warnings == () and "too coarse for a verdict" in coarse.paragraphs[2]


def test_maps_of_a_few_cells_are_said_to_be_too_small_for_the_comparison(section: Make) -> None:
    found = section(side=2)
    assert "2 x 2 cells, too few" in found.paragraphs[1] and len(found.items) == 2


def test_no_class_to_draw_a_mean_map_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="no mean map"):
        draw_mean_maps([], border=0.1, path=tmp_path / "maps")


def test_mean_maps_are_drawn_a_pair_for_each_class(tmp_path: Path) -> None:
    pixels = np.full((32, 32, 1), 120, np.uint8)
    items = [ImageWithEvidence(pixels, np.eye(4) * 20, name) for name in ("a", "b", "c")]
    assert draw_mean_maps(items, border=0.1, path=tmp_path / "maps").stat().st_size > 1000
