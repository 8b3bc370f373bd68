"""The embedded demo data: synthetic, repeatable, spoilt on purpose, and learnable only by its texture."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from overread.demo.phantom import LOOK_RANGES, PatientLook, photograph_phantom, write_phantoms
from overread.errors import InvalidOption, OutputExists, OutputUnwritable

SMALLEST = {"patients": 4, "images_per_patient": 3, "size": 32}
Labelled = tuple[list[Image.Image], NDArray[np.int64], list[str]]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*/*") if path.suffix in (".png", ".jpg"))


def planted(folder: Path) -> dict[str, Path]:
    with (folder / "defects.csv").open(encoding="utf-8", newline="") as rows:
        return {row["defect"]: folder / row["path"] for row in csv.DictReader(rows)}


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
    return image


def middling_look(**changes: float) -> PatientLook:
    middle = {name: (low + high) / 2 for name, (low, high) in LOOK_RANGES.items()}
    return PatientLook(**(middle | changes))


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "phantoms"
    return write_phantoms(folder, patients=44, images_per_patient=4, size=96, seed=0, defects=False)


@pytest.fixture(scope="module")
def labelled(phantoms: Path) -> Labelled:
    paths = images(phantoms)
    y_true = np.array([path.parent.name == "Papilloma" for path in paths], np.int64)
    return [opened(path).convert("RGB") for path in paths], y_true, [path.stem.split("_")[0] for path in paths]


def linear_auc(features: NDArray[np.float64], y_true: NDArray[np.int64], patients: list[str], *, c: float) -> float:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=1000))
    folds = GroupKFold(5)
    y_prob = cross_val_predict(model, features, y_true, groups=patients, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(y_true, y_prob))


def test_a_view_is_a_round_field_on_a_dark_ground() -> None:
    rng = np.random.default_rng(3)
    for papilloma in (False, True):
        pixels = photograph_phantom(rng, papilloma=papilloma, patient=PatientLook.draw(rng), size=64)
        assert pixels.shape == (64, 64, 3) and pixels.dtype == np.uint8
        corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]].mean()
        assert corners < 20 < 60 < pixels[16:48, 16:48].mean()
        red, _, blue = pixels[16:48, 16:48].mean((0, 1))
        assert red > 1.2 * blue


def test_the_generator_alone_decides_what_a_view_shows() -> None:
    first, again, other = (
        photograph_phantom(np.random.default_rng(seed), papilloma=True, patient=middling_look(), size=48)
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("size", [32, 75, 200])
def test_the_extreme_patients_are_drawn_without_a_numerical_warning(side: int, size: int) -> None:
    look = PatientLook(**{name: limits[side] for name, limits in LOOK_RANGES.items()})
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        for seed in range(8):
            assert photograph_phantom(np.random.default_rng(seed), papilloma=True, patient=look, size=size).std() > 5


@pytest.mark.parametrize("changes", [{"opening": 0.0}, {"exposure": 9.0}, {"site": float("nan")}])
def test_an_impossible_patient_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InvalidOption, match=next(iter(changes))):
        middling_look(**changes)


def test_a_view_too_small_to_show_a_lesion_is_refused() -> None:
    with pytest.raises(InvalidOption, match="size=31"):
        photograph_phantom(np.random.default_rng(0), papilloma=True, patient=middling_look(), size=31)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(tmp_path: Path) -> None:
    first, again, other = (
        contents(write_phantoms(tmp_path / name, **SMALLEST, seed=seed))
        for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert first == again
    assert not {name: data for name, data in first.items() if other.get(name) == data}.keys() - {"SYNTHETIC.txt"}


@pytest.mark.parametrize("seed", range(6))
def test_even_the_smallest_set_holds_every_planted_defect(tmp_path: Path, seed: int) -> None:
    spoilt, clean = tmp_path / "spoilt", tmp_path / "clean"
    write_phantoms(spoilt, **SMALLEST, seed=seed)
    write_phantoms(clean, **SMALLEST, seed=seed, defects=False)
    defects = planted(spoilt)
    assert len(set(defects.values())) == 5
    with pytest.raises(OSError, match="truncated"):
        opened(defects["truncated"])
    with pytest.raises(UnidentifiedImageError):
        opened(defects["not an image"])
    assert opened(defects["grey"]).mode == "L"

    copy = defects["copy"]
    (twin,) = (path for path in images(spoilt) if path != copy and path.read_bytes() == copy.read_bytes())
    assert twin.stem.split("_")[0] != copy.stem.split("_")[0]

    turned = defects["EXIF orientation"]
    stored, upright = opened(turned), ImageOps.exif_transpose(opened(turned))
    original = np.asarray(opened(clean / turned.relative_to(spoilt)), np.float32)
    assert np.abs(np.asarray(upright, np.float32) - original).mean() < 6
    assert np.abs(np.asarray(stored, np.float32) - original).mean() > 12


def test_the_list_of_defects_is_exactly_what_differs_from_a_clean_set(tmp_path: Path) -> None:
    spoilt = contents(write_phantoms(tmp_path / "spoilt", **SMALLEST))
    clean = contents(write_phantoms(tmp_path / "clean", **SMALLEST, defects=False))
    listed = {path.relative_to(tmp_path / "spoilt").as_posix() for path in planted(tmp_path / "spoilt").values()}
    assert {name for name in spoilt if spoilt[name] != clean.get(name)} == listed | {"defects.csv"}
    assert clean.keys() < spoilt.keys()


def test_the_list_of_defects_cannot_be_taken_for_a_manifest(tmp_path: Path) -> None:
    folder = write_phantoms(tmp_path / "phantoms", **SMALLEST)
    assert (folder / "defects.csv").read_text(encoding="utf-8").splitlines()[0] == "path,defect"


def test_every_file_says_that_it_is_synthetic(phantoms: Path) -> None:
    assert "not patients" in (phantoms / "SYNTHETIC.txt").read_text(encoding="utf-8")
    for path in images(phantoms):
        note = opened(path).info["Comment" if path.suffix == ".png" else "comment"]
        assert note in ("synthetic", b"synthetic")


def test_spoilt_images_say_that_they_are_synthetic_too(tmp_path: Path) -> None:
    defects = planted(write_phantoms(tmp_path / "phantoms", **SMALLEST))
    assert b"synthetic" in defects["truncated"].read_bytes()
    assert "SYNTHETIC" in defects["not an image"].read_text(encoding="utf-8")
    assert opened(defects["grey"]).info["Comment"] == "synthetic"
    assert opened(defects["EXIF orientation"]).info["comment"] == b"synthetic"


def test_patients_have_several_images_and_some_have_both_labels(phantoms: Path) -> None:
    by_label = {
        label: [path.stem.split("_")[0] for path in images(phantoms) if path.parent.name == label]
        for label in ("Normal", "Papilloma")
    }
    everyone = by_label["Normal"] + by_label["Papilloma"]
    assert sorted(set(everyone)) == [f"P{number:03d}" for number in range(1, 45)]
    assert {everyone.count(patient) for patient in everyone} == {2, 3, 4, 5, 6}
    assert len(set(by_label["Papilloma"])) == 22
    assert 0 < len(set(by_label["Papilloma"]) & set(by_label["Normal"])) < 22


def test_the_file_format_tells_nothing_about_the_label(phantoms: Path) -> None:
    shares = [
        np.mean([path.suffix == ".jpg" for path in images(phantoms) if path.parent.name == label])
        for label in ("Normal", "Papilloma")
    ]
    assert min(shares) > 0.2 and max(shares) < 0.45


def test_a_linear_model_on_raw_pixels_does_poorly(labelled: Labelled) -> None:
    views, y_true, patients = labelled
    for mode in ("RGB", "L"):
        small = [view.convert(mode).resize((32, 32), Image.Resampling.BOX) for view in views]
        pixels = np.stack([np.asarray(view, np.float64).ravel() for view in small])
        assert linear_auc(pixels, y_true, patients, c=1e-3) < 0.7


def test_colour_brightness_and_file_size_do_not_give_the_label_away(phantoms: Path, labelled: Labelled) -> None:
    views, y_true, patients = labelled
    colour = np.stack([[*np.mean(view, (0, 1)), *np.std(view, (0, 1))] for view in views])
    assert linear_auc(colour, y_true, patients, c=1.0) < 0.7
    sizes = np.array([path.stat().st_size for path in images(phantoms)])
    jpeg = np.array([path.suffix == ".jpg" for path in images(phantoms)])
    for chosen in (jpeg, ~jpeg):
        assert 0.25 < roc_auc_score(y_true[chosen], sizes[chosen]) < 0.75


def test_the_grape_like_texture_does_give_the_label_away(labelled: Labelled) -> None:
    views, y_true, _ = labelled
    grain = []
    for view in views:
        fine, coarse, ground = (
            np.asarray(view.convert("L").filter(ImageFilter.GaussianBlur(blur)), np.float32) for blur in (0.8, 1.5, 12)
        )
        contrast = np.minimum(np.abs(fine - coarse) / (ground + 20), 0.3)
        patches = np.asarray(Image.fromarray(contrast).resize((10, 10), Image.Resampling.BOX))[2:-2, 2:-2]
        grain.append(np.sort(patches, axis=None)[-6])
    assert roc_auc_score(y_true, grain) > 0.75


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    assert write_phantoms(tmp_path, **SMALLEST) == tmp_path
    assert (tmp_path / "SYNTHETIC.txt").is_file()


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    for taken in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(OutputExists, match="choose another"):
            write_phantoms(taken, **SMALLEST)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputUnwritable, match="cannot be written"):
        write_phantoms(tmp_path / "file" / "phantoms", **SMALLEST)


def test_an_interrupted_run_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save, saved = Image.Image.save, list[Path]()

    def interrupted(image: Image.Image, path: Path, **options: Any) -> None:
        if len(saved) == 5:
            raise KeyboardInterrupt
        save(image, path, **options)
        saved.append(path)

    monkeypatch.setattr(Image.Image, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_phantoms(tmp_path / "phantoms", **SMALLEST)
    assert len(saved) == 5
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("wrong", [{"patients": 3}, {"images_per_patient": 2}, {"size": 31}, {"seed": -1}])
def test_a_set_too_small_to_use_is_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(InvalidOption, match=f"{name}={value}"):
        write_phantoms(tmp_path / "phantoms", **(SMALLEST | wrong))
    assert not list(tmp_path.iterdir())
