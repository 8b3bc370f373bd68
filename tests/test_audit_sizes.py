"""What an audit finds does not depend on how large, in what colour or in what frame a network sees the images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread import Manifest, Recipe, train
from overread.auditing import Finding, FindingKind, Material, Rule
from overread.errors import BlockedByAudit
from overread.machine.terminal import progress_console
from overread.study.audit import audit
from overread.study.data import open_with_reference
from overread.study.sides import Decoded

SIDE = 224
RECIPES = [
    Recipe(network="compact", epochs=1, **options)
    for options in ({}, {"size": 32}, {"size": 64, "fit": "stretch"}, {"size": 160, "colour": "grey"})
]


def picture(seed: int, grain: int) -> Image.Image:
    """A smooth picture in rose, and grain that only a large image shows."""
    smooth = np.random.default_rng(seed).integers(40, 200, (7, 7), dtype=np.uint8)
    grey = np.asarray(Image.fromarray(smooth).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32)
    grey = grey + np.random.default_rng(grain).normal(0, 12, (SIDE, SIDE))
    return Image.fromarray(np.stack([grey, grey * 0.7, grey * 0.8], 2).clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes: copies with two labels, a painted copy, and pictures that only look alike where they are small."""
    folder = tmp_path_factory.mktemp("data")
    for label, first in (("healthy", 0), ("ill", 100)):
        (folder / label).mkdir()
        for i in range(14):
            picture(first + i, first + i).save(folder / label / f"{i:02}.png", compress_level=1)
        picture(100 - first, 50 + first).save(folder / label / "like.png", compress_level=1)
    picture(3, 3).resize((180, 180)).save(folder / "ill" / "copy.png", compress_level=1)
    painted = np.array(picture(104, 104))
    painted[60:120, 80:84] = painted[60:64, 80:140] = (0, 255, 0)
    Image.fromarray(painted).save(folder / "ill" / "view.png", compress_level=1)
    return folder


def find_stop(material: Material) -> list[Finding]:
    return [Finding(code="stop", severity="block", sentence="Stop.", fix="Go.", count=len(material.manifest))]


STOP = Rule(
    name="stop", kinds=(FindingKind("stop", "block", "ends a study before anything is trained"),), find=find_stop
)


def test_training_and_audit_find_the_same_whatever_the_recipe(spoilt: Path, tmp_path: Path) -> None:
    found = audit(spoilt, store=tmp_path / "s")
    said = " ".join(finding.sentence for finding in found.blocking)
    assert {finding.code for finding in found.blocking} == {"near-duplicate-across-classes", "overlay-among-images"}
    for number, recipe in enumerate(RECIPES):
        with pytest.raises(BlockedByAudit) as stopped:
            train(spoilt, tmp_path / f"run{number}", recipe, store=tmp_path / "s")
        assert said in str(stopped.value)


def test_copies_are_grouped_alike_whatever_the_recipe(spoilt: Path, tmp_path: Path) -> None:
    manifest, groups = Manifest.from_folder(spoilt), []
    for recipe in RECIPES:
        own, looked_at = open_with_reference(manifest, recipe, tmp_path / "s", False, progress_console(False))
        decoded = Decoded.of(manifest, looked_at, own)
        assert decoded.data_set.store.pixels.shape[1:3] == (recipe.image_size, recipe.image_size)
        groups.append([case.group for case in decoded.manifest.cases])
    assert groups == groups[:1] * len(RECIPES)
    near = {"healthy/03.png", "ill/copy.png", "ill/04.png", "ill/view.png"}
    assert {case.name for case in decoded.manifest.cases if case.group} == near


def test_a_cleaned_manifest_is_clean_for_every_recipe(spoilt: Path, tmp_path: Path) -> None:
    audit(spoilt, fix=tmp_path / "plan.csv", store=tmp_path / "s")
    for number, recipe in enumerate(RECIPES):
        with pytest.raises(BlockedByAudit, match=r"stops this study: Stop\. "):
            train(tmp_path / "plan.csv", tmp_path / f"run{number}", recipe, rules=[STOP], store=tmp_path / "s")
