"""Shortcuts: each planted property is found and named, noise and what only tells patients apart are not."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.auditing import Finding, Material
from overread.auditing.rules.shortcuts import RULE
from overread.auditing.rules.shortcuts.file_properties import folder_properties, header_properties
from overread.auditing.rules.shortcuts.folds import FoldedCases
from overread.auditing.rules.shortcuts.pixel_properties import pixel_properties
from overread.auditing.rules.shortcuts.predictability import Predictability, measure_properties
from overread.cases import Case, Manifest
from overread.decision import Task
from overread.formats import Header
from overread.images import DataSet, PixelStore, Preprocessing

Change = Callable[[np.random.Generator, bool], Mapping[str, Any]]
HEADER = Header(
    size_bytes=1000, suffix=".jpg", format="JPEG", width=48, height=48, mode="L", bit_depth=8, frames=1,
    has_alpha=False, jpeg_quantiser=None, manufacturer="", has_position=False, identifying_tags=0,
)  # fmt: skip
SIZE = 48


def make_material(
    labels: Sequence[str],
    *,
    patients: Sequence[str | None] | None = None,
    headers: Sequence[Mapping[str, Any]] | None = None,
    pixels: np.ndarray | None = None,
    names: Sequence[str] | None = None,
    sides: Sequence[str | None] | None = None,
) -> Material:
    """Material with a patient for each image, equal headers and black images unless told otherwise."""
    n = len(labels)
    patients = [f"patient-{i}" for i in range(n)] if patients is None else patients
    headers, sides = headers or [{}] * n, sides or [None] * n
    names = names or [f"{label}/{i}.png" for i, label in enumerate(labels)]
    pixels = np.zeros((n, 8, 8, 1), np.uint8) if pixels is None else pixels
    cases = tuple(
        Case(path=Path(name), name=name, label=label, patient_id=patient, split=side)
        for name, label, patient, side in zip(names, labels, patients, sides, strict=True)
    )
    manifest = Manifest(cases=cases, task=Task.of(sorted(set(labels))))
    preprocessing = Preprocessing(height=pixels.shape[1], width=pixels.shape[2], channels=pixels.shape[3])
    store = PixelStore(pixels, ("",) * n, {}, preprocessing, Path("none.npy"))  # type: ignore[arg-type]
    return Material(
        manifest=manifest,
        headers=tuple(dataclasses.replace(HEADER, **header) for header in headers),
        data_set=DataSet(manifest=manifest, store=store, rows=np.arange(n), failures={}),
        failures={},
    )


def two_classes(n: int = 120) -> list[str]:
    return ["healthy", "ill"] * (n // 2)


def noise_images(n: int, seed: int = 0, channels: int = 1) -> np.ndarray:
    """Patches of grey with noise, unrelated to any class."""
    random = np.random.default_rng(seed)
    coarse = random.normal(110, 20, (n, 6, 6, 1)).repeat(SIZE // 6, 1).repeat(SIZE // 6, 2)
    return np.clip(coarse + random.normal(0, 8, (n, SIZE, SIZE, channels)), 0, 255).astype(np.uint8)


def measured(material: Material) -> list[Predictability]:
    return measure_properties(material, FoldedCases(material.data_set.manifest))


def by_code(material: Material) -> dict[str, Finding]:
    return {finding.code: finding for finding in RULE.apply(material)}


def mostly(random: np.random.Generator, is_ill: bool, ill: Any, healthy: Any) -> Any:
    return ill if (random.random() < 0.93) == is_ill else healthy


PLANTED: dict[str, tuple[str, Change]] = {
    "bytes": ("size of the file", lambda random, ill: {"size_bytes": int(random.normal(5000 - 1800 * ill, 600))}),
    "bytes-per-pixel": (
        "bytes for each pixel",
        lambda random, ill: (
            lambda w: {"width": w, "height": w, "size_bytes": int(w * w * random.normal(1 + ill, 0.3))}
        )(int(random.integers(200, 2000))),
    ),
    "width": ("width", lambda random, ill: {"width": int(random.normal(600 + 200 * ill, 60))}),
    "height": ("height", lambda random, ill: {"height": int(random.normal(600 + 200 * ill, 60))}),
    "aspect": (
        "ratio of width to height",
        lambda random, ill: (lambda w: {"width": w, "height": int(w * random.normal(1 + 0.3 * ill, 0.1))})(
            int(random.integers(200, 2000))
        ),
    ),
    "format": ("file format", lambda random, ill: {"format": mostly(random, ill, "JPEG", "PNG")}),
    "extension": ("ending of the file name", lambda random, ill: {"suffix": mostly(random, ill, ".jpg", ".jpeg")}),
    "mode": ("colour mode", lambda random, ill: {"mode": mostly(random, ill, "RGB", "L")}),
    "bit-depth": ("bits a channel", lambda random, ill: {"bit_depth": mostly(random, ill, 16, 8)}),
    "alpha": ("transparency", lambda random, ill: {"has_alpha": mostly(random, ill, True, False)}),
    "jpeg-quantiser": ("JPEG compression", lambda random, ill: {"jpeg_quantiser": random.normal(20 + 9 * ill, 3)}),
    "manufacturer": ("maker", lambda random, ill: {"manufacturer": mostly(random, ill, "Acme", "Zenith")}),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_property_of_the_file_that_goes_with_the_class_is_found_and_named(name: str) -> None:
    words, change = PLANTED[name]
    random, labels = np.random.default_rng(1), two_classes()
    found = by_code(make_material(labels, headers=[change(random, label == "ill") for label in labels]))
    finding = found[f"shortcut-{name}"]
    assert finding.severity == "warn" and finding.count == 120
    assert words in finding.sentence and "ill can be told from healthy" in finding.sentence
    assert [row["class"] for row in finding.evidence] == ["healthy", "ill"]
    # Two numbers make the others, so those come along; nothing else may.
    related = (
        {"bytes-per-pixel", "width", "height", "aspect", "header"} if name in ("width", "height", "aspect") else {}
    )
    assert set(found) <= {f"shortcut-{other}" for other in (name, *related)}


def test_the_folder_below_the_class_is_found_where_the_classes_share_folders() -> None:
    random, labels = np.random.default_rng(2), two_classes()
    sources = [mostly(random, label == "ill", "north", "south") for label in labels]
    names = [f"train/{label}/{source}/{i}.png" for i, (label, source) in enumerate(zip(labels, sources, strict=True))]
    finding = by_code(make_material(labels, names=names))["shortcut-source-folder"]
    assert "north 9" in finding.evidence[1]["values"] and "south 9" in finding.evidence[0]["values"]


def test_a_folder_of_each_class_and_one_of_each_subtype_are_no_source() -> None:
    labels = two_classes()
    of_class = [f"{'pos' if label == 'ill' else 'neg'}/{i}.png" for i, label in enumerate(labels)]
    subtypes = [f"ill/kind{i % 3}/{i}.png" if label == "ill" else f"healthy/{i}.png" for i, label in enumerate(labels)]
    for names in (of_class, subtypes):
        assert folder_properties(make_material(labels, names=names)) == []
    coarser = [f"{'normal' if label == 'healthy' else 'pneumonia'}/{i}.png" for i, label in enumerate(labels)]
    three = ["virus" if i % 4 == 1 else "bacteria" if label == "ill" else label for i, label in enumerate(labels)]
    assert folder_properties(make_material(three, names=coarser)) == []
    folders = [f"{label}/{i // 4}/{i}.png" for i, label in enumerate(labels)]
    assert folder_properties(make_material(labels, names=folders, patients=[None] * 120)) == []
    assert folder_properties(make_material(labels, names=folders)) != []


def brighter(image: np.ndarray, random: np.random.Generator) -> None:
    image[:] = np.clip(image + random.normal(35, 10), 0, 255)


def starker(image: np.ndarray, random: np.random.Generator) -> None:
    image[:] = np.clip((image - image.mean()) * random.normal(2.2, 0.2) + image.mean(), 0, 255)


def framed(image: np.ndarray, random: np.random.Generator) -> None:
    image[: random.integers(3, 7)] = 0
    image[:, -random.integers(3, 7) :] = 0


def lettered(image: np.ndarray, random: np.random.Generator) -> None:
    row, column = random.integers(2, 30), random.integers(1, 4)
    image[row - 2 : row + 10, column - 1 : column + 5] //= 4
    image[row : row + 7, column] = image[row, column : column + 3] = 255


def cornered(image: np.ndarray, random: np.random.Generator) -> None:
    image[:6, :6] = np.clip(image[:6, :6] + random.normal(70, 10), 0, 255)
    image[-6:, -6:] = np.clip(image[-6:, -6:] - random.normal(70, 10), 0, 255)


def redder(image: np.ndarray, random: np.random.Generator) -> None:
    image[..., 0] = np.clip(image[..., 0] + random.normal(30, 5), 0, 255)
    image[..., 2] = np.clip(image[..., 2] - random.normal(30, 5), 0, 255)


@pytest.mark.parametrize(
    ("name", "spoil", "channels"),
    [
        ("brightness", brighter, 1), ("contrast", starker, 1), ("border", framed, 1), ("marks", lettered, 1),
        ("corners", cornered, 1), ("colour", redder, 3),
    ],
)  # fmt: skip
def test_a_look_of_the_images_that_goes_with_the_class_is_found(name: str, spoil: Any, channels: int) -> None:
    random, labels, pixels = np.random.default_rng(3), two_classes(), noise_images(120, channels=channels)
    for image, label in zip(pixels, labels, strict=True):
        if mostly(random, label == "ill", True, False):
            spoil(image, random)
    finding = by_code(make_material(labels, pixels=pixels))[f"shortcut-{name}"]
    assert ("the disease itself" in finding.sentence) == (name == "corners")
    assert ("what the disease looks like" in finding.sentence) == (name in ("brightness", "contrast", "colour"))
    assert ("To tell the two apart" in finding.fix) == (name in ("brightness", "contrast", "colour"))


def test_sixty_images_are_enough_for_corners_whose_grey_values_are_more_than_the_images() -> None:
    random, labels, pixels = np.random.default_rng(15), two_classes(60), noise_images(60)
    for image, label in zip(pixels, labels, strict=True):
        if label == "ill":
            cornered(image, random)
    assert by_code(make_material(labels, pixels=pixels))["shortcut-corners"].evidence[0]["strength"] != "marked"


def test_a_middle_value_between_two_others_is_found_although_no_direction_tells_it() -> None:
    random, labels = np.random.default_rng(4), two_classes(200)
    far = random.choice([-300, 300], 200) + random.normal(0, 40, 200)
    near = random.normal(0, 60, 200)
    widths = [int(800 + (near if label == "ill" else far)[i]) for i, label in enumerate(labels)]
    assert "shortcut-width" in by_code(make_material(labels, headers=[{"width": width} for width in widths]))


def sized(labels: Sequence[str], size_of: Callable[[np.random.Generator, str, int], int]) -> dict[str, Finding]:
    """The findings on square images of one size each."""
    random = np.random.default_rng(15)
    sizes = [size_of(random, label, i) for i, label in enumerate(labels)]
    return by_code(make_material(labels, headers=[{"width": size, "height": size} for size in sizes]))


def test_a_size_that_one_class_alone_has_is_found_among_sizes_close_to_it() -> None:
    labels = ["a"] * 400 + ["b"] * 800

    def size_of(random: np.random.Generator, label: str, i: int) -> int:
        return 1024 if label == "a" else int(random.choice([*range(900, 1024), *range(1025, 1150)]))

    finding = sized(labels, size_of)["shortcut-size"]
    assert "All 400 images of a are 1024 x 1024 pixels, and none of the 800 of b." in finding.sentence
    assert "all but gives the class away" in finding.sentence


def test_a_size_that_part_of_a_class_alone_has_is_found_however_low_its_auc() -> None:
    labels = ["a"] * 400 + ["b"] * 800

    def size_of(random: np.random.Generator, label: str, i: int) -> int:
        return 1024 if i < 120 else int(random.choice([*range(900, 1024), *range(1025, 1150)]))

    found = sized(labels, size_of)
    assert list(found) == ["shortcut-size"]
    assert "120 of 400 images of a are 1024 x 1024 pixels, and none of the 800 of b." in found["shortcut-size"].sentence
    assert "Those can be told by the width and height" in found["shortcut-size"].sentence


def test_a_size_that_every_image_of_one_class_has_gives_the_others_of_the_other_away() -> None:
    labels = ["a"] * 400 + ["b"] * 400

    def size_of(random: np.random.Generator, label: str, i: int) -> int:
        return 512 if label == "a" or i % 2 else int(random.integers(200, 800))

    assert "All 400 images of a are 512 x 512 pixels, and 20" in sized(labels, size_of)["shortcut-size"].sentence


def test_a_size_that_one_patient_alone_has_gives_nothing_away() -> None:
    labels = ["a"] * 100 + ["b"] * 100
    patients = ["p0" if i < 40 else f"p{i}" for i in range(200)]
    headers = [{"width": 1024 if i < 40 else 500 + i % 50} for i in range(200)]
    assert by_code(make_material(labels, patients=patients, headers=headers)) == {}


def test_of_width_height_and_shape_the_plainest_is_told_and_the_others_with_it() -> None:
    labels = ["a"] * 100 + ["b"] * 100
    random = np.random.default_rng(16)
    headers = [
        {"width": 640, "height": 480}
        if label == "a"
        else {"width": int(random.integers(300, 600)), "height": int(random.integers(500, 900))}
        for label in labels
    ]
    found = by_code(make_material(labels, headers=headers))
    assert not {"shortcut-width", "shortcut-height", "shortcut-aspect"} & set(found)
    assert "All 100 images of a are 640 x 480 pixels, and none of the 100 of b." in found["shortcut-size"].sentence
    assert "can be told from the width of the stored image, the height" in found["shortcut-size"].sentence


@pytest.mark.parametrize(("kind", "severity"), [("PNG", "info"), ("TIFF", "info"), ("BMP", "info"), ("JPEG", "warn")])
def test_the_bytes_of_files_that_are_stored_alike_and_without_loss_are_content(kind: str, severity: str) -> None:
    random, labels = np.random.default_rng(17), two_classes()
    headers = [{"format": kind, "size_bytes": int(random.normal(5000 - 1800 * (x == "ill"), 600))} for x in labels]
    finding = by_code(make_material(labels, headers=headers))["shortcut-bytes"]
    assert finding.severity == severity
    assert ("content, as the pixels are" in finding.sentence) == (severity == "info")
    mixed = [{**header, "width": 48 + i % 2, "height": 48} for i, header in enumerate(headers)]
    assert by_code(make_material(labels, headers=mixed))["shortcut-bytes"].severity == "warn"


def test_properties_that_tell_little_alone_and_much_together_are_one_finding() -> None:
    random, labels = np.random.default_rng(5), two_classes(300)
    headers = [
        {
            "size_bytes": int(random.normal(5000 + 400 * (label == "ill"), 600)),
            "jpeg_quantiser": random.normal(20 + 3 * (label == "ill"), 6),
            "mode": "L" if random.random() < 0.35 + 0.3 * (label == "ill") else "RGB",
        }
        for label in labels
    ]
    found = by_code(make_material(labels, headers=headers))
    assert list(found) == ["shortcut-header"]
    sentence = found["shortcut-header"].sentence
    assert "all properties of the file together, above all " in sentence
    assert all(part in sentence for part in ("size of the file", "strength of the JPEG", "colour mode"))


def test_what_repeats_another_property_is_said_once() -> None:
    random, labels = np.random.default_rng(6), two_classes()
    png = {"format": "PNG", "suffix": ".png", "mode": "RGB"}
    found = by_code(make_material(labels, headers=[mostly(random, label == "ill", png, {}) for label in labels]))
    assert list(found) == ["shortcut-format"]
    assert "In step with it: the ending of the file name, the colour mode" in found["shortcut-format"].sentence


def test_from_0_9_the_sentence_says_that_the_class_is_all_but_given_away() -> None:
    random, labels = np.random.default_rng(7), two_classes(400)
    for shift, is_strong in ((1.1, False), (2.6, True)):
        sizes = [{"size_bytes": int(1000 * random.normal(9 + shift * (label == "ill"), 1))} for label in labels]
        finding = by_code(make_material(labels, headers=sizes))["shortcut-bytes"]
        assert ("all but gives the class away" in finding.sentence) == is_strong
        assert finding.evidence[0]["strength"] == ("all but gives the class away" if is_strong else "marked")


def noise_study(seed: int) -> Material:
    """40 to 60 patients, 2 images each, whose headers and brightness vary by patient and not by class."""
    random = np.random.default_rng(seed)
    count = int(random.integers(40, 61))
    patient = np.arange(count).repeat(2)
    labels = [("healthy", "ill")[i] for i in random.permutation(np.arange(count) % 2)[patient]]
    drawn = {
        "size_bytes": random.lognormal(9, 0.3, count).astype(int), "width": 40 * random.integers(5, 20, count),
        "height": 40 * random.integers(5, 20, count), "manufacturer": random.choice(["A", "B", "C"], count),
        "mode": random.choice(["L", "RGB"], count), "jpeg_quantiser": random.choice([8.0, 16.0, 20.0], count),
    }  # fmt: skip
    headers = [{name: values[p].item() for name, values in drawn.items()} for p in patient]
    pixels = np.clip(
        random.normal(random.normal(110, 20, count)[patient, None, None, None], 30, (2 * count, 16, 16, 1)), 0, 255
    )
    return make_material(labels, patients=[f"p{p}" for p in patient], headers=headers, pixels=pixels.astype(np.uint8))


def test_clean_noise_is_hardly_ever_called_a_shortcut() -> None:
    alarms = sum(bool(RULE.apply(noise_study(seed))) for seed in range(40))
    assert alarms <= 4


@pytest.mark.slow
def test_of_200_clean_studies_at_most_ten_give_an_alarm() -> None:
    alarms = sum(bool(RULE.apply(noise_study(seed))) for seed in range(200))
    assert alarms <= 10


def study_of_many_classes(seed: int, *, told: float = 0) -> Material:
    """12 images of each of 16 classes with properties that tell none, but for the compression of one where wanted."""
    random, labels = np.random.default_rng(seed), [f"kind {i % 16:02d}" for i in range(192)]
    headers = [
        {
            "width": int(random.choice([512, 640, 800, 1024])), "height": int(random.choice([512, 600, 768])),
            "size_bytes": int(random.lognormal(9, 0.3)), "manufacturer": str(random.choice(["A", "B", "C"])),
            "jpeg_quantiser": float(random.normal(20 + told * (label == "kind 03"), 4)),
        }
        for label in labels
    ]  # fmt: skip
    return make_material(labels, headers=headers, pixels=noise_images(192, seed)[:, ::6, ::6])


def test_of_many_small_classes_none_is_told_by_chance_and_one_that_is_told_is_found() -> None:
    # One figure at a time, each of these passed for a shortcut.
    assert [by_code(study_of_many_classes(seed)) for seed in (3, 4, 18, 19)] == [{}] * 4
    finding = by_code(study_of_many_classes(3, told=9))["shortcut-jpeg-quantiser"]
    assert "kind 03 can be told from the other classes" in finding.sentence


@pytest.mark.slow
def test_of_60_clean_studies_of_many_small_classes_at_most_three_give_an_alarm() -> None:
    assert sum(bool(by_code(study_of_many_classes(seed))) for seed in range(100, 160)) <= 3


def patient_widths(seed: int, *, named: bool, as_images: bool = False) -> Material:
    """24 patients of 10 images, each patient with a width and a height of his own, which tell nothing of the class."""
    random = np.random.default_rng(seed)
    patient = np.arange(24).repeat(10)
    labels = [("healthy", "ill")[p % 2] for p in patient]
    widths, heights = (random.permutation(24) * 30 + 200 for _ in range(2))
    headers = [{"width": int(widths[p]), "height": int(heights[p])} for p in patient]
    names = [f"{label}/{p:02d}_{i:03d}.png" for i, (label, p) in enumerate(zip(labels, patient, strict=True))]
    patients = [f"image {i}" if as_images else f"p{p}" if named else None for i, p in enumerate(patient)]
    return make_material(labels, patients=patients, headers=headers, names=names)


def test_what_only_tells_patients_apart_is_found_only_if_patients_are_on_both_sides() -> None:
    assert sum(bool(by_code(patient_widths(seed, named=True))) for seed in range(10)) <= 1
    assert all(by_code(patient_widths(seed, named=True, as_images=True)) for seed in range(10))


def test_without_names_of_patients_neighbouring_files_stay_together() -> None:
    assert sum(bool(by_code(patient_widths(seed, named=False))) for seed in range(10)) <= 3
    labels = two_classes()
    headers = [{"size_bytes": 1000 + i + 5000 * (label == "ill")} for i, label in enumerate(labels)]
    finding = by_code(make_material(labels, patients=[None] * 120, headers=headers))["shortcut-bytes"]
    assert "20 runs of neighbouring files" in finding.sentence and "all but gives" in finding.sentence


def test_of_three_classes_the_one_that_a_property_tells_is_named() -> None:
    random, labels = np.random.default_rng(8), ["bacteria", "normal", "virus"] * 50
    headers = [{"size_bytes": int(random.normal(5000 - 1500 * (label == "virus"), 500))} for label in labels]
    finding = by_code(make_material(labels, headers=headers))["shortcut-bytes"]
    assert "virus can be told from the other classes" in finding.sentence
    aucs = {row["class"]: float(row["AUC against the rest"]) for row in finding.evidence}
    assert max(aucs, key=aucs.__getitem__) == "virus" and aucs["virus"] > 0.95


def test_a_small_class_does_not_hide_one_that_is_told_for_sure() -> None:
    random = np.random.default_rng(9)
    labels = ["a"] * 150 + ["b"] * 150 + ["rare"] * 3
    headers = [{"size_bytes": int(random.normal(5000 + 1500 * (label == "b"), 500))} for label in labels[:300]]
    found = by_code(make_material(labels, headers=[*headers, *[{"size_bytes": 90000}] * 3]))
    assert found["shortcut-bytes"].evidence[2]["AUC against the rest"] == "too few patients"
    assert "rare" in found["shortcut-untested"].sentence and found["shortcut-untested"].severity == "info"


def test_a_higher_but_unsure_figure_of_a_small_class_does_not_hide_a_sure_one() -> None:
    random, labels = np.random.default_rng(14), ["a"] * 150 + ["b"] * 150 + ["small"] * 10
    headers = [{"size_bytes": int(random.normal(5000 + 660 * (label == "b"), 700))} for label in labels[:300]]
    headers += [{"size_bytes": size} for size in (*range(9000, 9007), 4200, 5000, 5600)]
    finding = by_code(make_material(labels, headers=headers))["shortcut-bytes"]
    aucs = {row["class"]: row["AUC against the rest"] for row in finding.evidence}
    assert aucs["small"] > aucs["a"] and "a can be told from the other classes" in finding.sentence


def test_one_patient_a_class_is_said_to_be_too_few_and_nothing_is_claimed() -> None:
    labels = two_classes(60)
    headers = [{"size_bytes": 1000 + 1000 * (label == "ill")} for label in labels]
    (finding,) = RULE.apply(make_material(labels, patients=labels, headers=headers))
    assert finding.code == "shortcut-untested" and finding.severity == "info"
    assert "healthy 1 and ill 1" in finding.sentence


@pytest.mark.parametrize("n", [2, 6, 18])
def test_tiny_data_raise_no_alarm(n: int) -> None:
    labels = two_classes(n)
    headers = [{"size_bytes": 1000 + 1000 * (label == "ill")} for label in labels]
    assert [finding.code for finding in RULE.apply(make_material(labels, headers=headers))] == ["shortcut-untested"]


def test_the_test_side_is_tried_by_what_the_others_taught() -> None:
    random, labels = np.random.default_rng(10), two_classes(200)
    sides = ["test" if i >= 60 else "train" for i in range(200)]
    rises = [1 if side == "train" else -1 for side in sides]
    headers = [
        {"size_bytes": int(random.normal(5000 + rise * 2000 * (label == "ill"), 400))}
        for label, rise in zip(labels, rises, strict=True)
    ]
    (tried,) = measured(make_material(labels, headers=headers, sides=sides))
    assert tried.auc > 0.97 and tried.test_auc is not None and tried.test_auc < 0.03
    finding = by_code(make_material(labels, headers=headers, sides=sides))["shortcut-bytes"]
    assert finding.count == 60 and "0.00 on the test side" in finding.sentence


def test_data_with_a_test_side_only_are_tried_all_the_same() -> None:
    labels = two_classes()
    headers = [{"size_bytes": 1000 + i + 5000 * (label == "ill")} for i, label in enumerate(labels)]
    assert "shortcut-bytes" in by_code(make_material(labels, headers=headers, sides=["test"] * 120))


def test_constant_properties_are_not_tried() -> None:
    assert measured(make_material(two_classes())) == []


def test_padding_is_no_part_of_the_image_whichever_way_exif_turned_it() -> None:
    pixels = np.zeros((3, SIZE, SIZE, 1), np.uint8)
    random = np.random.default_rng(11)
    pixels[0] = random.integers(90, 110, (SIZE, SIZE, 1))
    pixels[1:, 12:36] = random.integers(90, 110, (2, 24, SIZE, 1))
    sizes = [{"width": 200, "height": 200}, {"width": 200, "height": 100}, {"width": 100, "height": 200}]
    material = make_material(["ill", "ill", "healthy"], headers=sizes, pixels=pixels)
    values = {prop.name: prop.values for prop in pixel_properties(material)}
    np.testing.assert_allclose(values["brightness"], 99.5, atol=1)
    np.testing.assert_array_equal(values["border"], 0)
    assert values["corners"].min() >= 90


def test_measures_are_those_of_each_image_in_its_place() -> None:
    sizes = [(200, 100), (100, 200), (300, 300), (200, 100), (50, 300)]
    pixels = np.zeros((5, SIZE, SIZE, 1), np.uint8)
    for i, (width, height) in enumerate(sizes):
        rows, columns = (SIZE * side // max(width, height) for side in (height, width))
        top, left = (SIZE - rows) // 2, (SIZE - columns) // 2
        pixels[i, top : top + rows, left : left + columns] = 40 * (i + 1)
    headers = [{"width": width, "height": height} for width, height in sizes]
    material = make_material(["ill", "healthy", "ill", "ill", "ill"], headers=headers, pixels=pixels)
    brightness = next(prop.values for prop in pixel_properties(material) if prop.name == "brightness")
    np.testing.assert_allclose(brightness, [40, 80, 120, 160, 200])


def test_border_and_corners_are_measured_where_they_are() -> None:
    pixels = noise_images(2)
    pixels[0, :3] = pixels[0, -1:] = 0
    pixels[0, :, :6] = 0
    pixels[1, :6, -6:] = 250
    values = {prop.name: prop.values for prop in pixel_properties(make_material(["ill", "healthy"], pixels=pixels))}
    np.testing.assert_allclose(values["border"], [100 - 100 * (44 / 48) * (42 / 48), 0])
    upper_left, upper_right, *_ = values["corners"][1].reshape(4, 16)
    assert upper_left.max() < 200 and (upper_right == 250).all()


def test_a_bright_edge_of_tissue_is_no_mark_and_a_letter_on_dark_is() -> None:
    images = np.full((3, 224, 224, 1), 40, np.uint8)
    images[0, :, :40] = 230
    images[1, 100:104] = images[1, :, 10:30] = 150
    images[2, 20:30, 20] = images[2, 20, 20:26] = images[2, 25, 20:26] = 240
    material = make_material(["ill", "ill", "healthy"], pixels=images, headers=[{"width": 224, "height": 224}] * 3)
    marks = next(prop.values for prop in pixel_properties(material) if prop.name == "marks")
    assert marks[0] == marks[1] == 0 and marks[2] * 224**2 == pytest.approx(200_000, abs=30_000)


def test_neither_patients_nor_dicom_values_are_told() -> None:
    random, labels = np.random.default_rng(12), two_classes()
    headers = [
        {"format": "DICOM", "manufacturer": mostly(random, label == "ill", "ACMECORP", "ZENITHINC"), "mode": mode}
        for label, mode in zip(labels, ("MONOCHROME1", "MONOCHROME2") * 60, strict=True)
    ]
    patients = [f"secret-{i}" for i in range(120)]
    told = json.dumps([f.to_dict() for f in RULE.apply(make_material(labels, patients=patients, headers=headers))])
    assert "maker 1" in told and "DICOM kind 1" in told
    assert not any(word in told for word in ("secret", "ACME", "acme", "ZENITH", "zenith", "MONOCHROME"))


def test_unreadable_headers_and_missing_values_are_left_out_of_a_measure() -> None:
    random, labels = np.random.default_rng(13), two_classes()
    headers = [
        {"jpeg_quantiser": random.normal(20 + 9 * (label == "ill"), 3), "format": "JPEG"} for label in labels[:80]
    ]
    material = make_material(labels, headers=[*headers, *[{"width": 0, "height": 0}] * 40])
    values = {prop.name: prop.values for prop in header_properties(material)}
    assert np.isnan(values["width"][80:]).all() and np.isnan(values["bytes-per-pixel"][80:]).all()
    assert by_code(material)["shortcut-jpeg-quantiser"].count == 80


def test_headers_stay_with_their_cases_when_one_is_unreadable() -> None:
    labels = two_classes()
    headers = [{"size_bytes": 1000 + i + 5000 * (label == "ill")} for i, label in enumerate(labels)]
    whole = make_material(labels, headers=headers, pixels=noise_images(120))
    rows = np.delete(np.arange(120), 31)
    readable = whole.manifest.replace(whole.manifest.cases[i] for i in rows)
    data_set = DataSet(manifest=readable, store=whole.data_set.store, rows=rows, failures={})
    material = dataclasses.replace(whole, data_set=data_set, failures={31: "truncated"})
    (finding,) = RULE.apply(material)
    assert finding.count == 119 and "AUC of 1.00" in finding.sentence
    values = pixel_properties(material)[0].values
    np.testing.assert_array_equal(values, np.delete(pixel_properties(whole)[0].values, 31))


def test_the_size_of_the_files_of_chest_xray_gives_the_class_away(shared_data: Path) -> None:
    manifest = Manifest.read(shared_data / "chest_xray")
    headers = [{"size_bytes": path.stat().st_size, "format": "JPEG"} for path in manifest.paths]
    cases = manifest.cases
    material = make_material(
        [case.label for case in cases],
        patients=[case.patient_id for case in cases],
        headers=headers,
        names=[case.name for case in cases],
        sides=[case.split for case in cases],
    )
    (tried,) = measured(material)
    assert tried.subject.name == "bytes" and tried.is_strong
    assert tried.auc == pytest.approx(0.90, abs=0.01) and tried.test_auc == pytest.approx(0.83, abs=0.01)
