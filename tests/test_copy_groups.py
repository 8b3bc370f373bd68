"""Groups of near copies: a film is cut where its picture changes, a family of augmented copies stays whole."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from overread.images.copies.groups import Group, cut_groups

Alike = Callable[[int, int], bool]


def grouped(count: int, alike: Alike, most: int = 8) -> tuple[list[Group], int]:
    """Groups of images of which each met its nearest so many earlier ones, and how many further pairs were asked."""
    pairs = [(i, k) for k in range(count) for i in [i for i in range(k - 1, -1, -1) if alike(i, k)][:most]]
    asked = []

    def same(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        asked.extend(zip(one.tolist(), other.tolist(), strict=True))
        return np.array([alike(*pair) for pair in zip(one.tolist(), other.tolist(), strict=True)], bool)

    return cut_groups(pairs, same), len(asked)


@pytest.mark.parametrize("window", [1, 3, 12])
def test_a_film_is_cut_into_stretches_whose_frames_resemble_a_centre(window: int) -> None:
    groups, asked = grouped(400, lambda i, k: abs(i - k) <= window)
    assert sorted(frame for group in groups for frame in group) == list(range(400))
    for group in groups:
        assert group == tuple(range(group[0], group[-1] + 1))
        assert len(group) <= 4 * window + 1
    assert len(groups) <= 400 / window
    assert asked <= 25 * 400


def test_copies_that_are_all_alike_are_one_group_however_few_of_their_pairs_were_met() -> None:
    assert grouped(100, lambda i, k: True, most=1)[0] == [tuple(range(100))]


def test_a_source_holds_its_augmented_copies_together_though_none_resembles_another() -> None:
    assert grouped(20, lambda i, k: 7 in (i, k))[0] == [tuple(range(20))]


def test_augmented_copies_without_their_source_stay_together_where_half_of_the_pairs_are_alike() -> None:
    for seed in range(20):
        drawn = np.random.default_rng(seed).random((15, 15)) < 0.5
        groups, _ = grouped(15, lambda i, k, drawn=drawn: bool(drawn[min(i, k), max(i, k)]))  # type: ignore[misc]
        assert len(groups[0]) >= 14


def test_two_pictures_with_one_pair_in_common_are_two_groups() -> None:
    groups, _ = grouped(20, lambda i, k: i // 10 == k // 10 or {i, k} == {9, 10})
    assert groups == [tuple(range(10)), tuple(range(10, 20))]


def test_no_pair_is_no_group() -> None:
    assert grouped(5, lambda i, k: False) == ([], 0)
