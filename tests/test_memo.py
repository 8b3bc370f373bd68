"""What is kept beside the decoded pixels: recalled for the same key, and worked out anew whenever that is not sure."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread import Manifest
from overread.auditing import Audit, examine_once
from overread.auditing import audit as auditing
from overread.decision import Task
from overread.formats import read_headers
from overread.images import DataSet, Preprocessing
from overread.images.copies import Copies, find_copies
from overread.machine import memo
from overread.study.data import read_manifest

OPTIONS = Preprocessing(height=32, width=32)


class Work:
    """A result that counts how often it is worked out."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return 7

    def asked(self, store: Path, key: object = "key") -> int:
        return memo.recall_or_work_out(store, "seven", key, self, write=lambda value: {"value": value}, read=_value)


def _value(values: dict[str, int]) -> int:
    return values["value"]


def kept(store: Path) -> Path:
    (file,) = (store / "remembered").iterdir()
    return file


def test_a_result_is_recalled_for_the_same_key_and_worked_out_for_another(tmp_path: Path) -> None:
    work = Work()
    assert [work.asked(tmp_path), work.asked(tmp_path)] == [7, 7]
    assert work.times == 1
    work.asked(tmp_path, ["another", 2])
    assert work.times == 2


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"[" * 100_000, b'"text"', b'{"digest": "", "value": {"value": 8}}', b"\xff", b'{"value": 3}'],
    ids=range(7),
)
def test_a_damaged_file_is_worked_out_anew_and_mended(tmp_path: Path, content: bytes) -> None:
    work = Work()
    work.asked(tmp_path)
    kept(tmp_path).write_bytes(content)
    assert [work.asked(tmp_path), work.asked(tmp_path)] == [7, 7]
    assert work.times == 2


def test_a_changed_value_is_noticed(tmp_path: Path) -> None:
    work = Work()
    work.asked(tmp_path)
    kept(tmp_path).write_text(kept(tmp_path).read_text().replace('"value": 7', '"value": 8'))
    assert work.asked(tmp_path) == 7


@pytest.mark.parametrize("days", [-40, 40])
def test_what_is_dated_far_from_today_is_worked_out_anew_whichever_way_the_clock_was_wrong(
    tmp_path: Path, days: int
) -> None:
    work = Work()
    work.asked(tmp_path)
    then = time.time() + days * 24 * 3600
    os.utime(kept(tmp_path), (then, then))
    work.asked(tmp_path)
    assert work.times == 2


def test_after_thirty_days_it_is_worked_out_anew_and_what_is_as_old_is_removed(tmp_path: Path) -> None:
    work = Work()
    work.asked(tmp_path)
    work.asked(tmp_path, "another")
    long_ago = time.time() - memo.KEPT_FOR_S - 1
    for file in (tmp_path / "remembered").iterdir():
        os.utime(file, (long_ago, long_ago))
    work.asked(tmp_path)
    assert work.times == 3
    assert time.time() - kept(tmp_path).stat().st_mtime < 3600


def test_a_folder_that_cannot_be_written_keeps_nothing_and_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "remembered").write_text("a file where the folder should be")
    work = Work()
    assert [work.asked(tmp_path), work.asked(tmp_path)] == [7, 7]
    assert work.times == 2


def test_another_version_of_the_program_recalls_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work()
    work.asked(tmp_path)
    program = {**memo.program(), "overread": "other code"}
    monkeypatch.setattr(memo, "program", lambda: program)
    work.asked(tmp_path)
    assert work.times == 2


@pytest.fixture
def audits(
    tmp_path: Path, two_classes: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Manifest], tuple[Audit, bool]]:
    """Audits a manifest with one store, and tells whether the rules were asked."""
    asked = []
    examine = auditing.examine
    monkeypatch.setattr(auditing, "examine", lambda material: asked.append(1) or examine(material))

    def run(manifest: Manifest) -> tuple[Audit, bool]:
        asked.clear()
        store = tmp_path / "store"
        result = examine_once(manifest, DataSet.open(manifest, OPTIONS, folder=store, skip_unreadable=True))
        return result, bool(asked)

    return run


@pytest.fixture
def manifest(tmp_path: Path, two_classes: Path) -> Manifest:
    shutil.copytree(two_classes, tmp_path / "data")
    found = read_manifest(tmp_path / "data", patient_pattern=r"^\w\d+")
    cases = (dataclasses.replace(case, split="train", extra={"site": "a"}) for case in found.cases)
    return found.replace(cases)


def test_whichever_byte_of_a_store_is_damaged_pixels_copies_and_audit_are_the_same(
    manifest: Manifest, tmp_path: Path
) -> None:
    manifest = manifest.replace([*manifest.cases[:6], *manifest.cases[-6:]])
    store, random = tmp_path / "store", np.random.default_rng(0)

    def looked_at() -> tuple[np.ndarray, Copies, Audit]:
        data_set = DataSet.open(manifest, OPTIONS, folder=store)
        copies = find_copies(data_set, lambda: read_headers(manifest.paths))
        return data_set.store.pixels[:], copies, examine_once(manifest, data_set)

    pixels, copies, audit = looked_at()
    kinds = sorted(path.relative_to(store).parent / path.suffix for path in store.rglob("*") if path.is_file())
    assert [str(kind) for kind in kinds] == [".json", ".npy", "remembered/.json", "remembered/.json"]
    for turn in range(40):
        path = random.choice(sorted(path for path in store.rglob("*") if path.is_file()))
        content = bytearray(path.read_bytes())
        content[random.integers(len(content))] ^= 1 << turn % 8
        path.write_bytes(content)
        again, *found = looked_at()
        assert np.array_equal(again, pixels)
        assert found == [copies, audit]


def test_an_audit_is_recalled_whole_and_names_no_patient(
    audits: Callable[[Manifest], tuple[Audit, bool]], manifest: Manifest, tmp_path: Path
) -> None:
    named = manifest.replace(dataclasses.replace(c, patient_id=f"Erika {c.patient_id}") for c in manifest.cases)
    first, was_asked = audits(named)
    again, was_asked_again = audits(named)
    assert was_asked and not was_asked_again
    assert again == first and first.findings
    (file,) = (tmp_path / "store" / "remembered").glob("audit-*")
    text = file.read_text()
    assert "Erika" not in text
    assert json.loads(text)["value"] == json.loads(json.dumps(first.to_dict()))


@pytest.mark.parametrize(
    "change",
    [
        {"label": "Disease"},
        {"split": "test"},
        {"patient_id": "another"},
        {"patient_id": None},
        {"extra": {"site": "b"}},
        {"name": "Normal/other.png"},
    ],
)
def test_a_changed_case_is_audited_anew(
    audits: Callable[[Manifest], tuple[Audit, bool]], manifest: Manifest, change: dict[str, object]
) -> None:
    audits(manifest)
    last = dataclasses.replace(manifest.cases[-1], **change)  # type: ignore[arg-type]
    assert dataclasses.asdict(last) != dataclasses.asdict(manifest.cases[-1])
    assert audits(manifest.replace([*manifest.cases[:-1], last]))[1]


def test_a_changed_file_another_order_of_classes_and_a_case_less_are_audited_anew(
    audits: Callable[[Manifest], tuple[Audit, bool]], manifest: Manifest
) -> None:
    audits(manifest)
    assert audits(dataclasses.replace(manifest, task=Task.of(manifest.classes[::-1])))[1]
    assert audits(manifest.replace(manifest.cases[1:]))[1]
    path = manifest.cases[0].path
    path.write_bytes(path.read_bytes() + b"\0")  # the same picture in other bytes
    assert audits(manifest)[1]
    Image.new("L", (40, 40), 9).save(path)
    assert audits(manifest)[1]
    path.unlink()
    assert audits(manifest)[1]


@pytest.mark.parametrize("library", ["simplejpeg", "pylibjpeg-openjpeg", "onnxruntime", "keras"])
def test_another_version_of_any_library_recalls_nothing(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, version = Work(), importlib.metadata.version
    work.asked(tmp_path)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "99" if name == library else version(name))
    memo.program.cache_clear()
    try:
        work.asked(tmp_path)
    finally:
        memo.program.cache_clear()
    assert work.times == 2
