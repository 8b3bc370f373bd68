"""The search for near hashes: as comparing all pairs within its guarantee, and honest beyond it."""

from __future__ import annotations

import numpy as np
import pytest

from overread.images.copies import near_hashes as neighbours
from overread.images.copies.near_hashes import (
    BITS,
    WORDS,
    band_width,
    bits_apart,
    guaranteed_radius,
    near_pairs,
)

VIEWS = 8
ALL = 10**6


def changed(hashes: np.ndarray, rng: np.random.Generator, most: int) -> np.ndarray:
    """The same hashes with up to so many bits turned over."""
    bits = np.zeros((len(hashes), BITS), np.uint8)
    for row in bits:
        row[rng.choice(BITS, rng.integers(most + 1), replace=False)] = 1
    return hashes ^ np.packbits(bits, axis=1).view(np.uint64)


def views_with_near_ones(count: int, seed: int, most: int = 60) -> np.ndarray:
    """Random hashes; half of the images lie near another one in some view."""
    rng = np.random.default_rng(seed)
    views = rng.integers(0, 2**64, (VIEWS, count, WORDS), np.uint64)
    later = np.arange(count // 2, count)
    views[rng.integers(VIEWS, size=len(later)), later] = changed(views[0, later - count // 2], rng, most)
    return views


def by_comparing_all(views: np.ndarray, radius: int) -> set[tuple[int, int, int, int]]:
    signs = np.unpackbits(views.view(np.uint8), axis=2).astype(np.float32) * 2 - 1
    distances = (BITS - signs @ signs[0].T) / 2
    found = zip(*np.nonzero(distances <= radius), strict=True)
    return {(int(i), int(j), int(v), int(distances[v, j, i])) for v, j, i in found if i < j}


def as_set(pairs: neighbours.NearPairs) -> set[tuple[int, int, int, int]]:
    columns = (pairs.earlier, pairs.later, pairs.view, pairs.distance)
    return set(zip(*(column.tolist() for column in columns), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_within_the_guarantee_the_search_finds_what_comparing_all_pairs_finds(seed: int) -> None:
    views = views_with_near_ones(400, seed)
    radius = guaranteed_radius(400)
    expected = by_comparing_all(views, radius)
    assert as_set(near_pairs(views, radius=radius, most=ALL)) == expected
    assert len(expected) > 50


def test_the_guarantee_holds_for_the_widest_bands_and_in_several_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "band_width", lambda count: 16)
    monkeypatch.setattr(neighbours, "IMAGES_AT_ONCE", 64)
    monkeypatch.setattr(neighbours, "MEETINGS_AT_ONCE", 50)
    views = views_with_near_ones(400, seed=7)
    assert guaranteed_radius(400) == 31
    assert as_set(near_pairs(views, radius=31, most=ALL)) == by_comparing_all(views, 31)


def test_beyond_the_guarantee_all_that_is_found_is_near_and_most_of_it_is_found() -> None:
    views = views_with_near_ones(400, seed=3)
    expected = by_comparing_all(views, 60)
    found = as_set(near_pairs(views, radius=60, most=ALL))
    assert found <= expected
    assert len(found) > 0.9 * len(expected)


def test_every_image_keeps_its_nearest_and_of_equally_near_ones_the_earliest() -> None:
    rng = np.random.default_rng(0)
    views = rng.integers(0, 2**64, (VIEWS, 40, WORDS), np.uint64)
    views[0, 20:] = changed(np.repeat(views[0, :1], 20, axis=0), rng, 12)
    every = sorted((j, d, i, v) for i, j, v, d in as_set(near_pairs(views, radius=31, most=ALL)))
    expected = {
        (i, j, v, d) for j, d, i, v in every if sum(other[0] == j and other < (j, d, i, v) for other in every) < 3
    }
    found = as_set(near_pairs(views, radius=31, most=3))
    assert found == expected
    assert len(found) < len(every)


def test_a_crowd_of_equal_hashes_stays_connected_and_is_not_compared_pair_by_pair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighbours, "MOST_IN_BUCKET", 20)
    views = np.random.default_rng(0).integers(0, 2**64, (VIEWS, 300, WORDS), np.uint64)
    views[0] = views[0, 0]
    pairs = near_pairs(views, radius=31, most=ALL)
    assert set(pairs.later.tolist()) == set(range(1, 300))
    assert len(pairs) <= 300 * 20
    assert (pairs.earlier >= pairs.later - 20).all()


def test_an_older_numpy_counts_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    views = views_with_near_ones(200, seed=1)
    expected = as_set(near_pairs(views, radius=40, most=ALL))
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert as_set(near_pairs(views, radius=40, most=ALL)) == expected
    opposite = bits_apart(np.zeros((1, WORDS), np.uint64), np.full((1, WORDS), 2**64 - 1, np.uint64))
    assert opposite.tolist() == [BITS]


@pytest.mark.parametrize("count", [0, 1])
def test_no_image_and_one_image_have_no_pairs(count: int) -> None:
    assert len(near_pairs(np.zeros((VIEWS, count, WORDS), np.uint64), radius=31, most=8)) == 0


def test_bands_grow_with_the_number_of_images_and_the_guarantee_never_falls_below_31_bits() -> None:
    assert [band_width(count) for count in (0, 10, 4096, 5856, 32768, 10**6)] == [12, 12, 12, 13, 15, 16]
    assert [guaranteed_radius(count) for count in (10, 4096, 32768, 32769, 10**6)] == [41, 41, 33, 31, 31]
