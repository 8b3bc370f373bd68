"""Rows of a table about one image: all that contradict each other are one finding, and stop training, not reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread import study
from overread.auditing import Finding, audit_manifest, draft_plan
from overread.cases import Manifest
from overread.errors import BlockedByAudit
from overread.recipe import Recipe
from support.image_files import write_images


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Twelve images; of five there is another row: 3 with another label, 1 with another patient."""
    folder = write_images(tmp_path / "data", {"a": 6, "b": 6})
    rows = [(f"{path.parent.name}/{path.name}", path.parent.name, path.name[:4]) for path in folder.glob("*/*.png")]
    rows.sort()
    more = [(name, "ab"[label == "a"], patient) for name, label, patient in rows[:3]]
    more += [(rows[4][0], rows[4][1], "another"), rows[5]]
    lines = [",".join(row) for row in (("path", "label", "patient_id"), *rows, *more)]
    (folder / "cases.csv").write_text("\n".join(lines))
    return folder / "cases.csv"


def findings(manifest: Manifest, store: Path) -> dict[str, Finding]:
    return {finding.code: finding for finding in audit_manifest(manifest, folder=store)[0].findings}


def test_rows_that_contradict_each_other_are_all_counted_and_left_out_of_a_cleaned_table(
    table: Path, tmp_path: Path
) -> None:
    manifest = study.read_manifest(table)
    result, material = audit_manifest(manifest, folder=tmp_path / "store")
    found = {finding.code: finding for finding in result.findings}
    finding = found["rows-contradict"]
    assert (finding.severity, finding.count) == ("block", 4)
    assert "3 images in the label and 1 image in the patient" in finding.sentence and "--finding" in finding.fix
    assert finding.evidence[0]["labels"] == "a / b" and "another" not in str(finding.evidence)
    assert found["rows-repeated"].count == 1 and found["rows-repeated"].severity == "info"
    plan = draft_plan(result, material)
    assert len(plan.kept) == len(manifest) - 4
    plan.write(tmp_path / "clean.csv", material)
    assert not {"rows-contradict", "rows-repeated"} & set(
        findings(study.read_manifest(tmp_path / "clean.csv"), tmp_path)
    )


def test_training_stops_at_rows_that_contradict_each_other(table: Path, tmp_path: Path) -> None:
    with pytest.raises(BlockedByAudit, match="The rows of the table differ on 4 images"):
        study.train(
            table,
            tmp_path / "run",
            Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32"),
            store=tmp_path / "store",
        )
