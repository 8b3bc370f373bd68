"""What must be the same after a kill and a second try as without: all but times, names that are drawn, and pictures."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

# Drawn, measured, or told of the moment; and hashes of what holds such.
_VOLATILE = {
    *("study", "started", "created", "command", "typed", "outlook", "bundle", "first", "second", "sha256"),
    *("time", "seconds", "spent_s", "begun_at_s", "bundle_s", "images_per_second"),
}
# Of these only that they are there: they tell times, or name nodes by a counter. A zip is held against its folder.
_VOLATILE_FILES = re.compile(r"\.(html|md|png|onnx|jsonl|zip)$|tfevents|epoch-\d+\.npz$")
_LEFT = re.compile(r"\.(tmp|old)$")


def described(desk: Path) -> dict[str, Any]:
    """Every file of a desk with what must be the same in it, and all that should not be there."""
    found: dict[str, Any] = {}
    for path in sorted(desk.rglob("*")):
        name = path.relative_to(desk).as_posix()
        if _LEFT.search(name):
            found[f"left over: {re.sub('[0-9a-f]{8}-[0-9]+', 'PROCESS', name)}"] = True
        elif path.is_file() and not name.startswith(("state/", "store/", "log")):
            found[re.sub(r"events\.out.*", "events", name)] = _content(path)
    for folder in desk.glob("**/bundle"):
        found[f"the zip of {folder.relative_to(desk)}"] = _is_of(folder, folder.with_name("bundle.zip"))
    return found


def opened(desk: Path) -> int:
    """How often a test side was opened on this desk, as the ledger has it."""
    ledger = desk / "state" / "overread" / "test_sets.jsonl"
    return len(ledger.read_text().splitlines()) if ledger.exists() else 0


def _is_of(folder: Path, archive: Path) -> bool | str:
    """Whether a zip holds what its folder holds."""
    if not archive.exists():
        return "there is none"
    with zipfile.ZipFile(archive) as opened_zip:
        inside = {name: opened_zip.read(name) for name in opened_zip.namelist()}
    return inside == {path.name: path.read_bytes() for path in folder.iterdir()}


def _content(path: Path) -> Any:
    if _VOLATILE_FILES.search(path.name):
        return "there"
    if path.suffix == ".json":
        return _steady(json.loads(path.read_text(encoding="utf-8")))
    if path.name == "log.csv":
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
        return [{name: value for name, value in row.items() if name not in _VOLATILE} for row in rows]
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _steady(each) for name, each in value.items() if name not in _VOLATILE and not name.endswith(".onnx")
        }
    return [_steady(each) for each in value] if isinstance(value, list) else value
