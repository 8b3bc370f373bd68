"""Copies that were turned, cropped, negative or bent are found with their originals, and told in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from overread.cases import Case, Manifest
from overread.decision import Task
from overread.formats import read_headers
from overread.images import DataSet, Preprocessing
from overread.images.copies import find_copies
from overread.images.copies.turned import SIDE, TurnedPictures
from support.pictures import picture

ORIGINAL = 5


def small(image: Image.Image) -> np.ndarray:
    """As the search sees it: padded to a square."""
    return np.asarray(ImageOps.pad(image.convert("L"), (SIDE, SIDE), Image.Resampling.BILINEAR))


def affine(image: Image.Image, matrix: np.ndarray) -> Image.Image:
    """Resample around the middle, black beyond the border."""
    middle = np.array(image.size) / 2
    shift = middle - matrix @ middle
    rows = np.column_stack([matrix, shift]).ravel().tolist()
    return image.transform(image.size, Image.Transform.AFFINE, rows, Image.Resampling.BICUBIC)


def bent(image: Image.Image) -> Image.Image:
    """Waves of one per cent of the width across the picture."""
    pixels = np.asarray(image)
    rows, columns = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(float)
    far = pixels.shape[1] * 0.012
    moved = rows + far * np.sin(columns / 17), columns + far * np.sin(rows / 13)
    near = [np.clip(np.rint(where), 0, size - 1).astype(int) for where, size in zip(moved, pixels.shape, strict=True)]
    return Image.fromarray(pixels[near[0], near[1]])


def augmented(image: Image.Image) -> Image.Image:
    turned = affine(image, np.array([[-0.9, 0.2], [0.15, 0.92]]))
    return turned.point(lambda value: value * 0.8)


CHANGES: dict[str, tuple[Callable[[Image.Image], Image.Image], str]] = {
    "turned by 2": (lambda image: image.rotate(-2, Image.Resampling.BICUBIC), "turned by about 2 degrees"),
    "turned by 10": (lambda image: image.rotate(10, Image.Resampling.BICUBIC), "turned by about 10 degrees"),
    "turned by 30": (lambda image: image.rotate(30, Image.Resampling.BICUBIC), "turned by about 30 degrees"),
    "cropped unevenly": (lambda image: image.crop((45, 10, 285, 204)), "cropped or zoomed"),
    "negative": (ImageOps.invert, "negative"),
    "sheared": (lambda image: affine(image, np.array([[1, 0.08], [0, 1]])), "turned"),
    "bent": (bent, ""),
    "as augmentation does": (augmented, "mirrored left to right and turned by about"),
}


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    """Twelve different pictures of three bodies."""
    return [picture(seed, body=seed % 3, size=(300, 240)) for seed in range(12)]


def confirmed(images: list[Image.Image]) -> list[tuple[int, int, str]]:
    looks = np.stack([small(image) for image in images])
    return TurnedPictures(lambda chosen: looks[chosen], len(looks)).confirmed()


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_copy_is_found_and_told_in_words(pictures: list[Image.Image], name: str) -> None:
    change, words = CHANGES[name]
    ((earlier, later, how),) = confirmed([*pictures, change(pictures[ORIGINAL])])
    assert (earlier, later) == (ORIGINAL, len(pictures))
    assert words in how


def test_different_pictures_of_alike_bodies_are_no_copies(pictures: list[Image.Image]) -> None:
    assert confirmed(pictures) == []


def blurred_fundus(seed: int) -> Image.Image:
    """Five reflexes of a lens and a bright rim, and on one side only, another for each seed, some detail."""
    rows, columns = np.mgrid[:240, :240] - 119.5
    far = np.hypot(rows, columns) / 118
    values = np.where(far < 1, 60 + 400 * np.clip(far - 0.8, 0, None), 0)
    detail = np.asarray(picture(seed, body=seed, size=(240, 240)).convert("L")).astype(float)
    side = columns < -45 if seed else columns > 25
    values += 0.4 * np.where(side & (far < 0.8), detail - detail.mean(), 0)
    for row, column, size in [(-60, 4, 5), (20, -4, 4), (70, 2, 6), (-10, 6, 3), (45, -8, 3)]:
        values += 40 * np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * size * size))
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def test_two_fundi_of_which_the_rim_is_alike_are_no_copies() -> None:
    assert confirmed([blurred_fundus(0), blurred_fundus(1)]) == []


@pytest.mark.parametrize("count", [0, 1, 3])
def test_blank_pictures_have_nothing_to_compare(count: int) -> None:
    search = TurnedPictures(lambda chosen: np.full((len(chosen), SIDE, SIDE), 7, np.uint8), count)
    assert search.confirmed() == []


def test_the_origin_of_a_turned_copy_says_how_it_was_changed(tmp_path: Path, pictures: list[Image.Image]) -> None:
    images = [*pictures[:6], ImageOps.invert(pictures[ORIGINAL]).rotate(12, Image.Resampling.BICUBIC, fillcolor=255)]
    cases = []
    for number, image in enumerate(images):
        image.save(tmp_path / f"{number}.png")
        cases.append(Case(path=tmp_path / f"{number}.png", name=f"{number}.png", label="Normal"))
    manifest = Manifest(cases=tuple(cases), task=Task.of(("Normal", "Papilloma")))
    data_set = DataSet.open(manifest, Preprocessing(), folder=tmp_path / "store")
    found = find_copies(data_set, lambda: read_headers(manifest.paths))
    assert found.near == ((ORIGINAL, 6),)
    assert found.origin == {6: (ORIGINAL, "negative and turned by about 12 degrees, a near copy of")}
    assert found.changed == {6}
