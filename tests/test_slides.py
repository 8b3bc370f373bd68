"""Whole slides: which files are slides, where their tissue is, and their tiles at a stated resolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.errors import MissingExtra, UnreadableImage
from overread.formats import (
    DecodedTogether,
    Frames,
    Instance,
    View,
    is_exam,
    kind_of_other,
    open_exam,
    open_picture,
    read_header,
)
from overread.formats.slides import sniff
from overread.formats.slides.open_slide import open_slide
from overread.formats.slides.resolution import resolution_of
from overread.formats.slides.tissue import find_tissue
from support.slide_files import SlideOptions, stained, write_picture

INKS = {"blue": (25, 50, 160), "green": (30, 130, 80), "red": (205, 30, 40), "black": (22, 20, 24)}
RNG = np.random.default_rng(7)


def opened(path: Path, **view: object) -> tuple[list[tuple[int, int, int, int]], tuple[str, ...], list[np.ndarray]]:
    """Boxes, notes and pixels of the tiles of 32 px of a slide."""
    with open_exam([Instance(path)], View(**view), tile=(32, 32)) as frames:  # type: ignore[arg-type]
        return boxes(frames), frames.notes, [frames.picture(i).pixels() for i in range(len(frames))]


def boxes(frames: Frames) -> list[tuple[int, int, int, int]]:
    return [box for i in range(len(frames)) if (box := frames.origin(i).box) is not None]


def test_a_slide_is_an_exam_of_the_tiles_that_hold_tissue(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained())
    assert kind_of_other(path) is None
    assert is_exam(path)
    found, notes, tiles = opened(path)
    # 0.5 µm a pixel: 32 pixels of 1 µm are 64 of the slide; tissue is 5 x 5 of these.
    assert {box[2:] for box in found} == {(64, 64)}
    assert len(found) == len(set(found)) == 25
    assert min(box[0] for box in found) == 320 and max(box[0] + 64 for box in found) == 640
    assert notes == ("25 tiles of 32 px at 1 µm hold tissue: 17 % of the slide",)
    assert {tile.shape for tile in tiles} == {(32, 32, 3)}


def test_a_tile_shows_its_box_at_the_microns_that_are_asked_for(tmp_path: Path) -> None:
    pixels = np.asarray(Image.fromarray(stained()).resize((240, 160)).resize((960, 640)))
    path = write_picture(tmp_path / "a.svs", pixels)
    for microns, side in ((0.5, 32), (1.0, 64), (2.0, 128)):
        found, _, tiles = opened(path, microns=microns)
        for (left, top, width, height), tile in zip(found, tiles, strict=True):
            assert width == height == side
            own = Image.fromarray(pixels[top : top + side, left : left + side]).resize((32, 32), Image.Resampling.BOX)
            assert np.abs(tile.astype(float) - np.asarray(own)).mean() < 6


def test_frames_choose_among_the_tiles_and_the_overview_shows_all(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained())
    with open_exam([Instance(path)], View(frames="middle=3"), tile=(32, 32)) as frames:
        assert len(frames) == 3
        assert frames.origin(0).frame == 12
        assert frames.overview().pixels().shape == (640, 960, 3)


@pytest.mark.parametrize("ink", INKS)
def test_marks_of_a_pen_are_left_out_and_told(ink: str, tmp_path: Path) -> None:
    pixels = stained((1920, 1280), (640, 320, 1280, 960))
    pixels[100:1200, 500:640] = INKS[ink]
    pixels[320:460, 640:1280] = INKS[ink]
    found, notes, _ = opened(write_picture(tmp_path / "a.svs", pixels))
    assert "pen" in notes[0]
    assert min(box[0] for box in found) >= 640 and min(box[1] for box in found) >= 440
    assert len(found) >= 60


def test_a_stain_in_the_colour_of_ink_is_no_ink(tmp_path: Path) -> None:
    pixels = stained()
    pixels[128:448, 320:640] = INKS["green"]
    found, notes, _ = opened(write_picture(tmp_path / "a.svs", pixels))
    assert len(found) == 25
    assert "pen" not in notes[0]


def test_shadows_and_dust_are_no_tissue(tmp_path: Path) -> None:
    pixels = stained()
    pixels[:, 20:120] = 205
    pixels[500:560, 700:800] = 90
    assert len(opened(write_picture(tmp_path / "a.svs", pixels))[0]) == 25


def test_a_slide_that_shines_on_black_has_its_tissue_where_it_shines(tmp_path: Path) -> None:
    pixels = RNG.normal(3, 1, (640, 960, 3))
    pixels[128:448, 320:640, 2] += np.where(RNG.random((320, 320)) < 0.15, 120, 4)
    path = write_picture(tmp_path / "a.svs", np.clip(pixels, 0, 255).astype(np.uint8))
    found, _, _ = opened(path)
    assert 25 <= len(found) <= 49
    assert all(256 <= box[0] < 704 and 64 <= box[1] < 512 for box in found)


@pytest.mark.parametrize("level", [244, 3])
def test_a_slide_without_tissue_is_refused_in_a_sentence(level: int, tmp_path: Path) -> None:
    pixels = np.clip(RNG.normal(level, 1.5, (320, 320, 3)), 0, 255).astype(np.uint8)
    with pytest.raises(UnreadableImage, match="no tissue is found"):
        opened(write_picture(tmp_path / "a.svs", pixels))


def test_slides_of_one_exam_are_read_one_after_the_other_and_an_empty_one_is_told(tmp_path: Path) -> None:
    paths = [write_picture(tmp_path / f"{k}.svs", stained()) for k in range(2)]
    paths.append(write_picture(tmp_path / "2.svs", np.full((320, 320, 3), 244, np.uint8)))
    with open_exam([Instance(path) for path in paths], tile=(32, 32)) as frames:
        assert len(frames) == 50
        assert [frames.origin(i).path for i in (0, 49)] == paths[:2]
        assert "1 slide without tissue left out" in frames.notes


def test_a_slide_smaller_than_a_tile_is_one_tile_on_glass(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained((96, 80), (8, 8, 88, 72)), SlideOptions(levels=1))
    with open_exam([Instance(path)], tile=(64, 64)) as frames:
        assert boxes(frames) == [(0, 0, 128, 128)]
        assert frames.picture(0).pixels()[60:, 60:].min() == 255


@pytest.mark.parametrize(
    ("said", "microns", "words"),
    [
        ({"mpp-x": "0.25", "mpp-y": "0.25", "objective-power": "40"}, (0.25, 0.25), ""),
        ({"mpp-x": "0,25", "mpp-y": "0.25"}, (0.25, 0.25), ""),
        ({"mpp-x": "0.25"}, (0.25, 0.25), ""),
        ({"objective-power": "20"}, (0.5, 0.5), "does not say how large its pixels are: 0.5 µm are taken"),
        ({}, None, "does not say how large its pixels are"),
        ({"mpp-x": "0", "mpp-y": "0"}, None, "have 0 µm, which no scanner gives"),
        ({"mpp-x": "1000", "mpp-y": "1000", "objective-power": "40"}, (0.25, 0.25), "have 1000 µm"),
        ({"mpp-x": "352.8", "mpp-y": "352.8"}, None, "have 352.8 µm"),
        ({"mpp-x": "nan", "mpp-y": "-1"}, None, "-1 µm"),
        ({"mpp-x": "0.25", "mpp-y": "0.5"}, (0.25, 0.5), "0.25 µm wide and 0.5 µm high, and are made square"),
        ({"mpp-x": "0.25", "mpp-y": "2.5"}, None, "which no scanner gives"),
        ({"mpp-x": "0.5", "mpp-y": "0.5", "objective-power": "5"}, (0.5, 0.5), "the microns are believed"),
        ({"mpp-x": "0.5", "mpp-y": "0.5", "objective-power": "0"}, (0.5, 0.5), ""),
    ],
)  # fmt: skip
def test_wrong_or_missing_microns_are_said(
    said: dict[str, str], microns: tuple[float, float] | None, words: str
) -> None:
    found = resolution_of({f"openslide.{key}": value for key, value in said.items()})
    assert found.microns == microns
    assert words in " ".join(found.notes)
    assert bool(found.notes) == bool(words)


def test_without_microns_pixels_are_taken_as_they_are_unless_microns_are_asked_for(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained(), SlideOptions(mpp=None, power=None))
    found, notes, _ = opened(path)
    assert found[0][2:] == (32, 32)
    assert notes[0].startswith("100 tiles of 32 px at its own pixels hold tissue")
    assert "does not say how large its pixels are" in notes[1]
    with pytest.raises(UnreadableImage, match="leave --microns out"):
        opened(path, microns=1.0)


def test_microns_for_which_there_is_no_level_are_refused_and_smaller_pixels_are_told(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained(), SlideOptions(levels=1))
    with (
        pytest.raises(UnreadableImage, match="choose smaller --microns"),
        open_exam([Instance(path)], View(microns=100.0), tile=(224, 224)),
    ):
        pass
    assert any("enlarged" in note for note in opened(path, microns=0.25)[1])


def test_of_tiffs_without_a_maker_only_large_pyramids_of_tiles_are_slides(tmp_path: Path) -> None:
    plain = SlideOptions(is_aperio=False, dpi=25400 / 0.5)
    small = write_picture(tmp_path / "small.tiff", stained(), plain)
    large = write_picture(tmp_path / "large.tiff", stained((4200, 256), (320, 64, 640, 192)), plain)
    alone = SlideOptions(is_aperio=False, dpi=25400 / 0.5, levels=1)
    single = write_picture(tmp_path / "single.tiff", stained((4200, 256), (320, 64, 640, 192)), alone)
    assert [is_exam(path) for path in (small, large, single)] == [False, True, False]
    assert [read_header(path).format for path in (small, large, single)] == ["TIFF", "whole slide", "TIFF"]
    with open_picture(small) as picture:
        assert picture.pixels().shape == (640, 960, 3)
    assert opened(large)[1][0].startswith("12 tiles")


def test_a_slide_of_a_maker_is_one_whatever_its_name(tmp_path: Path) -> None:
    assert is_exam(write_picture(tmp_path / "a.tif", stained()))


def test_a_slide_is_no_picture(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained())
    with pytest.raises(UnreadableImage, match="give it as an exam"), open_picture(path):
        pass


def test_a_header_tells_the_size_and_that_a_label_is_there(tmp_path: Path) -> None:
    label = np.full((463, 387, 3), 200, np.uint8)
    header = read_header(write_picture(tmp_path / "a.svs", stained(), SlideOptions(label=label)))
    assert (header.width, header.height, header.frames, header.manufacturer) == (960, 640, 1, "aperio")
    assert header.has_label_image
    assert not read_header(write_picture(tmp_path / "b.svs", stained())).has_label_image


def test_without_openslide_slides_are_left_out_and_what_reads_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_picture(tmp_path / "a.svs", stained())
    tiff = write_picture(tmp_path / "a.tif", stained())
    monkeypatch.setattr(sniff, "is_installed", lambda modules: False)
    monkeypatch.setattr("overread.machine.extras.is_installed", lambda modules: False)
    kind = kind_of_other(path)
    assert kind is not None and "overread[slides]" in kind.remark
    assert read_header(tiff).format == "TIFF"
    with pytest.raises(MissingExtra, match=r"overread\[slides\]"):
        opened(path)


def test_a_slide_on_another_machine_is_told_to_be_copied() -> None:
    with pytest.raises(UnreadableImage, match="copy it to a disk"):
        open_slide("s3://bucket/a.svs")


def test_a_damaged_slide_is_a_sentence_without_its_path(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "MUELLER_ANNA.svs", stained())
    content = path.read_bytes()
    for broken in (content[: len(content) // 2], b"II*\0" + content[4:], b"II*\0"):
        path.write_bytes(broken)
        with pytest.raises(UnreadableImage) as refused:
            opened(path)
        assert "MUELLER" not in str(refused.value) and str(tmp_path) not in str(refused.value)


def test_flipped_bits_raise_nothing_but_what_is_foreseen(tmp_path: Path) -> None:
    content = write_picture(tmp_path / "a.svs", stained((256, 192), (64, 32, 192, 160))).read_bytes()
    outcomes = set()
    for k in range(40):
        broken = bytearray(content)
        # Directories lie at the end.
        at = int(RNG.integers(0, len(broken))) if k % 2 else len(broken) - 1 - int(RNG.integers(0, 900))
        broken[at] ^= 1 << int(RNG.integers(8))
        path = tmp_path / f"{k}.svs"
        path.write_bytes(broken)
        try:
            opened(path)
            outcomes.add("read")
        except UnreadableImage:
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


def test_tissue_reaches_as_far_as_its_colour() -> None:
    picture = np.dstack([stained(), np.full((640, 960), 255, np.uint8)])
    found = find_tissue(picture, 0.5).tissue
    assert found[140:436, 332:628].all()
    assert not found[:108].any()


def test_real_slides_are_read_with_their_own_names_and_kinds(shared_data: Path) -> None:
    folder = shared_data / "whole_slides"
    expected = {"CMU-1-Small-Region.svs": 15, "test3-DAPI-2-(387).ndpi": 16}
    for name, tiles in expected.items():
        with open_exam([Instance(folder / name)]) as frames:
            assert len(frames) == tiles
            assert frames.picture(0).pixels().shape == (224, 224, 3)
    assert read_header(folder / "CMU-1-Small-Region.svs").has_label_image
    assert not is_exam(folder / "boxes.tiff")
    for name, words in (("small.svs", "no tissue"), ("unreadable.svs", "damaged"), ("boxes_0.dcm", "no tissue")):
        with pytest.raises(UnreadableImage, match=words), open_exam([Instance(folder / name)]):
            pass


def test_a_frame_of_a_dicom_slide_that_is_named_is_still_a_picture(shared_data: Path) -> None:
    with open_picture(shared_data / "dicom_series" / "highdicom" / "sm_image.dcm", frame=3) as picture:
        assert picture.pixels().shape == (10, 10, 3)


def test_tiles_that_are_decoded_together_are_those_that_are_decoded_alone(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained())
    for microns in (0.5, 1.0, 1.7, 3.0):
        with open_exam([Instance(path)], View(microns=microns), tile=(48, 32)) as frames:
            assert isinstance(frames, DecodedTogether)
            together = frames.pictures(range(len(frames)))
            for index, picture in enumerate(together):
                assert np.array_equal(picture.pixels(), frames.picture(index).pixels())
