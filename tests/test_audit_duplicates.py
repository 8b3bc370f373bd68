"""Duplicates: planted copies are found, pictures that only resemble one another are not, and each is reported once."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from overread.auditing import Finding, Material
from overread.auditing.rules.duplicates import RULE
from overread.cases import Case, Manifest
from overread.decision import Task
from overread.formats import read_headers
from overread.images import DataSet, Preprocessing, content_box
from overread.images.copies import Copies, find_copies, join_copies
from overread.images.copies.hashes import SYMMETRIES, hash_views, thumbnail, turned
from overread.images.copies.same_picture import has_detail, same_picture
from support.pictures import SIZE, picture, shaded

OPTIONS = Preprocessing(height=112, width=112)


def study(folder: Path, cases: Sequence[Case]) -> Material:
    manifest = Manifest(cases=tuple(cases), task=Task.of(("Normal", "Papilloma")))
    data_set = DataSet.open(manifest, OPTIONS, folder=folder / "store", skip_unreadable=True)
    return Material(
        manifest=manifest,
        headers=tuple(read_headers(manifest.paths)),
        data_set=data_set,
        failures=data_set.store.failures,
    )


def copies_in(material: Material) -> Copies:
    return find_copies(material.data_set, lambda: material.headers)


class Study:
    """A folder that images are saved to, each with what the manifest says of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cases = folder, list[Case]()

    def add(self, image: Image.Image | Path, name: str, label: str = "Normal", **facts: object) -> int:
        """Save an image, or copy a file, and give its position."""
        path = self.folder / name
        saving = {key: facts.pop(key) for key in ("quality", "exif") if key in facts}
        if isinstance(image, Path):
            shutil.copy(image, path)
        else:
            image.save(path, **saving)
        case = Case(path=path, name=name, label=label, patient_id=f"secret{len(self.cases)}")
        self.cases.append(dataclasses.replace(case, **facts))  # type: ignore[arg-type]
        return len(self.cases) - 1

    def copies(self) -> Copies:
        return copies_in(study(self.folder, self.cases))

    def findings(self) -> dict[str, Finding]:
        found = RULE.apply(study(self.folder, self.cases))
        assert len({finding.code for finding in found}) == len(found)
        return {finding.code: finding for finding in found}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty different pictures of six bodies, as radiographs of different children resemble one another."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(30):
        picture(seed, body=seed % 6).save(folder / f"{seed:02}.png")
    return folder


@pytest.fixture
def others(tmp_path: Path, pictures: Path) -> Study:
    """A study of the thirty pictures, each of a patient of its own."""
    made = Study(tmp_path)
    for seed in range(30):
        made.add(pictures / f"{seed:02}.png", f"{seed:02}.png", patient_id=f"secret{seed}")
    return made


def exif_turned() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return exif


def saved(change: Callable[[Image.Image], Image.Image] = lambda image: image, **options: object) -> tuple:
    return change, {"name": "copy.jpg", "quality": 90, **options}


NEAR = {
    "re-encoded": saved(quality=30),
    "enlarged": saved(lambda image: image.resize((400, 320))),
    "reduced": saved(lambda image: image.resize((75, 60))),
    "stretched": saved(lambda image: image.resize((120, 120))),
    "darker": saved(lambda image: shaded(image, 0.7)),
    "brighter": saved(lambda image: shaded(image, 1.4)),
    "lighter": saved(lambda image: shaded(image, 1, 40)),
    "less contrast": saved(lambda image: shaded(image, 0.7, 33)),
    "cropped": saved(lambda image: image.crop((3, 2, 147, 117))),
    "turned by EXIF": saved(exif=exif_turned()),
    "several at once": saved(lambda image: shaded(image.transpose(Image.Transpose.ROTATE_90), 0.8).resize((96, 120))),
    **{turn.name: saved(lambda image, turn=turn: image.transpose(turn)) for turn in Image.Transpose},
}


@pytest.mark.parametrize("name", NEAR)
def test_a_changed_copy_is_found_with_its_original_and_with_nothing_else(others: Study, name: str) -> None:
    change, options = NEAR[name]
    added = others.add(change(picture(7, body=1)), **options)
    assert others.copies() == Copies(exact=(), near=((7, added),), origin=others.copies().origin, blank=())


def test_different_pictures_are_no_duplicates_even_of_bodies_that_are_alike(others: Study) -> None:
    assert others.findings() == {}


def test_the_same_bytes_and_the_same_pixels_are_exact_and_not_reported_again_as_near(others: Study) -> None:
    first = others.add(others.folder / "03.png", "bytes.png")
    second = others.add(picture(3, body=3).convert("RGB"), "pixels.bmp")
    found = others.copies()
    assert found.exact == ((3, first, second),)
    assert found.near == ()
    assert found.origin == {first: (3, "the same file as"), second: (3, "the same pixels as")}
    assert list(others.findings()) == ["duplicate-across-patients"]


def test_the_same_prepared_pixels_of_another_stored_size_are_near_and_not_exact(tmp_path: Path) -> None:
    made = Study(tmp_path)
    small = picture(1, size=(56, 56))
    made.add(small.resize((112, 112), Image.Resampling.BILINEAR), "large.png")
    made.add(small, "small.png", label="Papilloma")
    material = study(tmp_path, made.cases)
    assert np.array_equal(*material.data_set.pixels([0, 1]))
    found = copies_in(material)
    assert (found.exact, found.near) == ((), ((0, 1),))


def test_copies_of_copies_are_one_group_whichever_comes_first(others: Study) -> None:
    original = picture(50, body=2)
    added = [
        others.add(shaded(original, 0.75), "dark.jpg", quality=60),
        others.add(original.transpose(Image.Transpose.ROTATE_180), "turned.png"),
        others.add(original, "original.png"),
        others.add(others.folder / "turned.png", "again.png"),
    ]
    found = others.copies()
    assert found.near == (tuple(added),)
    assert found.exact == ((added[1], added[3]),)
    others.cases.reverse()
    assert others.copies().near == (tuple(33 - position for position in reversed(added)),)


def test_blank_images_are_told_and_only_copies_by_their_bytes(others: Study) -> None:
    shade = Image.fromarray(np.linspace(90, 110, 120, dtype=np.uint8)[:, None].repeat(150, axis=1))
    blank = [
        others.add(Image.new("L", SIZE, 0), "black.png"),
        others.add(Image.new("L", SIZE, 0), "black.jpg"),
        others.add(Image.new("L", SIZE, 255), "white.png"),
        others.add(shade, "shade.png"),
        others.add(shade.transpose(Image.Transpose.ROTATE_180), "turned.png"),
        others.add(others.folder / "white.png", "again.png"),
    ]
    found = others.copies()
    assert found.blank == tuple(blank)
    assert found.exact == ((blank[2], blank[5]),)
    assert found.near == ()
    findings = others.findings()
    assert findings["blank-image"].severity == "warn"
    assert findings["blank-image"].count == 6


def test_an_image_that_cannot_be_read_does_not_shift_the_others(others: Study) -> None:
    (others.folder / "03.png").write_bytes(b"no image")
    added = others.add(shaded(picture(7, body=1), 0.8), "copy.png")
    assert others.copies().near == ((7, added),)


EXACT, ALTERED = "duplicate", "near-duplicate"
TWO = {
    "two classes": ({"label": "Papilloma"}, "across-classes", "block", "block"),
    "two classes and two sides": ({"label": "Papilloma", "split": "test"}, "across-classes", "block", "block"),
    "two classes of one patient": ({"label": "Papilloma", "patient_id": "secret7"}, "changing", "block", "warn"),
    "two sides": ({"split": "test"}, "across-splits", "block", "block"),
    "two sides of one patient": ({"split": "val", "patient_id": "secret7"}, "across-splits", "block", "block"),
    "two patients": ({}, "across-patients", "warn", "warn"),
    "an unnamed patient": ({"patient_id": None}, "within-class", "warn", "warn"),
    "one patient": ({"patient_id": "secret7"}, "within-patient", "warn", "info"),
    "no side": ({"split": None, "patient_id": "secret7"}, "within-patient", "warn", "info"),
}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in TWO for kind in (EXACT, ALTERED)])
def test_a_pair_is_reported_once_under_the_gravest_relation(others: Study, name: str, kind: str) -> None:
    facts, relation, exact_severity, near_severity = TWO[name]
    if kind == EXACT and relation == "changing":  # only near copies may be frames of a film
        relation = "across-classes"
    others.cases = [dataclasses.replace(case, split="train") for case in others.cases]
    image = others.folder / "07.png" if kind == EXACT else shaded(picture(7, body=1), 0.8)
    added = others.add(image, "copy.png", **{"split": "train", **facts})
    (found,) = others.findings().values()
    assert found.code == f"{kind}-{relation}"
    assert found.severity == (exact_severity if kind == EXACT else near_severity)
    assert found.groups == ((7, added),)
    assert found.count == 2
    assert found.sentence.startswith("1 group of ")
    assert ("more than one side" in found.sentence) == ("two sides" in name)


def test_the_frames_of_one_patient_do_not_hide_a_real_conflict(others: Study) -> None:
    others.add(shaded(picture(2, body=2), 0.8), "frame.png", label="Papilloma", patient_id="secret2")
    others.add(shaded(picture(7, body=1), 0.8), "copy.png", label="Papilloma")
    found = others.findings()
    assert (found["near-duplicate-across-classes"].severity, found["near-duplicate-changing"].severity) == (
        "block",
        "warn",
    )
    assert found["near-duplicate-across-classes"].groups == ((7, 31),)
    assert found["near-duplicate-changing"].groups == ((2, 30),)


def test_the_evidence_names_images_and_how_they_are_alike_but_no_patient(others: Study) -> None:
    others.add(picture(7, body=1).transpose(Image.Transpose.ROTATE_90), "turned.png", label="Papilloma")
    (found,) = others.findings().values()
    rows = [dict(row) for row in found.evidence]
    assert [row["image"] for row in rows] == ["07.png", "turned.png"]
    assert [row["class"] for row in rows] == ["Normal", "Papilloma"]
    assert rows[1]["is"] == "turned by 90 degrees, a near copy of 07.png"
    assert "secret" not in repr(found)


def test_a_hash_after_a_symmetry_is_the_hash_of_the_turned_image() -> None:
    thumbnails = np.stack([np.asarray(picture(seed, size=(64, 64))) for seed in range(20)])
    views = hash_views(thumbnails)
    for symmetry in range(len(SYMMETRIES)):
        assert np.array_equal(views[symmetry], hash_views(turned(thumbnails, symmetry))[0])
    assert len({views[:, i].tobytes() for i in range(20)}) == 20
    assert all(len(np.unique(views[:, i], axis=0)) == 8 for i in range(20))


@pytest.mark.parametrize(
    ("symmetry", "turn"),
    [
        ("mirrored left to right", Image.Transpose.FLIP_LEFT_RIGHT),
        ("mirrored top to bottom", Image.Transpose.FLIP_TOP_BOTTOM),
        ("turned by 180 degrees", Image.Transpose.ROTATE_180),
        ("mirrored across a diagonal", Image.Transpose.TRANSPOSE),
        ("turned by 90 degrees", Image.Transpose.ROTATE_270),
    ],
)
def test_symmetries_are_what_they_are_called(symmetry: str, turn: Image.Transpose) -> None:
    image = picture(0, size=(64, 64))
    assert np.array_equal(turned(np.asarray(image), SYMMETRIES.index(symmetry)), np.asarray(image.transpose(turn)))


@pytest.mark.parametrize(("size", "box"), [((300, 300), (0, 0, 112, 112)), ((200, 100), (0, 28, 112, 84)),
                                           ((1, 1000), (55, 0, 56, 112)), ((0, 0), (0, 0, 112, 112))])  # fmt: skip
def test_the_content_box_leaves_out_the_padding(size: tuple[int, int], box: tuple[int, int, int, int]) -> None:
    assert content_box(size, OPTIONS) == box
    assert content_box(size, dataclasses.replace(OPTIONS, fit="stretch")) == (0, 0, 112, 112)


def test_a_thumbnail_trusts_the_pixels_more_than_the_header() -> None:
    pixels = np.zeros((112, 112, 1), np.uint8)
    pixels[28:84] = 200
    assert (thumbnail(pixels, (200, 100), OPTIONS) == 200).all()
    assert (thumbnail(pixels, (100, 200), OPTIONS) == 200).all()
    assert thumbnail(pixels, (112, 13), OPTIONS).min() == 0


def as_thumbnail(image: Image.Image) -> np.ndarray:
    return np.asarray(image.resize((64, 64), Image.Resampling.BILINEAR))


def same(first: np.ndarray, second: np.ndarray) -> list[bool]:
    """Whether they are the same where nothing is known of other images."""
    return same_picture(first, second, np.zeros((0, first[0].size), np.float32)).tolist()


def test_copies_exact_and_near_name_one_group_and_what_cannot_be_read_none(others: Study) -> None:
    again = others.add(others.folder / "07.png", "again.png")
    darker = others.add(shaded(picture(7, body=1), 0.8), "darker.png")
    broken = others.add(picture(99), "broken.png")
    (others.folder / "broken.png").write_bytes(b"")
    material = study(others.folder, others.cases)
    joined = join_copies(material.manifest, material.data_set, lambda: material.headers)
    groups = [case.group for case in joined.cases]
    assert groups[7] is not None and groups[7] == groups[again] == groups[darker]
    assert [i for i, group in enumerate(groups) if group] == [7, again, darker]
    assert groups[broken] is None


def test_copies_can_be_looked_for_among_those_that_are_left(others: Study) -> None:
    dark, light = (others.add(shaded(picture(7, body=1), gain), f"{gain}.png") for gain in (0.8, 1.2))
    material = study(others.folder, others.cases)
    assert copies_in(material).near == ((7, dark, light),)
    left = material.data_set.without({7, 12})
    assert len(left.manifest) == 30
    assert find_copies(left, lambda: material.headers).near == ((dark, light),)


def test_what_all_images_share_makes_no_copies(tmp_path: Path) -> None:
    y, x = np.mgrid[:120, :150]
    round_frame = (x - 75) ** 2 + (y - 60) ** 2 < 55**2
    made = Study(tmp_path)
    for seed in range(60):
        inside = np.where(round_frame, 90 + np.asarray(picture(seed, body=seed), np.int64) // 6, 0).astype(np.uint8)
        made.add(Image.fromarray(inside), f"{seed:02}.png", patient_id=f"secret{seed}")
    made.add(shaded(Image.open(tmp_path / "07.png"), 0.8), "copy.jpg", quality=90, patient_id="secret7")
    found = made.copies()
    assert (found.exact, found.near) == ((), ((7, 60),))


def test_a_picture_that_is_there_many_times_is_not_taken_for_what_all_share(others: Study) -> None:
    copies = [
        others.add(shaded(picture(7, body=1), 1 - i / 40), f"copy{i}.png", patient_id="secret7") for i in range(5)
    ]
    assert others.copies().near == ((7, *copies),)


def test_a_crop_of_five_per_cent_with_artefacts_is_the_same_picture_and_a_shared_body_is_not(tmp_path: Path) -> None:
    one = picture(1, size=(400, 400))
    one.crop((20, 8, 390, 385)).resize((90, 90)).save(tmp_path / "cropped.jpg", quality=35)
    first, stranger = as_thumbnail(one), as_thumbnail(picture(2, size=(400, 400)))
    pairs = np.stack([first, first]), np.stack([as_thumbnail(Image.open(tmp_path / "cropped.jpg")), stranger])
    assert same(*pairs) == [True, False]
    assert same(pairs[1], pairs[0]) == [True, False]


def test_pictures_that_share_half_of_their_detail_are_not_the_same() -> None:
    one, other = (as_thumbnail(picture(seed, size=(400, 400))).astype(np.float32) for seed in (1, 2))
    half, most = ((share * one + (1 - share) * other).astype(np.uint8) for share in (0.5, 0.9))
    assert same(np.stack([one, one]).astype(np.uint8), np.stack([half, most])) == [False, True]


def test_blurred_fundi_that_share_nothing_but_their_rim_are_not_the_same() -> None:
    y, x = np.mgrid[:64, :64] / 63
    rim = (x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.47**2
    first, second, brighter = (
        np.where(rim, gain * (70 + 50 * np.exp(-((x - at) ** 2 + (y - at) ** 2) / 0.06)), 0).astype(np.uint8)
        for at, gain in ((0.35, 1), (0.65, 1), (0.35, 1.3))
    )
    assert same(np.stack([first, first]), np.stack([second, brighter])) == [False, True]


def test_noise_of_a_sensor_that_saw_nothing_is_no_detail() -> None:
    rng = np.random.default_rng(0)
    thumbnails = np.stack(
        [np.full((64, 64), 20), 20 + rng.integers(0, 2, (64, 64)), np.asarray(picture(0, size=(64, 64)))]
    )
    assert has_detail(thumbnails.astype(np.uint8)).tolist() == [False, False, True]


def test_among_real_radiographs_planted_copies_are_found_and_nothing_else(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted((shared_data / "chest_xray").rglob("*.jpeg"))[::12]
    cases = [Case(path=path, name=path.name, label="Normal") for path in paths]
    rng = np.random.default_rng(0)
    expected = set()
    for number, position in enumerate(rng.choice(len(paths), 60, replace=False).tolist()):
        image = shaded(Image.open(paths[position]).convert("L"), rng.uniform(0.7, 1.4))
        image = image.transpose(list(Image.Transpose)[rng.integers(7)])
        image = image.resize((round(224 * rng.uniform(0.4, 2)),) * 2)
        path = tmp_path / f"{number}.jpg"
        image.save(path, quality=int(rng.integers(30, 96)))
        expected.add((position, len(cases)))
        cases.append(Case(path=path, name=path.name, label="Normal"))
    found = copies_in(study(tmp_path, cases))
    assert set(found.near) == expected
    assert found.exact == ()


def test_frames_that_pass_into_one_another_are_cut_where_the_picture_changes(tmp_path: Path) -> None:
    """A window that slides over a wide picture: frames apart by more than it moves in five share too little."""
    wide = picture(0, size=(900, 120))
    made = Study(tmp_path)
    for frame in range(60):
        made.add(wide.crop((12 * frame, 0, 12 * frame + 150, 120)), f"{frame:02}.png", patient_id=None)
    found = made.copies()
    assert found.chains == (tuple(range(60)),)
    material = study(tmp_path, made.cases)
    whole_class = join_copies(material.manifest, material.data_set, lambda: material.headers)
    assert len({case.group for case in whole_class.cases}) == len(found.near)
    (said,) = made.findings().values()
    assert "1 chain of groups that pass into one another, as a film does, holds more than a fifth" in said.sentence
    assert sorted(frame for group in found.near for frame in group) == list(range(60))
    assert 4 <= len(found.near) <= 20
    assert all(group == tuple(range(group[0], group[-1] + 1)) for group in found.near)
    for later, (earlier, _) in found.origin.items():
        assert any({earlier, later} <= set(group) for group in found.near)


def test_a_chain_that_is_a_small_part_of_its_class_is_dealt_whole(others: Study) -> None:
    wide = picture(60, size=(900, 120))
    chain = [others.add(wide.crop((20 * i, 0, 20 * i + 150, 120)), f"film{i}.png", patient_id=None) for i in range(14)]
    material = study(others.folder, others.cases)
    assert chain in [list(found) for found in copies_in(material).chains]
    joined = join_copies(material.manifest, material.data_set, lambda: material.headers)
    assert len({joined.cases[i].group for i in chain}) > 1
    for number in range(40):
        others.add(picture(100 + number, body=100 + number), f"more{number}.png")
    material = study(others.folder, others.cases)
    joined = join_copies(material.manifest, material.data_set, lambda: material.headers)
    assert len({joined.cases[i].group for i in chain}) == 1


def test_masks_of_several_classes_are_no_copies_of_one_another(others: Study) -> None:
    for number in range(6):
        mask = Image.new("L", SIZE)
        mask.paste(255, (50, 40, 100, 90))
        others.add(mask, f"{number:02}_mask.png", ("Normal", "Papilloma")[number % 2])
    assert others.findings() == {}
