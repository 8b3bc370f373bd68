"""A set that was augmented before it was labelled is told as such, with the sources that the names tell."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from overread.auditing import Finding
from overread.study import audit
from support.pictures import picture, shaded

TURNS = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90)


def write(folder: Path, *, turned: int, plain: int) -> Path:
    for number in range(turned + plain):
        label, source = ("well", "ill")[number % 2], picture(number, body=number)
        (folder / label).mkdir(parents=True, exist_ok=True)
        copies = [source.transpose(turn) for turn in TURNS] if number < turned else [shaded(source, 0.8)]
        for serial, image in enumerate((source, *copies)):
            image.save(folder / label / f"_{number}_{1000 + 37 * serial + number}.png")
    return folder


def found_in(folder: Path) -> list[Finding]:
    found = audit(folder, store=folder.parent / "store").findings
    return [finding for finding in found if finding.code == "augmented-set"]


def test_turned_copies_of_few_pictures_are_an_augmented_set_and_the_names_tell_the_source(tmp_path: Path) -> None:
    (found,) = found_in(write(tmp_path / "set", turned=12, plain=4))
    assert found.sentence.startswith("This set looks augmented: 44 files come from about 16 pictures. 36 of them")
    assert found.severity == "warn"
    assert [dict(row) for row in found.evidence] == [
        {"class": "well", "files": "22", "pictures": "8"},
        {"class": "ill", "files": "22", "pictures": "8"},
    ]
    assert len(found.groups) == 12
    assert r"--patient-pattern '^_\d+', which tells 16 apart" in found.fix


def test_darker_copies_and_a_few_that_were_turned_make_no_augmented_set(tmp_path: Path) -> None:
    assert found_in(write(tmp_path / "set", turned=3, plain=20)) == []
