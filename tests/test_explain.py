"""`overread explain`: a picture an image, whose map comes out of the reading itself, and failures that are named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread import Reader
from overread.errors import InvalidOption, OutputExists
from overread.reading import explain, find_images, overlay
from overread.study.train import Study
from support.command_line import overread, sentence


@pytest.fixture(scope="module")
def reader(tiny_study: Study) -> Reader:
    return Reader.load(tiny_study.out / "bundle")


def test_each_picture_shows_the_image_and_beside_it_the_map_of_the_very_reading(
    reader: Reader, two_classes: Path, tmp_path: Path
) -> None:
    paths = find_images([str(two_classes)])[::16]
    made = list(explain(reader, paths, tmp_path / "out", opacity=0.7))
    assert len(made) == len(paths) == 4
    for path, found in zip(paths, made, strict=True):
        assert found.picture is not None
        reading = reader.read(path)
        picture = np.asarray(Image.open(found.picture))
        assert found.shown == reading.predicted_label and picture.shape == (448, 896, 3)
        expected = overlay(reading, opacity=0.7, size=(448, 448))
        assert np.abs(picture[:, 448:].astype(int) - np.asarray(expected)).max() <= 1
        assert np.ptp(picture[:, :448].astype(int), axis=2).max() == 0


def test_the_evidence_for_a_named_class_is_drawn_in_every_picture(
    reader: Reader, two_classes: Path, tmp_path: Path
) -> None:
    paths = find_images([str(two_classes)])[::16]
    assert {found.shown for found in explain(reader, paths, tmp_path / "out", shown="Normal")} == {"Normal"}
    with pytest.raises(InvalidOption, match="no class 'normal': expected one of Normal, Disease"):
        explain(reader, paths, tmp_path / "other", shown="normal")
    assert not (tmp_path / "other").exists()


def test_an_image_unlike_the_training_images_is_drawn_without_evidence_unless_a_class_is_asked_for(
    reader: Reader, tmp_path: Path
) -> None:
    Image.fromarray(np.tile(np.array([[0, 255], [255, 0]], np.uint8), (40, 40))).save(tmp_path / "unlike.png")
    (found,) = explain(reader, tmp_path / "unlike.png", tmp_path / "out")
    assert found.shown is None and found.picture is not None
    beside = np.asarray(Image.open(found.picture))[:, 448:].astype(int)
    assert np.ptp(beside, axis=2).max() == 0 and beside.max() == 255  # white words on black
    (asked,) = explain(reader, tmp_path / "unlike.png", tmp_path / "other", shown="Normal")
    assert asked.shown == "Normal"


def test_names_are_safe_and_never_collide(reader: Reader, two_classes: Path, tmp_path: Path) -> None:
    source = next(two_classes.glob("*/*.png"))
    names = ["a/image.png", "b/image.png", "b/IMAGE.PNG", "b/.. [red]x\u00e9\n.png", f"b/{'x' * 200}.png", "b/CON.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(source.read_bytes())
    made = list(explain(reader, [tmp_path / name for name in names], tmp_path / "out"))
    pictures = [found.picture.name for found in made if found.picture]
    assert pictures[:4] == ["1-image.png", "2-image.png", "3-IMAGE.png", "4-.._red_x_.png"]
    assert len(pictures[4]) < 100 and pictures[5] == "6-CON.png"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*pictures, "run.json"}


def test_only_results_of_overread_are_replaced_and_never_the_images(
    reader: Reader, two_classes: Path, tmp_path: Path
) -> None:
    paths = find_images([str(two_classes)])[:2]
    list(explain(reader, paths, tmp_path / "out"))
    with pytest.raises(OutputExists, match="--force"):
        explain(reader, paths, tmp_path / "out")
    list(explain(reader, paths[1:], tmp_path / "out", existing="replace"))
    assert len(list((tmp_path / "out").glob("*.png"))) == 1
    with pytest.raises(OutputExists, match="no results of overread"):
        explain(reader, [tmp_path / "elsewhere.png"], two_classes, existing="replace")
    with pytest.raises(InvalidOption, match="images lie in"):
        explain(reader, find_images([str(tmp_path / "out")]), tmp_path / "out", existing="replace")
    assert len(list((tmp_path / "out").glob("*.png"))) == 1


def test_the_command_prints_the_pictures_names_the_failures_and_exits_with_1(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_text("no image")
    images = sorted((two_classes / "Disease").glob("*.png"))[:2]
    command = ("explain", tiny_study.out / "bundle", *images, tmp_path / "broken.png", "--out", tmp_path / "out")
    done = overread(*command)
    assert done.returncode == 1 and sentence(done) == "1 of 3 images could not be read"
    assert f"{tmp_path / 'broken.png'}: " in done.stderr
    assert [Path(line).exists() for line in done.stdout.splitlines()] == [True, True]

    done = overread(*command, "--json", "--force", "--class", "Normal", "--opacity", "0.3")
    first, _, last = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["path"], first["shown"], first["error"]) == (str(images[0]), "Normal", None)
    assert Path(first["picture"]).exists() and first.keys() == last.keys()
    assert last["error"] and last["picture"] is None


@pytest.mark.parametrize(
    ("options", "message"), [(("--opacity", "2"), "outside 0 to 1"), (("--class", "Tumour"), "no class 'Tumour'")]
)
def test_wrong_options_end_with_status_2_before_anything_is_written(
    tiny_study: Study, two_classes: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = overread("explain", tiny_study.out / "bundle", two_classes, "--out", tmp_path / "out", *options)
    assert done.returncode == 2 and message in sentence(done) and not (tmp_path / "out").exists()
