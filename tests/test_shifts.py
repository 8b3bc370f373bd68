"""Named shifts of prepared pixels: what another scanner or technician would have given."""

from __future__ import annotations

import numpy as np
import pytest

from overread.images.shifts import SHIFTS, STRENGTHS, Shift, shifts_for


@pytest.fixture(scope="module")
def grey() -> np.ndarray:
    """Three textured pictures between black bars, as padding leaves them."""
    rows, columns = np.mgrid[:48, :64]
    texture = 110 + 60 * np.sin(rows / 5.0) * np.cos(columns / 4.0)
    pixels = np.stack([texture + 5 * i for i in range(3)]).astype(np.uint8)[..., None]
    pixels[:, :8] = pixels[:, -8:] = 0
    return pixels


@pytest.fixture(scope="module")
def coloured(grey: np.ndarray) -> np.ndarray:
    return np.concatenate([grey, grey // 2, grey // 3], axis=-1)


def named(name: str) -> Shift:
    return next(shift for shift in SHIFTS if shift.name == name)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b).mean())


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: shift.name)
def test_a_shift_keeps_shape_and_type_and_its_strong_form_changes_more(shift: Shift, coloured: np.ndarray) -> None:
    before = coloured.copy()

    mild, strong = (shift.apply(coloured, strength, seed=3) for strength in range(len(STRENGTHS)))

    for changed in (mild, strong):
        assert changed.shape == coloured.shape
        assert changed.dtype == np.uint8
    assert 0 < distance(mild, coloured) < distance(strong, coloured)
    np.testing.assert_array_equal(coloured, before)
    np.testing.assert_array_equal(shift.apply(coloured, 1, seed=3), strong)
    assert f"{shift.amounts[1]:g}" in shift.describe(1)


@pytest.mark.parametrize("shift", SHIFTS, ids=lambda shift: shift.name)
def test_grey_stored_as_rgb_is_changed_as_grey_is(shift: Shift, grey: np.ndarray) -> None:
    as_rgb = shift.apply(np.repeat(grey, 3, axis=-1), 1)

    np.testing.assert_array_equal(as_rgb, np.repeat(shift.apply(grey, 1), 3, axis=-1))


@pytest.mark.parametrize("name", ["darker", "brighter", "flatter", "harder", "noisier", "tinted"])
def test_black_bars_of_padding_stay_black(name: str, coloured: np.ndarray) -> None:
    changed = named(name).apply(coloured, 1)

    assert not changed[:, :8].any()
    assert not changed[:, -8:].any()


def test_colours_shift_where_there_are_some(grey: np.ndarray, coloured: np.ndarray) -> None:
    assert named("tinted") in shifts_for(coloured)
    assert named("tinted") not in shifts_for(grey)
    assert shifts_for(grey[:0]) == ()
    for shift in SHIFTS:
        assert shift.apply(grey[:0], 0).shape == grey[:0].shape


def test_names_and_labels_are_unique() -> None:
    for field in ("name", "label"):
        assert len({getattr(shift, field) for shift in SHIFTS}) == len(SHIFTS)
