"""Giveaways and annotations planted into one of two classes that are dealt by chance, and what chance alone is told."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from defects.persons import IDENTIFYING, ORDINARY
from defects.pictures import MARKS, Change
from defects.scoring import Score, named_by
from defects.sets import RealSet
from defects.spoilt import opened
from overread.auditing import Audit, audit_manifest
from overread.auditing.rules import house_rules
from overread.cases import Manifest
from overread.study.data import read_manifest

MOST, SIDE, SHARE, DEALINGS = 200, 320, (0.1, 0.6), 10
Save = Callable[[Image.Image, Path], None]


def _jpeg(quality: int) -> Save:
    return lambda image, path: image.save(path.with_suffix(".jpg"), quality=quality)


def _png(change: Callable[[Image.Image], Image.Image] = lambda image: image) -> Save:
    return lambda image, path: change(image).save(path.with_suffix(".png"))


def _opaque(image: Image.Image) -> Image.Image:
    layered = image.copy()
    layered.putalpha(255)
    return layered


# What the two classes are saved as, and the findings that must tell.
GIVEAWAYS: Mapping[str, tuple[Save, Save, tuple[str, ...]]] = {
    "stronger JPEG in one class": (_jpeg(95), _jpeg(70), ("shortcut-jpeg*", "shortcut-bytes*", "shortcut-header")),
    "another format in one class": (_jpeg(95), _png(), ("shortcut-format", "shortcut-extension", "shortcut-header")),
    "another size in one class": (
        _png(), _png(lambda image: image.resize((image.width * 9 // 10, image.height * 9 // 10))),
        ("shortcut-size", "shortcut-width", "shortcut-height"),
    ),
    "one size in half of a class": (_png(), _png(), ("shortcut-size", "shortcut-width", "shortcut-height")),
    "a border in one class": (
        _png(), _png(lambda image: ImageOps.expand(image.resize((image.width - 24, image.height - 24)), 12)),
        ("shortcut-border", "shortcut-corners"),
    ),
    "darker by a third in one class": (
        _png(), _png(lambda image: ImageEnhance.Brightness(image).enhance(0.67)), ("shortcut-brightness",),
    ),
    "a transparent layer in one class": (_png(), _png(_opaque), ("shortcut-alpha", "shortcut-mode")),
}  # fmt: skip
ANNOTATIONS = ("annotation*", "*marks*", "burned*")


class Dealt:
    """Some pictures of a set, made smaller, under two labels dealt by chance by patient."""

    def __init__(self, real: RealSet, folder: Path) -> None:
        self.folder = folder
        chosen = [real.manifest.cases[i] for i in real.some(MOST)]
        self.images = [opened(case.path) for case in chosen]
        for image in self.images:
            image.thumbnail((SIDE, SIDE))
        self.patients = [case.patient_id or "" for case in chosen]
        self.labels = self.deal(np.random.default_rng(0))

    def deal(self, random: np.random.Generator) -> list[str]:
        """Half of the patients each."""
        patients = list(dict.fromkeys(self.patients))
        second = {patients[i] for i in random.permutation(len(patients))[: len(patients) // 2]}
        return ["b" if patient in second else "a" for patient in self.patients]

    def write(self, name: str, saves: Mapping[str, Save], columns: Mapping[str, list[str]] | None = None) -> Manifest:
        """A folder with a table, each class saved in its way."""
        folder = self.folder / name.replace(" ", "_")
        folder.mkdir()
        for i, (image, label) in enumerate(zip(self.images, self.labels, strict=True)):
            saves[label](image, folder / f"{i:04d}")
        columns = columns or {}
        with (folder / "cases.csv").open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["path", "label", "patient_id", *columns])
            for i, path in enumerate(sorted(folder.glob("[0-9]*"))):
                writer.writerow([path.name, self.labels[i], self.patients[i], *(told[i] for told in columns.values())])
        return read_manifest(folder / "cases.csv")


def giveaways(real: RealSet, folder: Path) -> Iterator[Score]:
    """For each giveaway whether a finding tells of it; other shortcuts that are told beside it are not counted.

    Sets with too few patients for the audit to look have none.
    """
    for name, (first, second, codes) in GIVEAWAYS.items():
        dealt = Dealt(real, folder)
        if name == "one size in half of a class":
            of_class = [i for i, label in enumerate(dealt.labels) if label == "b"]
            for i in of_class[::2]:
                dealt.images[i] = dealt.images[i].resize((211, 199))
        result, _ = audit_manifest(dealt.write(name, {"a": first, "b": second}), folder=folder / "store")
        told = {found.code for found in result.findings}
        hit = any(fnmatch(code, wanted) for code in told for wanted in codes)
        yield Score(name, int("shortcut-untested" not in told), int(hit), int(hit), 0)


def annotations(real: RealSet, folder: Path) -> Iterator[Score]:
    """How many of the annotated images are named, where one class has them more often than the other."""
    for name, draw in MARKS.items():
        dealt = Dealt(real, folder)
        marked = _draw(dealt, draw)
        manifest = dealt.write(name, {"a": _png(), "b": _png()})
        result, _ = audit_manifest(manifest, folder=folder / "store")
        groups = named_by(_without_hidden(result), manifest, ANNOTATIONS)
        said = {image for group in groups for image in group}
        yield Score(f"{name} burned in", len(marked), len(said & marked), len(said & marked), len(said - marked))


def _draw(dealt: Dealt, draw: Change) -> set[str]:
    random, marked = np.random.default_rng(1), set()
    for i, label in enumerate(dealt.labels):
        if random.random() < SHARE[label == "b"]:
            dealt.images[i] = draw(dealt.images[i], random)
            marked.add(f"{i:04d}.png")
    return marked


def _without_hidden(result: Audit) -> Audit:
    """Without the properties of shortcuts, which cite an image as an example only."""
    return dataclasses.replace(result, findings=[f for f in result.findings if not f.code.startswith("shortcut")])


def columns(real: RealSet, folder: Path) -> Score:
    """How many of the columns that name a person are told, and how many others."""
    dealt, random = Dealt(real, folder), np.random.default_rng(2)
    every = {**IDENTIFYING, **ORDINARY}
    values = {name: [make(random) for _ in dealt.labels] for name, make in every.items()}
    result, _ = audit_manifest(dealt.write("columns", {"a": _png(), "b": _png()}, values), folder=folder / "store")
    codes = next(rule.codes for rule in house_rules() if rule.name == "personal data")
    rows = [row for found in result.findings if found.code in codes for row in found.evidence]
    told = {name for name in every if any(name.lower() in row.values() for row in rows)}
    found = len(told & IDENTIFYING.keys())
    return Score("columns that name a person", len(IDENTIFYING), found, found, len(told - IDENTIFYING.keys()))


def by_chance(real: RealSet, folder: Path) -> int:
    """In how many of `DEALINGS` dealings, in which nothing gives the classes away, a shortcut is told."""
    dealt = Dealt(real, folder)
    manifest = dealt.write("chance", {"a": _png(), "b": _png()})
    _, material = audit_manifest(manifest, folder=folder / "store")
    rule = next(rule for rule in house_rules() if rule.name == "shortcuts")
    false = 0
    for number in range(DEALINGS):
        labels = dealt.deal(np.random.default_rng(100 + number))
        cases = [dataclasses.replace(case, label=label) for case, label in zip(manifest.cases, labels, strict=True)]
        anew = manifest.replace(cases)
        dealt_anew = dataclasses.replace(material, manifest=anew, data_set=material.data_set.with_split(anew))
        false += any(found.severity != "info" for found in rule.apply(dealt_anew))
    return false
