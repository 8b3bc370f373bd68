"""`make sbom`: what each extra installs, as CycloneDX files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

SCRIPT = Path(__file__).parents[1] / ".ci" / "sbom.py"


def write(folder: Path, seed: str) -> Path:
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(folder)], check=True, capture_output=True, env=environment
    )
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sbom"), "1")


def packages(folder: Path, extra: str) -> dict[str, Any]:
    bom = json.loads((folder / f"overread-{extra}.cdx.json").read_text(encoding="utf-8"))
    return {component["name"]: component for component in bom["components"]}


def test_the_files_are_valid_by_the_schema_of_cyclonedx(folder: Path) -> None:
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    files = sorted(folder.iterdir())
    assert len(files) >= 5
    assert [validator.validate_str(path.read_text(encoding="utf-8")) for path in files] == [None] * len(files)


def test_each_extra_brings_its_own(folder: Path) -> None:
    base, dicom, serve = (set(packages(folder, extra)) for extra in ("base", "dicom", "serve"))
    assert "numpy" in base and base < dicom < serve
    assert "pydicom" in dicom - base and "fastapi" in serve - dicom
    assert not {"keras", "pytest", "overread"} & serve


def test_a_package_has_its_version_and_its_licence(folder: Path) -> None:
    found = packages(folder, "train")
    for name, package in found.items():
        assert package["purl"] == f"pkg:pypi/{name}@{package['version']}"
    # The metadata of two or three name none.
    assert sum("licenses" in package for package in found.values()) > 0.9 * len(found)


def test_the_same_packages_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = write(tmp_path, "2")
    assert {p.name: p.read_bytes() for p in again.iterdir()} == {p.name: p.read_bytes() for p in folder.iterdir()}
