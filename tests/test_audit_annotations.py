"""Marks burned into the pixels are found by kind, class and place, and pictures without any are left alone."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from overread.auditing import Finding, gather
from overread.auditing.rules.annotations import RULE
from overread.cases import Manifest, Source
from overread.images import DataSet, Preprocessing

SIDE, IMAGES = 448, 12
Draw = Callable[[ImageDraw.ImageDraw, int], None]


@functools.cache
def radiograph(seed: int, size: tuple[int, int] = (SIDE, SIDE)) -> Image.Image:
    """A bright body of smooth noise on black, with a few curved ribs."""
    rng = np.random.default_rng(seed)
    noise = Image.fromarray(rng.uniform(70, 200, (9, 9)).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    y, x = np.mgrid[: size[1], : size[0]] / min(size)
    body = np.clip(4 * (0.4 - np.abs(x - size[0] / min(size) / 2)), 0, 1)
    ribs = 20 * np.maximum(0, np.sin(40 * (y + 0.3 * (x - 0.5) ** 2 + rng.uniform(0, 1))))
    return Image.fromarray(np.clip(body * (np.asarray(noise) + ribs), 0, 255).astype(np.uint8)).convert("RGB")


@functools.cache
def ultrasound(seed: int) -> Image.Image:
    """A fan of speckle on black."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    fan = (np.abs(np.arctan2(x - 0.5, y + 0.1)) < 0.6) & (np.hypot(x - 0.5, y + 0.1) > 0.2)
    speckle = Image.fromarray((40 * np.minimum(rng.rayleigh(1, (SIDE // 3,) * 2), 4)).astype(np.uint8))
    return Image.fromarray((np.asarray(speckle.resize((SIDE, SIDE), 2)) * fan).astype(np.uint8)).convert("RGB")


@functools.cache
def tissue(seed: int) -> Image.Image:
    """Pink ground with dark nuclei and white gaps."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (SIDE, SIDE), (214, 150, 190))
    draw = ImageDraw.Draw(image)
    for x, y, radius, gap in rng.uniform((0, 0, 6, 0), (SIDE, SIDE, 14, 1), (120, 4)).tolist():
        fill = (245, 240, 245) if gap < 0.2 else (90, 40, 120)
        draw.ellipse((x - radius, y - 0.8 * radius, x + radius, y + 0.8 * radius), fill=fill)
    return image


def write(text: str, x: float, y: float, height: int = 22, fill: str = "white") -> Draw:
    """Text that begins at these parts of the picture."""
    font = ImageFont.load_default(height)
    return lambda draw, seed: draw.text((x * SIDE + seed % 5, y * SIDE + seed % 3), text, font=font, fill=fill)


def callipers(draw: ImageDraw.ImageDraw, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for x, y in (SIDE * rng.uniform((0.4, 0.4), (0.6, 0.8), (2, 2))).tolist():
        draw.line((x - 9, y, x + 9, y), fill="yellow", width=2)
        draw.line((x, y - 9, x, y + 9), fill="yellow", width=2)


def ruler(draw: ImageDraw.ImageDraw, _: int) -> None:
    for i in range(20):
        y = 30 + 20 * i
        draw.line((SIDE - 20, y, SIDE - (8 if i % 5 else 2), y), fill="white", width=2)


def grey_bar(draw: ImageDraw.ImageDraw, _: int) -> None:
    for y in range(200):
        draw.line((12, 60 + y, 21, 60 + y), fill=(255 - y,) * 3)


def found(
    folder: Path,
    pictures: Callable[[int], Image.Image],
    *,
    ill: Draw | None = None,
    well: Draw | None = None,
    per_patient: int = 1,
) -> dict[str, Finding]:
    """The findings by code on 12 pictures of each class, drawn on or not."""
    for number, (name, draw) in enumerate((("ill", ill), ("well", well))):
        (folder / "data" / name).mkdir(parents=True)
        for i in range(IMAGES):
            image = pictures(IMAGES * number + i).copy()
            if draw is not None:
                draw(ImageDraw.Draw(image), i)
            image.save(
                folder / "data" / name / f"p{number}{i // per_patient}_{i}.{'jpg' if i % 2 else 'png'}",
                quality=75,
                compress_level=1,
            )
    manifest = Manifest.read(Source(data=str(folder / "data"))).with_patient_pattern(r"^p\d+")
    data_set = DataSet.open(manifest, Preprocessing(), folder=folder / "store")
    return {finding.code: finding for finding in RULE.apply(gather(manifest, data_set))}


@pytest.mark.parametrize("pictures", [radiograph, ultrasound, tissue])
def test_pictures_without_marks_are_left_alone(tmp_path: Path, pictures: Callable[[int], Image.Image]) -> None:
    assert found(tmp_path, pictures) == {}


@pytest.mark.parametrize(
    ("pictures", "draw", "kind", "place"),
    [
        (radiograph, write("R", 0.05, 0.1, 36), "single letters", "top left"),
        (radiograph, write("L", 0.88, 0.15, 44, "yellow"), "single letters", "top right"),
        (ultrasound, write("MILLER A 12.04", 0.02, 0.02), "text", "top left"),
        (ultrasound, write("DEPTH 14 cm", 0.6, 0.93, fill="#c8c8c8"), "text", "bottom right"),
        (ultrasound, callipers, "crosses of callipers", ""),
        (ultrasound, ruler, "rulers", "right"),
        (radiograph, grey_bar, "grey bars", "left"),
    ],
)
def test_marks_are_found_as_what_they_are_with_their_place(
    tmp_path: Path, pictures: Callable[[int], Image.Image], draw: Draw, kind: str, place: str
) -> None:
    marked = found(tmp_path, pictures, ill=draw)["burned-in-annotations"]
    assert marked.severity == "info" and marked.count >= IMAGES - 2 and kind in marked.sentence
    assert ("may name a patient" in marked.sentence) == (kind == "text")
    rows = [row for row in marked.evidence if kind in row["mark"]]
    assert {row["class"] for row in rows} == {"ill"} and all("across" in row["box"] for row in rows)
    assert all(place in row["place"] for row in rows)


def test_a_class_that_alone_is_marked_is_warned_of(tmp_path: Path) -> None:
    warned = found(tmp_path, ultrasound, ill=callipers)["annotations-by-class"]
    assert warned.severity == "warn"
    assert "crosses of callipers" in warned.sentence and "images of ill and in 0 % of the others" in warned.sentence
    assert {row["class"]: row["with marks"] for row in warned.evidence}["well"] == "0"


def test_classes_that_are_marked_alike_are_no_warning(tmp_path: Path) -> None:
    marker = write("R", 0.05, 0.1, 36)
    assert set(found(tmp_path, radiograph, ill=marker, well=marker)) == {"burned-in-annotations"}


def test_many_images_of_few_patients_are_no_sure_sign(tmp_path: Path) -> None:
    marker = write("R", 0.05, 0.1, 36)
    assert set(found(tmp_path, radiograph, ill=marker, per_patient=6)) == {"burned-in-annotations"}


def test_the_place_is_one_in_the_picture_and_not_in_its_padding(tmp_path: Path) -> None:
    def wide(seed: int) -> Image.Image:
        return radiograph(seed, (2 * SIDE, SIDE))

    # In the upper quarter of the picture, which is the middle third of the square that it is padded to.
    marked = found(tmp_path, wide, ill=write("GAIN 52 DEPTH 9", 0.02, 0.05, 40))["burned-in-annotations"]
    assert {row["place"] for row in marked.evidence} == {"top left"}


def test_the_frame_of_a_machine_is_told_as_such(tmp_path: Path) -> None:
    def framed(draw: ImageDraw.ImageDraw, seed: int) -> None:
        write("ACME SONO 5", 0.02, 0.02)(draw, 0)
        write(f"IM {100 + 37 * seed}", 0.75, 0.93)(draw, 0)

    marked = found(tmp_path, ultrasound, ill=framed, well=framed)["burned-in-annotations"]
    assert "unchanged at one place, as in the frame of a machine: text at top left in 24." in marked.sentence
