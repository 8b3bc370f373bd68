"""Pages of a file that are images of their own, and those that only come with one."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from overread.errors import UnreadableImage
from overread.formats import Instance, open_exam, open_picture, read_header

SCENE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (90, 120, 3), np.uint8))


def tiff(*pages: tuple[Image.Image, dict[int, int]]) -> bytes:
    """A TIFF of pages, each with tags of its own."""
    stream = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(stream) as writer:
        for image, tags in pages:
            info = TiffImagePlugin.ImageFileDirectory_v2()
            for tag, value in tags.items():
                info[tag] = value
            image.save(writer, "TIFF", tiffinfo=info)
            writer.newFrame()
    return stream.getvalue()


def shown(content: bytes, frame: int | None = None) -> np.ndarray:
    with open_picture(content, frame=frame) as picture:
        return picture.pixels()


def small(width: int, height: int) -> Image.Image:
    return SCENE.resize((width, height))


@pytest.mark.parametrize(
    "further",
    [
        [(small(40, 30), {})],
        [(small(60, 45), {}), (small(30, 23), {}), (small(15, 11), {})],
        [(small(120, 90), {254: 1})],
        [(small(50, 50), {254: 1})],
        [(small(50, 50), {254: 9}), (small(20, 90), {254: 1})],
        [(small(80, 60), {255: 2})],
        [(SCENE.convert("1"), {254: 4})],
    ],
)
def test_a_tiff_with_thumbnails_levels_or_masks_is_one_image(further: list, tmp_path: Path) -> None:
    content = tiff((SCENE, {}), *further)
    assert np.array_equal(shown(content), np.asarray(SCENE))
    assert np.array_equal(shown(content, frame=1), np.asarray(SCENE))
    (tmp_path / "a.tif").write_bytes(content)
    header = read_header(tmp_path / "a.tif")
    assert (header.frames, header.width, header.height) == (1, 120, 90)
    with pytest.raises(UnreadableImage, match="no frame 2"):
        shown(content, frame=2)


def test_a_thumbnail_may_come_first(tmp_path: Path) -> None:
    for thumbnail in ((small(40, 30), {}), (small(50, 50), {254: 1})):
        content = tiff(thumbnail, (SCENE, {}))
        assert np.array_equal(shown(content), np.asarray(SCENE))
        (tmp_path / "a.tif").write_bytes(content)
        assert read_header(tmp_path / "a.tif").width == 120


@pytest.mark.parametrize("second", [SCENE.rotate(180), small(110, 80), small(50, 50), small(90, 120), small(80, 60)])
def test_a_tiff_of_several_images_still_asks_for_a_frame(second: Image.Image, tmp_path: Path) -> None:
    content = tiff((SCENE, {}), (second, {}), (small(40, 30), {}))
    with pytest.raises(UnreadableImage, match="holds 2 frames"):
        shown(content)
    assert np.array_equal(shown(content, frame=2), np.asarray(second))
    (tmp_path / "a.tif").write_bytes(content)
    assert read_header(tmp_path / "a.tif").frames == 2


def test_a_page_that_says_that_it_is_reduced_is_an_image_where_it_is_alone() -> None:
    assert np.array_equal(shown(tiff((SCENE, {254: 1}))), np.asarray(SCENE))


def test_a_jpeg_of_a_phone_or_stereo_camera_with_a_second_picture_is_the_first(tmp_path: Path) -> None:
    stream = io.BytesIO()
    SCENE.save(stream, "MPO", save_all=True, append_images=[SCENE.rotate(180)], quality=95)
    alone = io.BytesIO()
    SCENE.save(alone, "JPEG", quality=95)
    assert np.array_equal(shown(stream.getvalue()), shown(alone.getvalue()))
    (tmp_path / "a.jpg").write_bytes(stream.getvalue())
    assert read_header(tmp_path / "a.jpg").frames == 1


def test_a_real_pyramid_is_one_image(shared_data: Path) -> None:
    assert shown((shared_data / "whole_slides" / "boxes.tiff").read_bytes()).shape == (250, 300, 3)


def kinds_of_pages() -> dict[str, bytes]:
    """Files of three pages: compressed or not, deep, of either order of bytes, turned, large offsets, a thumbnail."""
    scenes = [SCENE, SCENE.rotate(180), SCENE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    grey = [Image.fromarray(np.asarray(one.convert("L"), np.uint16) * 200) for one in scenes]
    made: dict[str, bytes] = {
        "thumbnails": tiff(*((page, {}) for one in scenes for page in (one, one.resize((30, 23))))),
        "turned": tiff(*((one, {274: 6}) for one in scenes)),
        "white is zero": tiff(*((one.convert("L"), {262: 0}) for one in scenes)),
    }
    for name, pages, options in (
        ("plain", scenes, {}),
        ("lzw", scenes, {"compression": "tiff_lzw"}),
        ("jpeg", scenes, {"compression": "jpeg"}),
        ("deep", grey, {"compression": "tiff_deflate"}),
        ("big", scenes, {"big_tiff": True}),
    ):
        stream = io.BytesIO()
        pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], **options)
        made[name] = stream.getvalue()
    return made


@pytest.mark.parametrize("kind", kinds_of_pages())
def test_the_pages_of_an_exam_are_those_that_are_opened_one_by_one(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(kinds_of_pages()[kind])
    with open_exam([Instance(tmp_path / "a.tif")]) as frames:
        assert [frames.origin(index).frame for index in range(len(frames))] == [1, 2, 3]
        for number in (3, 1, 2):
            with open_picture(tmp_path / "a.tif", frame=number) as picture:
                assert np.array_equal(frames.picture(number - 1).pixels(), picture.pixels())
                grey, alone = frames.picture(number - 1).grey_values(), picture.grey_values()
                assert (grey is None and alone is None) or np.array_equal(grey.values, alone.values)


def test_no_page_of_an_exam_is_reached_through_those_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.tif").write_bytes(kinds_of_pages()["lzw"])
    (tmp_path / "b.tif").write_bytes(tiff((SCENE, {})))
    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "seek", lambda *_: pytest.fail("walked through pages"))
    with open_exam([Instance(tmp_path / "a.tif", 3), Instance(tmp_path / "b.tif")]) as frames:
        assert [(frames.origin(index).path.name, frames.origin(index).frame) for index in (0, 1)] == [
            ("a.tif", 3),
            ("b.tif", None),
        ]
        assert all(frames.picture(index).pixels().shape == (90, 120, 3) for index in range(len(frames)))


def test_of_an_exam_a_page_that_is_not_there_or_cut_short_is_refused(tmp_path: Path) -> None:
    content = kinds_of_pages()["plain"]
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(UnreadableImage, match="no frame 9"), open_exam([Instance(tmp_path / "a.tif", 9)]):
        pass
    (tmp_path / "b.tif").write_bytes(content[:2000])
    with pytest.raises(UnreadableImage, match="truncated"), open_exam([Instance(tmp_path / "b.tif")]):
        pass
