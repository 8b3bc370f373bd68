"""The activation map in colour: what is drawn, how strongly, and that no evidence means no colour."""

from __future__ import annotations

import numpy as np
import pytest

from overread.errors import InvalidData, InvalidOption
from overread.reading import heat_map, overlay, picture_of, tint
from overread.reading.pictures import FULL_EVIDENCE
from support.readings import reading


def alphas(evidence: np.ndarray, size: tuple[int, int] = (64, 64)) -> np.ndarray:
    return np.asarray(heat_map(evidence, size).getchannel("A")).astype(int)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_map_without_positive_evidence_leaves_the_image_as_it_is(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    for evidence in (np.full((4, 4), -1.0), np.zeros((4, 4))):
        assert np.array_equal(tint(pixels, evidence), np.broadcast_to(pixels, (20, 30, 3)))


def test_weak_noise_stays_faint_whatever_the_maximum_of_the_image() -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, (7, 7))
    assert 0 < alphas(noise).max() < 0.08 * 255


def test_one_scale_serves_every_image() -> None:
    weak, strong = (alphas(np.full((3, 3), value)) for value in (4.0, 16.0))
    assert np.unique(weak).tolist() == [51] and np.unique(strong).tolist() == [204]
    assert alphas(np.full((3, 3), 5 * FULL_EVIDENCE)).min() == 255


def test_a_map_is_lighter_and_more_opaque_the_stronger_the_evidence() -> None:
    colours = np.asarray(heat_map(np.tile(np.linspace(0, FULL_EVIDENCE, 64), (2, 1)), (64, 2))).astype(float)
    lightness = colours[0, :, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > 0).all() and (np.diff(colours[0, :, 3]) > 0).all()


def test_the_tint_is_strongest_where_the_evidence_is_and_smooth_around_it() -> None:
    evidence = np.full((4, 8), -3.0)
    evidence[1, 6] = FULL_EVIDENCE
    change = alphas(evidence, (160, 40))
    row, column = np.unravel_index(change.argmax(), change.shape)
    assert abs(row - 14.5) <= 1 and abs(column - 129.5) <= 1
    assert change.max() > 250 and change[:, :80].max() == 0 and np.abs(np.diff(change, axis=1)).max() < 25


def test_an_even_map_tints_evenly_up_to_the_border() -> None:
    tinted = np.asarray(tint(np.full((21, 35, 1), 90, dtype=np.uint8), np.full((3, 5), 9.0)))
    assert len(np.unique(tinted.reshape(-1, 3), axis=0)) == 1 and (tinted[0, 0] != 90).any()


def test_the_overlay_shows_the_evidence_for_the_class_asked_for() -> None:
    pixels, activation_map = np.full((32, 32, 1), 120, np.uint8), np.zeros((4, 4, 1), np.float32)
    activation_map[0], activation_map[3] = 9, -9
    found = reading(pixels=pixels, activation_map=activation_map)
    positive, negative = (np.asarray(overlay(found, name)).astype(int) for name in ("Disease", "Normal"))
    assert (positive[2] != 120).any() and (positive[29] == 120).all()
    assert np.array_equal(positive, negative[::-1])


def test_opacity_runs_from_the_image_alone_to_colour_alone() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    evidence = np.full((2, 2), FULL_EVIDENCE)
    assert np.array_equal(tint(pixels, evidence, opacity=0), pixels)
    assert len(np.unique(np.asarray(tint(pixels, evidence, opacity=1)).reshape(-1, 3), axis=0)) == 1
    with pytest.raises(InvalidOption, match="outside 0 to 1"):
        tint(pixels, evidence, opacity=1.5)


def test_image_and_map_are_enlarged_together() -> None:
    assert tint(np.zeros((20, 30, 3), np.uint8), np.ones((2, 3)), size=(90, 60)).size == (90, 60)


@pytest.mark.parametrize("evidence", [np.ones(2), np.ones((2, 2, 1)), np.ones((0, 2)), np.full((2, 2), np.nan)])
def test_a_map_that_cannot_be_drawn_is_refused(evidence: np.ndarray) -> None:
    with pytest.raises(InvalidData, match="cannot be drawn"):
        heat_map(evidence, (8, 8))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4)])
def test_pixels_that_are_no_image_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidData, match="no image"):
        picture_of(np.zeros(shape, np.uint8))
