"""How much of what is wrong does the audit find: known defects planted into real radiographs, recall and precision.

    python benchmarks/audit_defects.py

Needs the real images (OVERREAD_DATA, else ../shared/data beside the checkout). Nothing is written beside them: the
planted files lie in a temporary folder, and a CSV names them together with the originals.
"""

from __future__ import annotations

import csv
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance

from overread.auditing import Audit, audit_manifest
from overread.cases import Case, Manifest
from overread.study.data import read_manifest

EACH = 20  # of each kind
NEAR: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized to 60 %": lambda image: image.resize((image.width * 6 // 10, image.height * 6 // 10)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned by 90": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turned by 180": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "brighter by 25 %": lambda image: ImageEnhance.Brightness(image).enhance(1.25),
    "contrast less 25 %": lambda image: ImageEnhance.Contrast(image).enhance(0.75),
}
EXPECTED = {
    "same bytes, other side": "duplicate-across-splits",
    "same pixels, other side": "duplicate-across-splits",
    **{f"{name}, other side": "near-duplicate-across-splits" for name in [*NEAR, "JPEG of quality 40"]},
    "same bytes, other label": "duplicate-across-classes",
    "JPEG of quality 40, other label": "near-duplicate-across-classes",
    "mask by name": "mask-among-images",
    "mask by its look": "mask-among-images",
    "patient moved": "patient-across-splits",
    "truncated or empty": "unreadable",
    "wrong extension": "wrong-extension",
}


class Planter:
    """Makes spoilt files and the rows that name them, and remembers what it did."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder, self.cases = folder, list(manifest.cases)
        train = [i for i, case in enumerate(self.cases) if case.split == "train"]
        self.victims: Iterator[int] = iter(np.random.default_rng(0).permutation(train).tolist())
        self.planted: dict[str, list[frozenset[int]]] = {name: [] for name in EXPECTED}
        self.labels = manifest.classes

    def add(self, kind: str, suffix: str, make: Callable[[Path, Path], None], **changes: str) -> None:
        """Plant EACH files of one kind, each made from a radiograph of the training side that nothing else uses."""
        for _ in range(EACH):
            position = next(self.victims)
            original = self.cases[position]
            path = self.folder / f"{len(self.cases):05d}{suffix}"
            make(original.path, path)
            changed = dict(changes)
            if changed.get("label") == "other":
                changed["label"] = next(name for name in self.labels if name != original.label)
            patient = changed.pop("patient_id", f"planted {len(self.cases)}")
            fields = {"label": original.label, "split": "test", **changed}
            self.cases.append(Case(path=path, name=path.name, patient_id=patient or original.patient_id, **fields))
            self.planted[kind].append(frozenset((position, len(self.cases) - 1)))

    def plant_all(self) -> None:
        """Plant every kind."""

        def transformed(change: Callable[[Image.Image], Image.Image]) -> Callable[[Path, Path], None]:
            return lambda source, target: change(Image.open(source).convert("L")).save(target, quality=90)

        def cut(source: Path, target: Path) -> None:
            target.write_bytes(source.read_bytes()[: 2000 if int(target.stem) % 2 else 0])

        self.add("same bytes, other side", ".jpeg", lambda a, b: shutil.copyfile(a, b))
        self.add("same pixels, other side", ".png", lambda a, b: Image.open(a).save(b))
        for name, change in NEAR.items():
            self.add(f"{name}, other side", ".jpeg", transformed(change))
        weak = lambda a, b: Image.open(a).save(b, quality=40)  # noqa: E731
        self.add("JPEG of quality 40, other side", ".jpeg", weak)
        self.add("same bytes, other label", ".jpeg", lambda a, b: shutil.copyfile(a, b), label="other", split="train")
        self.add("JPEG of quality 40, other label", ".jpeg", weak, label="other", split="train")
        self.add("mask by name", "_mask.png", _mask, split="train")
        self.add("mask by its look", ".png", _mask, split="train")
        self.add("truncated or empty", ".jpeg", cut, split="train")
        self.add("wrong extension", ".png", lambda a, b: shutil.copyfile(a, b), split="train", patient_id="")
        self._move_patients()

    def _move_patients(self) -> None:
        images: dict[str, list[int]] = {}
        for i, case in enumerate(self.cases):
            if case.split == "train" and case.patient_id:
                images.setdefault(case.patient_id, []).append(i)
        used = {i for pairs in self.planted.values() for pair in pairs for i in pair}
        several = [found for found in images.values() if len(found) > 2 and not used & set(found)][:EACH]
        for first, *rest in several:
            case = self.cases[first]
            self.cases[first] = Case(
                path=case.path, name=case.name, label=case.label, patient_id=case.patient_id, split="test"
            )
            self.planted["patient moved"].append(frozenset((first, *rest)))


def _mask(source: Path, target: Path) -> None:
    size = Image.open(source).size
    random = np.random.default_rng(int(target.stem.split("_")[0]))
    left, top = random.uniform(0.1, 0.4, 2) * size
    image = Image.new("L", size)
    ImageDraw.Draw(image).ellipse((left, top, left + size[0] * 0.4, top + size[1] * 0.45), fill=255)
    image.save(target)


def score(result: Audit, planter: Planter, clean: Audit) -> list[tuple[str, str, str, str]]:
    """Recall of each kind and precision of each finding; what the clean data have of it is not counted as false."""
    rows = []
    groups = {code: [frozenset(group) for found in result.findings if found.code == code for group in found.groups]
              for code in set(EXPECTED.values())}  # fmt: skip
    # Masks are as like one another as copies are, and are found as such too.
    masks = frozenset(max(pair) for kind in EXPECTED if kind.startswith("mask") for pair in planter.planted[kind])
    before = {found.code: {frozenset(group) for group in found.groups} for found in clean.findings}
    for kind, code in EXPECTED.items():
        new = {pair: max(pair) for pair in planter.planted[kind]}
        hit = sum(any(_holds(group, pair, kind) for group in groups[code]) for pair in new)
        wanted = [pair for other, its in EXPECTED.items() if its == code for pair in planter.planted[other]]
        known = before.get(code, set())
        found = [g for g in groups[code] if g not in known and not ("duplicate" in code and g <= masks)]
        right = sum(any(group & pair for pair in wanted) for group in found)
        precision = f"{right / len(found):.3f}" if found else "-"
        rows.append((kind, code, f"{hit / len(new):.3f}" if new else "-", precision))
    return rows


def _holds(group: frozenset[int], pair: frozenset[int], kind: str) -> bool:
    if kind.startswith(("mask", "truncated", "wrong")):
        return max(pair) in group
    return pair <= group


def main() -> None:
    """Plant, audit, print."""
    data = Path(os.environ.get("OVERREAD_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not data.is_dir():
        sys.exit("no real images here: set OVERREAD_DATA to the folder that holds chest_xray/")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = read_manifest(data / "chest_xray")
        clean, _ = audit_manifest(manifest, folder=folder / "store")
        planter = Planter(folder, manifest)
        planter.plant_all()
        spoilt = manifest.replace(planter.cases)
        start = time.perf_counter()
        result, _ = audit_manifest(spoilt, folder=folder / "store")
        seconds = time.perf_counter() - start
        rows = score(result, planter, clean)
    writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    writer.writerow(["planted", "finding", "recall", "precision of the finding"])
    writer.writerows(rows)
    print(f"{EACH} of each among {len(manifest)} radiographs, decoded and audited in {seconds:.0f} s")
    print(f"blocking findings on the clean data: {', '.join(found.code for found in clean.blocking) or 'none'}")


if __name__ == "__main__":
    main()
