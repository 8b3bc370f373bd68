"""Real sets to plant defects into, without what is known to be wrong in them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from overread.cases import Case, Manifest, Source
from overread.study.data import read_manifest

# Near copies of others that were told by eye are left out, by the stem of the file.
NEAR_COPIES = {
    "head_ct": ("022", "030", "058", "061", "065", "066", "095", "149", "187", "189", "199"),
    "idrid_grades": ("IDRiD_397",),
    "odir_multilabel": ("553_right", "831_right", "1493_left", "1493_right"),
}
FEWEST_PATIENTS = 20
Key = Callable[[Case], str]


@dataclasses.dataclass(frozen=True)
class RealSet:
    """A set of real images.

    Args:
        name: what it is called in the tables.
        manifest: its cases, each with a side and a patient.
        scene: of each case, what images of one scene or patient share: copies among these are no false findings.
    """

    name: str
    manifest: Manifest
    scene: tuple[str, ...]

    def some(self, most: int) -> list[int]:
        """The positions of at most so many images, in their order."""
        return np.sort(np.random.default_rng(0).permutation(len(self.manifest))[:most]).tolist()


def sources(data: Path) -> dict[str, tuple[Source, Key | None]]:
    """What there is: radiographs, tomograms, cells, fundi, endoscopy and tissue, and what one scene is in each."""
    idrid = Source(data=str(data / "idrid_grades"), label_column="Retinopathy grade")
    odir = data / "odir_multilabel"
    eyes = Source(labels=(str(odir / "per_eye_derived.csv"),), images=str(odir / "images"), finding="D")
    return {
        "chest_xray": (Source(data=str(data / "chest_xray")), lambda case: str(case.patient_id)),
        "head_ct": (Source(data=str(data / "head_ct")), None),
        "blood_cells": (Source(data=str(data / "blood_cells" / "TEST")), cell_source),
        "idrid_grades": (idrid, None),
        "odir_multilabel": (eyes, None),
        "larynx_vocalfolds": (Source(data=str(data / "larynx_vocalfolds")), lambda case: case.extra["sequence"]),
        "kather_tiles": (Source(data=str(data / "kather_tiles")), None),
    }


def cell_source(case: Case) -> str:
    """The picture that an image of blood_cells was made from: numbered anew in each class."""
    return f"{case.label} {case.path.stem.split('_')[1]}"


def real_set(name: str, source: Source, scene: Key | None = None) -> RealSet:
    """Read a set, leave out what is known to be a copy, and give every case a side and a patient.

    Of identical files one is kept, and of augmented ones one of each source. Where no patients, or few, are named
    two images of a class are one, and where no side is named three patients of ten are for testing.
    """
    manifest = read_manifest(source)
    cases = list(_distinct(manifest.cases, NEAR_COPIES.get(name, ()), cell_source if scene is cell_source else None))
    if not all(case.patient_id for case in cases) or len({case.patient_id for case in cases}) < FEWEST_PATIENTS:
        cases = _sided(_paired(cases))
    elif not all(case.split for case in cases):
        cases = _sided(cases)
    # Without the further columns: they would be audited too.
    bare = [dataclasses.replace(case, extra={}, rows={}) for case in cases]
    names = tuple(scene(case) if scene else case.full_name for case in cases)
    return RealSet(name=name, manifest=manifest.replace(bare), scene=names)


def _distinct(cases: Iterable[Case], left_out: Iterable[str], source: Key | None) -> Iterable[Case]:
    seen: set[str] = set()
    for case in cases:
        keys = {hashlib.blake2b(case.path.read_bytes()).hexdigest(), *([source(case)] if source else [])}
        if not keys & seen and case.path.stem not in left_out:
            yield case
        seen |= keys


def _paired(cases: Iterable[Case]) -> list[Case]:
    seen: dict[str, int] = {}
    paired = []
    for case in cases:
        seen[case.label] = number = seen.get(case.label, -1) + 1
        paired.append(dataclasses.replace(case, patient_id=f"{case.label} {number // 2}"))
    return paired


def _sided(cases: list[Case]) -> list[Case]:
    patients = list(dict.fromkeys(case.patient_id for case in cases))
    random = np.random.default_rng(0)
    tested = {patients[i] for i in random.permutation(len(patients))[: round(len(patients) * 0.3)]}
    return [dataclasses.replace(case, split="test" if case.patient_id in tested else "train") for case in cases]
