"""Defects of copies, files, masks, patients and rows: how each is planted, and which finding must name it."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from defects.persons import path_of_a_person
from defects.pictures import NEAR, PAINTED, Change, label_map, mask
from defects.spoilt import Spoilt, opened

Plant = Callable[[Spoilt, int], frozenset[str]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of defect.

    Args:
        name: in the table.
        codes: patterns of the findings that must name it, as of file names.
        plant: spoils one row and gives the names of the images that must be named.
        together: they must stand in one group.
        room: kinds of one room are planted together.
        fits: whether a row can be spoilt so.
    """

    name: str
    codes: tuple[str, ...]
    plant: Plant
    together: bool = False
    room: str = "copies"
    fits: Callable[[Spoilt, int], bool] = lambda spoilt, position: True


def rounds(kinds: Sequence[Kind], images: int, each: int) -> Iterator[list[Kind]]:
    """The kinds in rounds, so that at most half of the images are spoilt in one."""
    most = max(1, images // 2 // each)
    for room in dict.fromkeys(kind.room for kind in kinds):
        own = [kind for kind in kinds if kind.room == room]
        yield from (own[start : start + most] for start in range(0, len(own), most))


def plant(spoilt: Spoilt, kinds: Sequence[Kind], each: int) -> None:
    """Plant so many of each kind."""
    for kind in kinds:
        spoilt.planted[kind.name] = []
        for position in spoilt.victims(kind.fits, each):
            spoilt.planted[kind.name].append(kind.plant(spoilt, position))


def _copied(change: Change | None, suffix: str = ".jpg", quality: int = 90, **changes: str) -> Plant:
    """A copy in the same class, on the test side and under another patient unless the changes say otherwise."""

    def plant_one(spoilt: Spoilt, position: int) -> frozenset[str]:
        original = spoilt.rows[position]
        path = spoilt.new_file(suffix)
        image = opened(original.path)
        save = {"quality": quality} if suffix == ".jpg" else {}
        (change(image, spoilt.random) if change else image).save(path, **save)
        return spoilt.add(position, path, **_told(spoilt, position, changes))

    return plant_one


def _same_bytes(**changes: str) -> Plant:
    def plant_one(spoilt: Spoilt, position: int) -> frozenset[str]:
        original = spoilt.rows[position].path
        path = spoilt.new_file(original.suffix)
        shutil.copyfile(original, path)
        return spoilt.add(position, path, **_told(spoilt, position, changes))

    return plant_one


def _told(spoilt: Spoilt, position: int, changes: dict[str, str]) -> dict[str, str]:
    row = spoilt.rows[position]
    own = {"label": row.label, "split": row.split, "patient_id": row.patient_id}
    told = {name: own[name] if value == "same" else value for name, value in changes.items()}
    return {**told, "label": spoilt.another(row.label)} if changes.get("label") == "other" else told


ACROSS = {
    "other side": ("splits", {}),
    "other label": ("classes", {"label": "other", "split": "same"}),
    "other patient": ("patients", {"split": "same"}),
}


def _copies() -> Iterator[Kind]:
    for words, (where, changes) in ACROSS.items():
        codes = (f"*duplicate-across-{where}",)
        yield Kind(name=f"same bytes, {words}", codes=codes, plant=_same_bytes(**changes), together=True)
        weak = _copied(None, quality=40, **changes)
        yield Kind(name=f"JPEG of quality 40, {words}", codes=codes, plant=weak, together=True)
    every = ("*duplicate-*",)
    yield Kind(name="same pixels, other encoding", codes=every, plant=_copied(None, ".png"), together=True)
    for name, change in NEAR.items():
        yield Kind(name=name, codes=every, plant=_copied(change), together=True)


def _annotations() -> Iterator[Kind]:
    alike = {"split": "same", "patient_id": "same"}
    for name, change in PAINTED.items():
        codes = ("overlay-among-images",)
        yield Kind(name=name, codes=codes, plant=_copied(change, ".png", **alike), room="annotations")
    codes = ("mask-among-images",)
    named = _copied(mask, "_mask.png", **alike)
    yield Kind(name="mask by its name", codes=codes, plant=named, room="annotations")
    yield Kind(name="mask by its look", codes=codes, plant=_copied(mask, ".png", **alike), room="annotations")
    yield Kind(name="label map of the same name", codes=codes, plant=_label_map, room="annotations")


def _label_map(spoilt: Spoilt, position: int) -> frozenset[str]:
    original = spoilt.rows[position]
    path = spoilt.folder / "labels" / f"{original.path.stem}.png"
    path.parent.mkdir(exist_ok=True)
    label_map(opened(original.path), spoilt.random).save(path)
    return spoilt.add(position, path, split=original.split, patient_id=original.patient_id)


def _written(suffix: Callable[[Path], str], write: Callable[[Path, Path], object]) -> Plant:
    """Another file in the place of the original."""

    def plant_one(spoilt: Spoilt, position: int) -> frozenset[str]:
        original = spoilt.rows[position].path
        path = spoilt.new_file(suffix(original))
        write(original, path)
        return spoilt.replace(position, path)

    return plant_one


def _holed(source: Path, target: Path) -> None:
    image = opened(source).convert("RGBA")
    layer = Image.new("L", image.size, 255)
    ImageDraw.Draw(layer).ellipse((0, 0, image.width // 3, image.height // 3), fill=0)
    image.putalpha(layer)
    image.save(target)


def _files() -> Iterator[Kind]:
    def same(path: Path) -> str:
        return path.suffix

    spoil = {
        "truncated": ("unreadable", same, lambda a, b: b.write_bytes(a.read_bytes()[: a.stat().st_size // 3])),
        "empty": ("unreadable", same, lambda a, b: b.write_bytes(b"")),
        "wrong extension": ("wrong-extension", lambda a: ".jpg" if a.suffix == ".png" else ".png", shutil.copyfile),
        "blank": ("blank-image", same, lambda a, b: Image.new("L", opened(a).size, 97).save(b)),
        "transparent holes": ("transparency", lambda a: ".png", _holed),
    }
    for name, (code, suffix, write) in spoil.items():
        yield Kind(name=name, codes=(code,), plant=_written(suffix, write), room="files")


def _has_company(spoilt: Spoilt, position: int) -> bool:
    row = spoilt.rows[position]
    own = [spoilt.rows[i] for i in spoilt.images_of(row.patient_id)]
    is_whole = {(one.label, one.split) for one in own} == {(row.label, row.split)}
    return len(own) > 1 and is_whole and not spoilt.spoilt & {one.name for one in own}


def _with_other(field: str) -> Plant:
    """One of a patient's rows gets another value; the names of all of them."""

    def plant_one(spoilt: Spoilt, position: int) -> frozenset[str]:
        row = spoilt.rows[position]
        value = "test" if field == "split" else spoilt.another(row.label)
        spoilt.rows[position] = dataclasses.replace(row, **{field: value})
        return frozenset(spoilt.rows[i].name for i in spoilt.images_of(row.patient_id))

    return plant_one


def _repeated(field: str) -> Plant:
    """A second row of the same image with another value."""

    def plant_one(spoilt: Spoilt, position: int) -> frozenset[str]:
        row = spoilt.rows[position]
        value = spoilt.another(row.label) if field == "label" else f"{row.patient_id} again"
        spoilt.rows.append(dataclasses.replace(row, **{field: value}))
        return frozenset({row.name})

    return plant_one


def _facts() -> Iterator[Kind]:
    across, several, contradict = ("patient-across-splits",), ("patient-with-several-labels",), ("rows-contradict",)
    for name, codes, field in (
        ("patient on two sides", across, "split"),
        ("patient with two labels", several, "label"),
    ):
        yield Kind(name=name, codes=codes, plant=_with_other(field), room="facts", fits=_has_company)
    for field in ("label", "patient_id"):
        name = f"rows that differ in {field.removesuffix('_id')}"
        yield Kind(name=name, codes=contradict, plant=_repeated(field), room="facts")


def _under_a_name(spoilt: Spoilt, position: int) -> frozenset[str]:
    original = spoilt.rows[position].path
    path = spoilt.new_file(f"/{path_of_a_person(spoilt.random)}{original.suffix}")
    shutil.copyfile(original, path)
    return spoilt.replace(position, path)


KINDS = (
    *_copies(),
    *_annotations(),
    *_files(),
    *_facts(),
    Kind(name="path names a person", codes=("names-in-paths",), plant=_under_a_name, room="names"),
)
