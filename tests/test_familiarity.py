"""Familiarity: what was seen is inside, what was not is outside, and odd features break nothing."""

from __future__ import annotations

import numpy as np
import pytest

from overread.decision import Familiarity, Normal, limit_of, measure_traits
from overread.errors import InvalidData


def draw(n: int, traits: int, *, seed: int = 0, rank: int = 12) -> np.ndarray:
    """Correlated traits that are never below 0, as pooled ones are, some of them always 0."""
    mixing = np.random.default_rng(99).normal(size=(rank, traits))
    random = np.random.default_rng(seed)
    found = np.maximum(random.normal(size=(n, rank)) @ mixing + random.normal(0, 0.3, (n, traits)), 0)
    found[:, : traits // 10] = 0
    return found.astype(np.float32)


def beyond(found: Normal, validation: np.ndarray, traits: np.ndarray) -> float:
    return float((found.measure(traits)[1] > limit_of(found.measure(validation)[1])).mean())


def test_about_one_in_a_hundred_images_of_the_same_kind_is_unfamiliar() -> None:
    shares = []
    for seed in range(30):
        found = Normal.fit(draw(600, 60, seed=3 * seed))
        shares.append(beyond(found, draw(400, 60, seed=3 * seed + 1), draw(400, 60, seed=3 * seed + 2)))
    assert 0.005 < np.mean(shares) < 0.02


def test_images_of_another_kind_are_unfamiliar() -> None:
    found, validation = Normal.fit(draw(600, 60)), draw(400, 60, seed=1)
    assert beyond(found, validation, draw(200, 60, seed=2) + 3) == 1
    unusual = np.random.default_rng(3).permuted(draw(200, 60, seed=2), axis=1)
    assert beyond(found, validation, unusual) > 0.9


def test_a_trait_that_never_was_makes_an_image_unfamiliar() -> None:
    found, validation = Normal.fit(draw(600, 60)), draw(400, 60, seed=1)
    odd = draw(5, 60, seed=2)
    odd[:, 0] = 20
    assert beyond(found, validation, odd) == 1


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_few_images_of_many_traits_give_finite_distances(n: int) -> None:
    found = Normal.fit(draw(n, 1347))
    projections, distances = found.measure(draw(30, 1347, seed=1))
    assert projections.shape == (30, 128) and projections.dtype == np.float32
    assert np.isfinite(projections).all() and np.isfinite(distances).all() and (distances > 0).all()
    assert found.components.shape == (1347, 128)


@pytest.mark.parametrize("value", [0.0, 7.5])
def test_traits_that_are_all_constant_are_at_distance_0_and_anything_else_is_unfamiliar(value: float) -> None:
    constant = np.full((20, 30), value, np.float32)
    found = Normal.fit(constant)
    assert found.measure(constant)[1] == pytest.approx(np.zeros(20))
    assert beyond(found, constant, constant) == 0
    assert beyond(found, constant, constant + 1) == 1


def test_where_all_components_are_kept_it_is_the_mahalanobis_distance() -> None:
    rng = np.random.default_rng(4)
    train = rng.normal(size=(50_000, 5)) @ rng.normal(size=(5, 5))
    traits = train[:100].astype(np.float32)
    centred = traits - train.mean(axis=0)
    expected = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(train.T)), centred)
    projections, distances = Normal.fit(train).measure(traits)
    assert np.square(distances) == pytest.approx(expected, rel=0.02)
    assert np.cov(projections.T) == pytest.approx(np.eye(5), abs=0.5)


def test_components_that_are_left_out_count_by_their_mean_variance() -> None:
    found, traits = Normal.fit(draw(3000, 300)), draw(100, 300, seed=1)
    assert found.components.shape == (300, 128)
    squared = np.square(found.measure(draw(3000, 300))[1])
    # Under a normal distribution its mean is the number of traits; those that never vary add nothing.
    assert squared.mean() == pytest.approx(270, rel=0.15)
    one = found.measure(traits[:1])
    assert found.measure(traits)[1][0] == pytest.approx(one[1][0], rel=1e-4)


def test_an_image_is_as_far_as_the_farther_of_features_and_look() -> None:
    train, validation, new = (draw(n, 107, seed=seed) for seed, n in enumerate((600, 400, 50)))
    found = Familiarity.fit(train, validation)
    projections, distances = found.measure(new)
    assert projections.shape == (50, 16) and projections.dtype == np.float32
    features, look = Normal.fit(train[:, :40]), Normal.fit(train[:, 40:])
    assert found.limits == pytest.approx(
        [limit_of(features.measure(validation[:, :40])[1]), limit_of(look.measure(validation[:, 40:])[1])]
    )
    apart = [features.measure(new[:, :40])[1] / found.limits[0], look.measure(new[:, 40:])[1] / found.limits[1]]
    assert distances == pytest.approx(np.max(apart, axis=0))
    for part in (slice(40), slice(40, None)):
        odd = new.copy()
        odd[:, part] += 30
        assert (found.measure(odd)[1] > 1).all()


def test_distributions_that_do_not_fit_together_are_refused() -> None:
    found = Normal.fit(draw(20, 30))
    for mean, rest in ((found.mean[1:], 1.0), (found.mean, 0.0), (found.mean * np.nan, 1.0)):
        with pytest.raises(InvalidData, match="does not fit together"):
            Normal(mean=mean, components=found.components, rest=rest)


def test_the_limit_is_the_99th_percentile_and_the_largest_of_few() -> None:
    assert limit_of(np.arange(1.0, 1001)) == 991
    assert limit_of(np.array([3.0, 1.0, 2.0])) == 3
    assert limit_of(np.zeros(5)) > 0


@pytest.mark.parametrize("shape", [(2, 32, 32, 1), (3, 70, 51, 1), (1, 224, 160, 3), (4, 8, 9, 1)])
def test_the_look_has_the_same_length_at_every_size(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    found = measure_traits(np.ones((shape[0], 5)), pixels)
    assert found.shape == (shape[0], 72) and found.dtype == np.float32 and np.isfinite(found).all()
    alone = np.concatenate([measure_traits(np.ones((1, 5)), pixels[i : i + 1]) for i in range(shape[0])])
    assert np.array_equal(found, alone)


def test_the_look_tells_where_it_is_bright_how_much_it_differs_and_how_rough_it_is() -> None:
    left = np.zeros((1, 64, 64, 1), np.uint8)
    left[:, :, :32] = 255
    grid, (contrast, down, across) = np.split(measure_traits(np.zeros((1, 0)), left)[0], [64])
    assert np.array_equal(grid.reshape(8, 8), np.repeat([[1, 1, 1, 1, 0, 0, 0, 0]], 8, axis=0))
    assert np.exp([contrast, down, across]) - 1 / 255 == pytest.approx([0.5, 0, 1 / 63], abs=1e-6)


def test_a_blank_image_is_unfamiliar_at_every_level_of_grey() -> None:
    rng = np.random.default_rng(3)
    seen = (rng.uniform(40, 200, (300, 1, 1, 1)) + rng.normal(0, 12, (300, 32, 32, 1))).clip(0, 255).astype(np.uint8)
    traits = measure_traits(rng.normal(size=(300, 5)), seen)
    familiarity = Familiarity.fit(traits[:200], traits[200:])
    blank = np.broadcast_to(np.arange(0, 256, 5, dtype=np.uint8)[:, None, None, None], (52, 32, 32, 1))
    assert (familiarity.measure(measure_traits(np.zeros((52, 5)), blank))[1] > 1).all()
