"""Which patients each network of the chosen candidate leaves out."""

from __future__ import annotations

import dataclasses
import itertools

from overread.cases import Manifest, fold_cases
from overread.errors import InvalidData
from overread.study.in_time.schedule import FOLDS


def with_each_fold_left_out(manifest: Manifest, seed: int) -> tuple[Manifest, ...]:
    """The manifest as it is, whose validation side is the first fold, and with each further fold as validation side.

    The train side is dealt to the further folds by patient, copies together; a fold that would leave a class out of
    train or validation is none.

    Args:
        manifest: with its sides.
        seed: of the dealing.
    """
    train = manifest.select("train")
    pool = manifest.replace(dataclasses.replace(manifest.cases[i], split="train") for i in train)
    try:
        dealt = fold_cases(pool, folds=FOLDS - 1, seed=seed)
    except InvalidData:  # of too few patients
        return (manifest,)
    parts = [manifest]
    for fold in dealt:
        left_out = {i for i, case in zip(train, fold.cases, strict=True) if case.split == "test"}
        part = manifest.replace(
            case if case.split == "test" else dataclasses.replace(case, split="val" if i in left_out else "train")
            for i, case in enumerate(manifest.cases)
        )
        if _has_all_classes(part):
            parts.append(part)
    return tuple(parts)


def _has_all_classes(part: Manifest) -> bool:
    shown = {(case.split, name) for case, names in zip(part.cases, part.shown, strict=True) for name in names}
    return all(pair in shown for pair in itertools.product(("train", "val"), part.classes))
