"""Masks and annotated copies are told from pictures, and pictures of every kind are left alone."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from overread.auditing import Finding, Material
from overread.auditing.rules.masks import RULE
from overread.cases import Manifest, Source
from overread.demo.phantom import write_phantoms
from overread.formats import Header
from overread.images import DataSet, Preprocessing

PLAIN = Header(size_bytes=9000, suffix=".png", format="PNG", width=300, height=300, mode="L", bit_depth=8, frames=1)
SIZE = 224


def material(manifest: Manifest, store: Path) -> Material:
    data_set = DataSet.open(manifest, Preprocessing(height=SIZE, width=SIZE), folder=store, skip_unreadable=True)
    failures = dict(data_set.store.failures)
    return Material(manifest=manifest, headers=(PLAIN,) * len(manifest), data_set=data_set, failures=failures)


def found(folder: Path, *classes: str) -> dict[str, Finding]:
    """The findings by code on a folder of classes, which are named where their names do not tell that they are some."""
    source = Source(data=str(folder), mapping={name: name for name in classes})
    findings = RULE.apply(material(Manifest.read(source), folder.parent / "store"))
    assert all(finding.severity == "block" for finding in findings)
    return {finding.code: finding for finding in findings}


def named(finding: Finding) -> dict[str, tuple[str, str]]:
    """What each odd image is said to be, and the picture that it belongs to."""
    return {row["image"]: (row["reason"], row["picture"]) for row in finding.evidence}


def photograph(seed: int, *, colour: bool = False, size: int = 256) -> Image.Image:
    """Smooth noise: greys like a radiograph, or the reds of an endoscopy."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (12, 12)).astype(np.uint8)
    grey = Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC)
    if not colour:
        return grey
    values = np.asarray(grey).astype(np.float32)
    return Image.fromarray(np.stack([90 + 0.5 * values, 30 + 0.35 * values, 25 + 0.3 * values], 2).astype(np.uint8))


def outline(seed: int, size: int = 256) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 40)
    radius = size * rng.uniform(0.08, 0.2) * (1 + 0.2 * np.sin(3 * angle))
    x, y = rng.uniform(0.3, 0.7, 2) * size
    return list(zip((x + radius * np.cos(angle)).tolist(), (y + radius * np.sin(angle)).tolist(), strict=True))


def mask(seed: int, *levels: int, size: int = 256) -> Image.Image:
    """A shape for each level on black."""
    image = Image.new("L", (size, size))
    for number, level in enumerate(levels or (255,)):
        ImageDraw.Draw(image).polygon(outline(seed + 100 * number), fill=level)
    return image


def save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, compress_level=1)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("originals")
    for i in range(24):
        save(photograph(i), folder / ("Normal" if i < 12 else "Disease") / f"{i:02d}.png")
    return folder


@pytest.fixture
def pictures(originals: Path, tmp_path: Path) -> Path:
    """Twelve pictures each of Normal and Disease, named 00.png to 11.png and 12.png to 23.png."""
    return Path(shutil.copytree(originals, tmp_path / "data"))


def test_pictures_alone_are_no_finding(pictures: Path) -> None:
    assert found(pictures) == {}


@pytest.mark.parametrize("suffix", ["_mask.png", "-annotation.jpg", " (mask) 1.png", "_Segmentation.png", ".mask.png"])
def test_masks_named_after_their_picture_are_paired_with_it(pictures: Path, suffix: str) -> None:
    for i in (13, 14):
        save(mask(i), pictures / "Disease" / f"{i}{suffix}")
    finding = found(pictures)["mask-among-images"]
    assert finding.count == 2
    assert {image: picture for image, (_, picture) in named(finding).items()} == {
        f"Disease/{i}{suffix}": f"Disease/{i}.png" for i in (13, 14)
    }
    assert "2 of 26 images" in finding.sentence
    names = [case.name for case in Manifest.from_folder(pictures).cases]
    assert [[names[i] for i in group] for group in finding.groups] == [
        [f"Disease/{i}{suffix}", f"Disease/{i}.png"] for i in (13, 14)
    ]


def test_a_word_that_may_mean_something_else_needs_a_picture_or_few_levels(pictures: Path) -> None:
    for name in ("lumbar_segment_3.png", "label_7.png", "roi_4.png", "segmented_liver.png", "masked_man.png"):
        save(photograph(99), pictures / "Normal" / name)
    save(photograph(98), pictures / "Disease" / "12_roi.png")
    save(mask(97), pictures / "Disease" / "gt_x.png")
    assert named(found(pictures)["mask-among-images"]) == {
        "Disease/12_roi.png": ("'roi'", "Disease/12.png"),
        "Disease/gt_x.png": ("'gt'", ""),
    }


def test_an_annotated_picture_is_told_by_its_name_even_if_it_cannot_be_read(pictures: Path) -> None:
    (pictures / "Disease" / "lost_annotation.png").write_bytes(b"no image")
    assert named(found(pictures)["mask-among-images"]) == {"Disease/lost_annotation.png": ("'annotation'", "")}


def test_a_word_that_most_names_have_tells_nothing(tmp_path: Path) -> None:
    for i in range(12):
        save(photograph(i), tmp_path / "data" / ("with_mask" if i < 6 else "without_mask") / f"mask_{i}.png")
        save(photograph(i + 50), tmp_path / "data" / ("with_mask" if i < 6 else "without_mask") / f"mask_b{i}.png")
    assert found(tmp_path / "data") == {}


def test_a_word_that_many_names_have_tells_nothing_either(pictures: Path) -> None:
    for i in range(24):
        (pictures / ("Normal" if i < 12 else "Disease") / f"{i:02d}.png").rename(
            pictures / ("Normal" if i < 12 else "Disease") / f"mask{i}{'' if i % 4 else 'b'}.png"
        )
    save(photograph(30), pictures / "Normal" / "plain.png")
    assert found(pictures) == {}


def test_no_picture_is_named_where_several_could_be_meant(tmp_path: Path) -> None:
    for i in range(8):
        for site in ("one", "two"):
            save(photograph(i), tmp_path / "data" / site / f"{i}.png")
        save(mask(i), tmp_path / "data" / "masks" / f"{i}.png")
    finding = found(tmp_path / "data", "one", "two", "masks")["mask-among-images"]
    assert named(finding)["masks/3.png"] == ("'masks' in the name of its folder", "")


def test_masks_in_a_folder_beside_that_of_the_pictures_are_paired(tmp_path: Path) -> None:
    for i in range(12):
        label = "Normal" if i < 6 else "COVID"
        save(photograph(i), tmp_path / "data" / label / "images" / f"{label}-{i}.png")
        save(mask(i), tmp_path / "data" / label / "masks" / f"{label}-{i}.png")
    finding = found(tmp_path / "data")["mask-among-images"]
    assert finding.count == 12
    assert named(finding)["COVID/masks/COVID-7.png"] == (
        "'masks' in the name of its folder",
        "COVID/images/COVID-7.png",
    )


def test_folders_of_images_and_of_masks_are_not_taken_for_classes(tmp_path: Path) -> None:
    for i in range(8):
        save(photograph(i), tmp_path / "data" / "images" / f"{i}.png")
        save(mask(i), tmp_path / "data" / "masks" / f"{i}.png")
    finding = found(tmp_path / "data", "images", "masks")["mask-among-images"]
    assert named(finding)["masks/3.png"] == ("'masks' in the name of its folder", "images/3.png")
    assert finding.count == 8


def test_a_picture_of_the_same_name_in_another_patients_folder_is_not_paired(tmp_path: Path) -> None:
    for i in range(8):
        for patient in ("p1", "p2"):
            save(photograph(i), tmp_path / "data" / ("a" if i < 4 else "b") / patient / f"{i}.png")
    dark = Image.fromarray(np.random.default_rng(0).integers(0, 4, (256, 256), np.uint8))
    save(dark, tmp_path / "data" / "a" / "p1" / "2.png")
    assert found(tmp_path / "data") == {}


MASKS: dict[str, Callable[[int], Image.Image]] = {
    "small": lambda seed: mask(seed, size=1000),
    "two shapes": lambda seed: mask(seed, 255, 255),
    "white ground": lambda seed: Image.fromarray(255 - np.asarray(mask(seed))),
    "grey on grey": lambda seed: Image.fromarray(60 + np.asarray(mask(seed)) // 3),
    "of one bit": lambda seed: mask(seed).convert("1"),
    "blue": lambda seed: Image.merge("RGB", (*[Image.new("L", (256, 256))] * 2, mask(seed))),
    "red": lambda seed: Image.merge(
        "RGB", (mask(seed).point(lambda level: level // 2), *[Image.new("L", (256, 256))] * 2)
    ),
    "wide": lambda seed: mask(seed).resize((500, 150)),
    "cells": lambda seed: photograph(seed).point(lambda level: 255 * (level > 170)),
}


def test_unnamed_masks_are_told_by_their_levels(pictures: Path) -> None:
    names = [f"{kind}.{suffix}" for kind in MASKS for suffix in ("png", "jpg")]
    for i, name in enumerate(names):
        save(MASKS[name[:-4]](i), pictures / "Disease" / name)
    finding = found(pictures)["mask-among-images"]
    assert named(finding) == {f"Disease/{name}": ("few grey levels", "") for name in names}
    assert finding.groups == tuple((i,) for i in range(12, 12 + len(names)))


@pytest.mark.parametrize("levels", [(60, 120, 180, 240), (1, 2, 3)])
def test_a_label_map_needs_a_picture_of_the_same_name(pictures: Path, levels: tuple[int, ...]) -> None:
    save(mask(3, *levels), pictures / "Disease" / "alone.png")
    assert found(pictures) == {}
    save(mask(3, *levels), pictures / "Disease" / "img_15.png")
    assert named(found(pictures)["mask-among-images"]) == {"Disease/img_15.png": ("few grey levels", "Disease/15.png")}


def ultrasound(seed: int) -> Image.Image:
    """A speckled fan on black with a flat panel, as screen captures have."""
    speckle = np.random.default_rng(seed).rayleigh(30, (256, 256)).clip(0, 255)
    y, x = np.mgrid[:256, :256]
    speckle[(np.hypot(y - 20, x - 128) > 120) | (np.abs(x - 128) > y)] = 0
    speckle[235:] = 64
    return Image.fromarray(speckle.astype(np.uint8))


def specks(seed: int, *, count: int, radius: float, softness: float) -> np.ndarray:
    """`(256, 256)` from 0 to 1: roundish spots, each of a brightness of its own, with soft rims."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:256, :256]
    shown = np.zeros((256, 256))
    for _ in range(count):
        away = np.hypot(*((grid - rng.uniform(10, 246)) * rng.uniform(0.7, 1.3) for grid in (y, x)))
        shown = np.maximum(shown, rng.uniform(0.4, 1) / (1 + np.exp((away - radius) / softness)))
    return shown


def fluorescence(seed: int) -> Image.Image:
    """Nuclei in blue on black, as a stain of DNA shows them."""
    blue = Image.fromarray((170 * specks(seed, count=12, radius=8, softness=1)).astype(np.uint8))
    return Image.merge("RGB", (*[Image.new("L", blue.size)] * 2, blue))


def empty_tile(seed: int) -> Image.Image:
    """The glass of a slide with a few specks of dust."""
    ground = 243 + np.random.default_rng(seed).normal(0, 0.8, (256, 256))
    return Image.fromarray((ground - 150 * specks(seed, count=3, radius=2, softness=1)).astype(np.uint8))


PICTURES: dict[str, Callable[[int], Image.Image]] = {
    "ultrasound": ultrasound,
    "fluorescence": fluorescence,
    "empty tile": empty_tile,
    "dark": lambda seed: photograph(seed).point(lambda level: level // 12),
    "faint": lambda seed: photograph(seed).point(lambda level: 120 + level // 20),
    "small on black": lambda seed: photograph(seed).resize((70, 70)).crop((-90, -90, 166, 166)),
    "overexposed": lambda seed: photograph(seed).point(lambda level: min(255, 2 * level)),
    "hard": lambda seed: photograph(seed).point(lambda level: min(255, max(0, 3 * level - 250))),
    "blank": lambda seed: Image.new("L", (256, 256), 200),
    "noise": lambda seed: Image.fromarray(np.random.default_rng(seed).integers(0, 256, (256, 256), np.uint8)),
}  # fmt: skip


def test_unusual_pictures_are_no_masks(pictures: Path) -> None:
    for kind, seed in itertools.product(PICTURES, range(3)):
        save(PICTURES[kind](seed), pictures / "Disease" / f"{kind}{seed}.png")
    assert found(pictures) == {}


def test_a_picture_with_a_black_margin_beside_another_of_its_name_is_no_mask(pictures: Path) -> None:
    save(PICTURES["small on black"](15), pictures / "Disease" / "img_15.png")
    assert found(pictures) == {}


def test_binary_images_that_are_the_modality_are_no_masks(tmp_path: Path) -> None:
    for i in range(12):
        image = photograph(i) if i % 6 == 0 else mask(i)
        save(image, tmp_path / "data" / ("Normal" if i < 6 else "Disease") / f"{i}.png")
    assert found(tmp_path / "data") == {}


def test_a_class_that_holds_many_binary_images_is_not_one_of_masks(tmp_path: Path) -> None:
    for i in range(20):
        save(mask(i) if i < 12 else photograph(i), tmp_path / "data" / ("Disease" if i < 18 else "Normal") / f"{i}.png")
    assert found(tmp_path / "data") == {}


def test_a_class_of_nothing_but_masks_is_told_however_large(tmp_path: Path) -> None:
    for i in range(12):
        save(photograph(i) if i < 4 else mask(i), tmp_path / "data" / ("Normal" if i < 4 else "Disease") / f"{i}.png")
    assert found(tmp_path / "data")["mask-among-images"].count == 8


def draw(image: Image.Image, kind: str, colour: tuple[int, int, int], seed: int) -> Image.Image:
    """A copy with a mark of one kind."""
    image, points = image.convert("RGB"), outline(seed)
    layer = image.copy()
    if kind in ("outline", "thin"):
        ImageDraw.Draw(layer).line(points, colour, 4 if kind == "outline" else 1)
    elif kind == "arrow":
        ImageDraw.Draw(layer).line([points[0], points[15]], colour, 7)
    else:
        ImageDraw.Draw(layer).polygon(points, colour)
    return Image.blend(image, layer, 0.4) if kind == "translucent" else layer


@pytest.mark.parametrize("in_colour", [False, True])
def test_coloured_marks_on_a_copy_are_told_and_the_picture_is_named(tmp_path: Path, in_colour: bool) -> None:
    for i in range(24):
        label = "Normal" if i < 12 else "Disease"
        save(photograph(i, colour=in_colour), tmp_path / "data" / label / f"{i}.png")
    colours, truth = [(0, 255, 0), (0, 0, 255), (0, 255, 255) if in_colour else (255, 0, 0)], {}
    shapes = ["outline", "arrow", "filled", "translucent" if in_colour else "thin"]
    kinds = itertools.product(shapes, colours, ["png", "jpg"])
    for i, (kind, colour, suffix) in enumerate(kinds):
        name = f"Disease/view-{i:02d}.{suffix}"
        save(draw(photograph(i, colour=in_colour), kind, colour, seed=i), tmp_path / "data" / name)
        truth[name] = ("coloured marks", f"{'Normal' if i < 12 else 'Disease'}/{i}.png")
    assert named(found(tmp_path / "data")["overlay-among-images"]) == truth


def test_marks_are_told_on_pictures_that_are_vivid_themselves(tmp_path: Path) -> None:
    for i in range(12):
        glow = photograph(i).point(lambda level: 165 + level // 3)
        picture = Image.merge("RGB", (Image.new("L", glow.size, 5), glow, Image.new("L", glow.size, 9)))
        save(picture, tmp_path / "data" / ("Normal" if i < 6 else "Disease") / f"{i}.png")
        if i == 7:
            save(draw(picture, "outline", (255, 0, 0), seed=0), tmp_path / "data" / "Disease" / "view.png")
    finding = found(tmp_path / "data")["overlay-among-images"]
    assert named(finding) == {"Disease/view.png": ("coloured marks", "Disease/7.png")}


def skin(seed: int, *, moles: int = 1, size: int = SIZE) -> Image.Image:
    """Pink skin with grain, and a red mole without a hard edge."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    grain = Image.fromarray(rng.normal(0, 4, (60, 60)).astype(np.float32))
    pixels = np.array([238, 160, 165]) + np.asarray(grain.resize((size, size), Image.Resampling.BICUBIC))[..., None]
    for _ in range(moles):
        distance = np.hypot(x - rng.uniform(0.3, 0.7), y - rng.uniform(0.3, 0.7)) / rng.uniform(0.08, 0.2)
        mole = 1 / (1 + np.exp(8 * (distance - 1)))[..., None]
        pixels = pixels * (1 - mole) + np.array([190, 40, 35]) * mole
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def test_moles_on_like_skin_are_no_marks_painted_on_one_another(tmp_path: Path) -> None:
    for i in range(24):
        save(skin(i), tmp_path / "data" / ("Normal" if i < 12 else "Disease") / f"{i}.png")
    for i in range(4):  # another mole on the same skin, of colours that this skin has
        save(skin(i, moles=2), tmp_path / "data" / "Disease" / f"two{i}.png")
    assert found(tmp_path / "data") == {}


@pytest.mark.parametrize("colour", [(0, 255, 0), (0, 120, 255), (255, 255, 0), (160, 0, 255)])
def test_a_mark_of_any_colour_on_skin_is_told_even_where_a_jpeg_has_blurred_it(
    tmp_path: Path, colour: tuple[int, int, int]
) -> None:
    for i in range(8):
        save(skin(i), tmp_path / "data" / ("Normal" if i < 4 else "Disease") / f"{i}.png")
    truth = {}
    for i, (kind, suffix) in enumerate(
        itertools.product(("outline", "arrow", "filled", "translucent"), ("jpg", "png"))
    ):
        name = f"Disease/{kind}.{suffix}"
        draw(skin(i), kind, colour, seed=5 + i).save(tmp_path / "data" / name, quality=70)
        truth[name] = ("coloured marks", f"{'Normal' if i < 4 else 'Disease'}/{i}.png")
    assert named(found(tmp_path / "data")["overlay-among-images"]) == truth


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "equal": lambda image: image,
    "brighter": lambda image: image.point(lambda level: min(255, int(1.1 * level))),
    "noisy": lambda image: ImageChops.add(image, Image.effect_noise(image.size, 6).convert("RGB"), offset=-128),
    "shifted": lambda image: image.crop((2, 0, 258, 256)),
    "turned": lambda image: image.rotate(1, Image.Resampling.BILINEAR),
    "more saturated": lambda image: ImageEnhance.Color(image).enhance(2),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "solarised": lambda image: ImageOps.solarize(image, 150),
    "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(3, 250)),
    "captioned": lambda image: captioned(image),
    "bluer": lambda image: Image.merge("RGB", (*image.split()[:2], image.split()[2].point(lambda level: level + 9))),
}


def captioned(image: Image.Image) -> Image.Image:
    image = image.copy()
    ImageDraw.Draw(image).text((100, 120), "12 MAY LEFT", (255, 255, 255))
    return image


def test_copies_without_coloured_marks_are_no_overlays(tmp_path: Path) -> None:
    for number, picture in enumerate((lambda seed: photograph(seed, colour=True), skin)):
        data = tmp_path / str(number) / "data"
        for i in range(16):
            save(picture(i), data / ("Normal" if i < 8 else "Disease") / f"{i}.png")
        for i, change in enumerate(CHANGES):
            save(CHANGES[change](picture(i)), data / "Disease" / f"{change}.png")
        assert found(data) == {}


def test_a_picture_with_marks_of_its_own_and_no_copy_without_is_no_overlay(tmp_path: Path) -> None:
    for i in range(16):
        image = draw(photograph(i), "filled", (0, 255, 0), seed=i) if i % 2 else photograph(i)
        save(image, tmp_path / "data" / ("Normal" if i < 8 else "Disease") / f"{i}.png")
    assert found(tmp_path / "data") == {}


def test_computer_made_phantoms_hold_no_mask(tmp_path: Path) -> None:
    assert found(write_phantoms(tmp_path / "data", patients=8, size=96)) == {}


@pytest.mark.parametrize(("name", "every"), [("larynx_vocalfolds", 1), ("chest_xray", 20)])
def test_real_images_hold_no_mask(shared_data: Path, tmp_path: Path, name: str, every: int) -> None:
    manifest = Manifest.read(shared_data / name)
    assert RULE.apply(material(manifest.replace(manifest.cases[::every]), tmp_path)) == []
