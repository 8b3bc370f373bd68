"""Augmentation: one warp that does what its parameters say, seeded, and absent outside training."""

from __future__ import annotations

import dataclasses
import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.errors import InvalidOption
from overread.networks.augment import Augment, affine_transforms
from overread.networks.augmentation import Augmentation

SIZE = (17, 21)


def matrix_of(
    angle: float = 0, shift: tuple[float, float] = (0, 0), scale: float = 1, mirror: tuple[int, int] = (1, 1)
) -> np.ndarray:
    """The 3x3 matrix from output to input pixels of one set of parameters."""
    as_row = [np.array([value], dtype="float32") for value in (angle, shift, scale, mirror)]
    row = keras.ops.convert_to_numpy(affine_transforms(*as_row, SIZE))[0]
    return np.array([row[:3], row[3:6], [0, 0, 1]])


def warp(image: np.ndarray, **parameters: object) -> np.ndarray:
    """One grey image through one transform."""
    matrix = matrix_of(**parameters)  # type: ignore[arg-type]
    row = np.array([[*matrix[0], *matrix[1], 0, 0]], dtype="float32")
    return keras.ops.convert_to_numpy(keras.ops.image.affine_transform(image[None, :, :, None], row))[0, :, :, 0]


def test_no_change_is_the_identity() -> None:
    assert np.allclose(matrix_of(), np.eye(3), atol=1e-5)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0.5, 2), st.floats(0.5, 2))
def test_rotations_and_zooms_about_the_centre_compose(a: float, b: float, zoom: float, further: float) -> None:
    composed = matrix_of(angle=a, scale=zoom) @ matrix_of(angle=b, scale=further)
    assert np.allclose(composed, matrix_of(angle=a + b, scale=zoom * further), atol=1e-3)


@settings(deadline=None)
@given(st.floats(-3, 3), st.floats(0.5, 2))
def test_the_centre_stays_unless_shifted(angle: float, zoom: float) -> None:
    centre = np.array([(SIZE[1] - 1) / 2, (SIZE[0] - 1) / 2, 1])
    assert np.allclose(matrix_of(angle=angle, scale=zoom) @ centre, centre, atol=1e-3)


def test_a_shift_moves_the_image_right_and_down_by_its_fraction() -> None:
    image = np.zeros(SIZE, dtype="float32")
    image[5, 4] = 100
    moved = warp(image, shift=(3 / SIZE[1], 2 / SIZE[0]))
    assert np.unravel_index(moved.argmax(), SIZE) == (7, 7)


def test_flips_mirror_exactly() -> None:
    image = np.random.default_rng(0).uniform(0, 255, SIZE).astype("float32")
    assert np.allclose(warp(image, mirror=(-1, 1)), image[:, ::-1], atol=1e-2)
    assert np.allclose(warp(image, mirror=(1, -1)), image[::-1], atol=1e-2)


def test_a_zoom_above_one_magnifies() -> None:
    image = np.zeros((21, 21), dtype="float32")
    image[8:13, 8:13] = 1
    row = keras.ops.convert_to_numpy(
        affine_transforms(*(np.array([v], "float32") for v in (0, (0, 0), 2, (1, 1))), (21, 21))
    )
    larger = keras.ops.convert_to_numpy(keras.ops.image.affine_transform(image[None, :, :, None], row))
    assert larger.sum() == pytest.approx(4 * image.sum(), rel=0.2)


def test_an_anticlockwise_quarter_turn_brings_the_right_side_up() -> None:
    image = np.zeros((21, 21), dtype="float32")
    image[10, 18] = 100
    row = keras.ops.convert_to_numpy(
        affine_transforms(*(np.array([v], "float32") for v in (math.pi / 2, (0, 0), 1, (1, 1))), (21, 21))
    )
    turned = keras.ops.convert_to_numpy(keras.ops.image.affine_transform(image[None, :, :, None], row))[0, :, :, 0]
    assert np.unravel_index(turned.argmax(), (21, 21)) == (2, 10)


def images(count: int = 8) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, *SIZE, 1), dtype=np.uint8)


def test_outside_training_and_when_off_pixels_pass_unchanged() -> None:
    assert np.array_equal(Augment(Augmentation())(images(), training=False), images().astype("float32"))
    assert np.array_equal(Augment(Augmentation.off())(images(), training=True), images().astype("float32"))
    assert Augmentation.off().is_identity
    assert not dataclasses.replace(Augmentation.off(), vertical_flip=True).is_identity


def test_the_same_seed_gives_the_same_images_and_the_next_step_others() -> None:
    layer = Augment(Augmentation(), seed=3)
    first, second = layer(images(), training=True), layer(images(), training=True)
    assert np.array_equal(first, Augment(Augmentation(), seed=3)(images(), training=True))
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, Augment(Augmentation(), seed=4)(images(), training=True))


def test_pixels_stay_in_their_range_and_differ_within_a_batch() -> None:
    out = keras.ops.convert_to_numpy(
        Augment(Augmentation(brightness=0.9, contrast=0.9), seed=1)(np.repeat(images(1), 8, axis=0), training=True)
    )
    assert out.min() >= 0
    assert out.max() <= 255
    assert len({image.tobytes() for image in out}) == 8


@pytest.mark.parametrize("name", ["horizontal_flip", "vertical_flip"])
def test_flips_happen_to_about_half_of_the_images(name: str) -> None:
    only = dataclasses.replace(Augmentation.off(), **{name: True})
    original = images(1)[0].astype("float32")
    out = keras.ops.convert_to_numpy(Augment(only, seed=5)(np.repeat(images(1), 200, axis=0), training=True))
    mirrored = original[:, ::-1] if name == "horizontal_flip" else original[::-1]
    flipped = [np.allclose(image, mirrored, atol=0.1) for image in out]
    kept = [np.allclose(image, original, atol=0.1) for image in out]
    assert all(a != b for a, b in zip(flipped, kept, strict=True))
    assert 60 < sum(flipped) < 140


def changed(count: int = 200, image: np.ndarray | None = None, **ranges: float) -> np.ndarray:
    """Copies of one image, each changed in these ways alone."""
    copies = np.repeat(images(1) if image is None else image, count, axis=0)
    only = dataclasses.replace(Augmentation.off(), **ranges)
    return np.asarray(keras.ops.convert_to_numpy(Augment(only, seed=2)(copies, training=True)))


def test_gamma_keeps_black_and_white_and_moves_what_lies_between_both_ways() -> None:
    ramp = np.linspace(0, 255, 17 * 21).astype(np.uint8).reshape(1, *SIZE, 1)
    out = changed(image=ramp, gamma=0.5).reshape(200, -1)
    assert np.allclose(out[:, 0], 0, atol=1e-3)
    assert np.allclose(out[:, -1], 255, atol=1e-3)
    powers = np.log(out[:, 178] / 255) / np.log(ramp.ravel()[178] / 255)
    assert 1 / 1.5 - 1e-3 < powers.min() < 0.7
    assert 1.4 < powers.max() < 1.5 + 1e-3


def test_blur_flattens_an_edge_sharpness_raises_it_and_both_leave_even_areas() -> None:
    edge = np.full((1, *SIZE, 1), 100, dtype=np.uint8)
    edge[:, :, 10:] = 160
    blurred, sharpened = changed(image=edge, blur=1.0), changed(image=edge, sharpness=1.0)
    assert np.allclose(blurred[:, 8, [0, -1], 0], [100, 160], atol=1e-3)
    steps = [out[:, 8, 10, 0] - out[:, 8, 9, 0] for out in (blurred, sharpened)]
    assert 15 < steps[0].min() < 30
    assert steps[0].max() < 60.01
    assert steps[1].min() > 59.99
    assert steps[1].max() > 85


def test_noise_has_a_deviation_of_up_to_its_range_and_differs_by_pixel() -> None:
    grey = np.full((1, *SIZE, 1), 128, dtype=np.uint8)
    deviations = changed(image=grey, noise=0.1).std(axis=(1, 2, 3))
    assert deviations.min() < 2
    assert 20 < deviations.max() < 30


def test_erasing_sets_a_rectangle_to_the_mean_in_its_share_of_images() -> None:
    original = images(1)[0, :, :, 0].astype("float32")
    found = [out for out in changed(erasing=0.5)[..., 0] if not np.array_equal(out, original)]
    assert 70 < len(found) < 130
    for out in found:
        rows, columns = np.nonzero(out != original)
        inside = out[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        assert np.allclose(inside, original.mean(), atol=0.6)
        assert inside.shape[0] <= 0.4 * SIZE[0] + 1
        assert inside.shape[1] <= 0.4 * SIZE[1] + 1


def test_all_changes_together_stay_in_the_range_of_pixels() -> None:
    out = changed(gamma=1, blur=1, sharpness=4, noise=0.5, erasing=1, contrast=0.5, zoom=0.5)
    assert out.min() >= 0
    assert out.max() <= 255
    assert out.std(axis=0).max() > 10


@pytest.mark.parametrize(
    ("name", "value"), [("zoom", -0.1), ("shift", 0.6), ("contrast", float("nan")), ("rotation_degrees", 200)]
)
def test_a_range_that_makes_no_sense_is_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidOption, match=f"augmentation {name}="):
        Augmentation(**{name: value})
