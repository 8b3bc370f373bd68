"""A cleaned table: identical files left out, near copies kept together with their patients, contradictions named."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from overread.auditing import Audit, mended_codes
from overread.cases import Case, Manifest
from overread.recipe import Recipe
from overread.study import audit
from support.pictures import picture, shaded

TURNED = Image.Transpose.ROTATE_90
HEADER = ["path", "label", "patient_id", "split"]


class Table:
    """A CSV that grows with the images that are saved beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.rows = folder, [HEADER]
        for number in range(24):
            side = ("train", "train", "val", "test")[number // 2 % 4]
            self.add(picture(number, body=number), f"{number:02}.png", ("well", "ill")[number % 2], f"p{number}", side)

    def add(self, image: Image.Image, name: str, label: str, patient: str, side: str) -> None:
        image.save(self.folder / name)
        self.rows.append([name, label, patient, side])

    def fixed(self) -> tuple[Audit, dict[str, Case], str]:
        """What the audit finds, the cases of the cleaned table by the names of their files, and the changes."""
        table, plan = self.folder / "cases.csv", self.folder / "plan.csv"
        with table.open("w", newline="") as stream:
            csv.writer(stream).writerows(self.rows)
        found = audit(table, fix=plan, store=self.folder / "store")
        kept = {case.path.name: case for case in Manifest.from_csv(plan).cases}
        return found, kept, (self.folder / "plan.changes.csv").read_text()

    def audited_again(self, size: int) -> Audit:
        return audit(self.folder / "plan.csv", recipe=Recipe(size=size), store=self.folder / "store")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return Table(tmp_path)


def codes(found: Audit) -> set[str]:
    return {finding.code for finding in found.findings if finding.code.startswith(("near-", "dup", "patient-across"))}


def test_near_copies_on_two_sides_are_kept_and_move_with_their_patients_to_one(table: Table) -> None:
    table.add(shaded(picture(6, body=6), 0.8), "copy.png", "well", "other", "train")  # 06.png is on the test side
    table.add(picture(50, body=50), "other1.png", "well", "other", "train")
    table.add(picture(51, body=51), "other2.png", "well", "other", "train")
    found, kept, changes = table.fixed()
    assert codes(found) == {"near-duplicate-across-splits"}
    assert {kept[name].split for name in ("06.png", "copy.png", "other1.png", "other2.png")} == {"train"}
    assert len(kept) == 27
    assert "06.png,moved to train,patients and near copies are kept on one side" in changes
    for size in (64, 224):
        assert table.audited_again(size).blocking == ()


def test_of_identical_files_one_is_kept_and_of_near_copies_all(table: Table) -> None:
    table.add(picture(0, body=0), "again.png", "well", "p0", "train")
    table.add(picture(0, body=0).transpose(TURNED), "turned.png", "well", "p0", "train")
    _, kept, changes = table.fixed()
    assert ("again.png" in kept, "turned.png" in kept) == (False, True)
    assert "again.png,left out,duplicate-within-patient" in changes


def test_of_near_copies_with_two_labels_none_is_kept(table: Table) -> None:
    table.add(shaded(picture(6, body=6), 0.8), "copy.png", "ill", "other", "train")
    found, kept, changes = table.fixed()
    assert not {"copy.png", "06.png"} & kept.keys()
    assert "copy.png,left out,near-duplicate-across-classes" in changes
    assert found.exit_status_without(mended_codes()) == 0
    assert table.audited_again(64).blocking == ()


def test_the_frames_of_a_film_in_which_the_label_changes_are_kept(table: Table) -> None:
    table.add(shaded(picture(0, body=0), 0.8), "frame.png", "ill", "p0", "train")
    table.add(shaded(picture(2, body=2), 0.8), "later.png", "ill", "p2", "test")
    found, kept, _ = table.fixed()
    assert codes(found) == {"near-duplicate-changing", "near-duplicate-across-splits", "patient-across-splits"}
    assert {"00.png", "frame.png", "02.png", "later.png"} <= kept.keys()
    assert codes(table.audited_again(64)) == {"near-duplicate-changing"}


def test_masks_that_are_all_alike_bind_no_patients(table: Table) -> None:
    for number in range(8):
        mask = Image.new("L", (150, 120))
        mask.paste(255, (50, 40, 100, 90 + number % 2))
        table.add(mask, f"{number:02}_mask.png", ("well", "ill")[number % 2], f"p{number}", table.rows[number + 1][3])
    _, kept, changes = table.fixed()
    assert len(kept) == 24
    assert "moved" not in changes
