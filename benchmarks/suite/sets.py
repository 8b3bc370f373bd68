"""The sets of the suite: their cases without a test side that the data name, dealt to folds by patient."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from table import data_folder

from overread.cases import Manifest, Source, fold_cases, split_cases, without_test
from overread.errors import InvalidData
from overread.images import REFERENCE, DataSet
from overread.study.data import read_manifest
from overread.study.sides import Decoded

FOLDS = 5
# A folder in OVERREAD_DATA, and what it does not tell by itself.
KNOWN: dict[str, dict[str, str]] = {
    "chest_xray": {"folder": "chest_xray"},
    "head_ct": {"folder": "head_ct"},
    # Augmented pictures: the one that an image was made from stands for its patient.
    "blood_cells": {"folder": "blood_cells/TEST", "patient_pattern": r"([A-Z]+)/_(\d+)_"},
    "idrid_grades": {"folder": "idrid_grades", "label_column": "Retinopathy grade"},
    "nih_multilabel": {"folder": "nih_multilabel", "labels": "Data_Entry_2017.csv", "finding": "Effusion"},
    "larynx": {"folder": "larynx_vocalfolds"},
}


def known_source(name: str) -> Source:
    """Where a set that is known by name lies, and how it is to be understood."""
    told = dict(KNOWN[name])
    folder = data_folder(told.pop("folder"))
    labels = (str(folder / told.pop("labels")),) if "labels" in told else ()
    return Source(data=str(folder), labels=labels, **told)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fold:
    """One deal of a set: whose cases are on the train or on the test side; the arms carve validation themselves."""

    name: str
    manifest: Manifest


def deal(source: Source, *, seed: int, train_images: int | None, store: Path) -> list[Fold]:
    """Deal a set to five folds by patient, copies together; fewer where a class has fewer patients.

    A test side that the data name stays unopened.

    Args:
        source: of the set.
        seed: of the deal.
        train_images: how many to keep of the train side, by whole patients, more or less; None for all.
        store: for decoded pixels.

    Raises:
        OverreadError: the set cannot be read or dealt.
    """
    pool = without_test(read_manifest(source))
    data_set = DataSet.open(pool, REFERENCE, folder=store, skip_unreadable=True)
    readable = Decoded.of(pool, data_set).data_set.manifest
    dealt = fold_cases(readable, folds=possible_folds(readable), seed=seed)
    if train_images is not None:
        dealt = tuple(_fewer(fold, train_images, seed) for fold in dealt)
    for fold in dealt:
        split_cases(fold, seed=seed)  # refuses what no arm could be trained on
    return [Fold(name=f"fold-{number}", manifest=fold) for number, fold in enumerate(dealt, start=1)]


def possible_folds(manifest: Manifest) -> int:
    """Five, or as many as the class of fewest patients can be dealt to; two at least."""
    patients = (len({manifest.cases[i].counts_as for i in manifest.of_class(name)}) for name in manifest.classes)
    return max(2, min(FOLDS, *patients))


def official(source: Source) -> Fold:
    """The split that the data name, with their own test side.

    Raises:
        InvalidData: they name none.
    """
    manifest = read_manifest(source)
    if not manifest.select("test"):
        raise InvalidData(f"{source.data} names no test side: leave --official-test out")
    sides = ("test" if case.split == "test" else "train" for case in manifest.cases)
    cases = [dataclasses.replace(case, split=side) for case, side in zip(manifest.cases, sides, strict=True)]
    return Fold(name="official", manifest=manifest.replace(cases))


def _fewer(fold: Manifest, images: int, seed: int) -> Manifest:
    """Deal the train side to as many parts as leave about so many images in one, and keep that one."""
    train = fold.replace(fold.cases[i] for i in fold.select("train"))
    parts = min(20, len(train) // images)
    if parts < 2:
        return fold
    dealt = fold_cases(train, folds=parts, seed=seed)[0]
    kept = [dataclasses.replace(dealt.cases[i], split="train") for i in dealt.select("test")]
    return fold.replace([*kept, *(fold.cases[i] for i in fold.select("test"))])
