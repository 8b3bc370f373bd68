"""Bundles that strangers made: refused in one sentence, before they take memory or time, whatever they hold."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import os
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overread.bundle import Bundle, Reference
from overread.bundle.openings import write_openings
from overread.decision import (
    Calibration,
    OperatingPoint,
    OrderedGrades,
    Referral,
    SeveralFindings,
    SeveralTasks,
    Task,
)
from overread.errors import InvalidBundle, OverreadError
from support.bundles import SEALED, small_bundle, small_reference, small_reference_of, telling, write_small_bundle

TASK = Task.of(("Normal", "Disease"))
GRADES, FINDINGS = OrderedGrades(("none", "mild", "severe"), (2,)), SeveralFindings(("mass", "edema"))
BOTH = SeveralTasks.together({"grade": GRADES, "other": TASK})
KINDS = (GRADES, FINDINGS, BOTH)
KINDS_OF_OTHERS = ("findings", "grades", "tasks", ["mass", "mass"], ["a", "b", "c"], [2, 1], [99], {"a": {}, "b": {}})
EVIL: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2**63, -(2**70), 10**400, 0.0, 0.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"),
    "", "x", "a\0b", "../x", "\ud800", "x" * 9999, [], [None], [[]], [1, 2], {}, {"": None}, {"a": 1},
)  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    write_small_bundle(tmp_path / "bundle").pack()
    return tmp_path / "bundle"


def described_anew(folder: Path, description: dict[str, Any]) -> None:
    """Write a description, and make all hashes anew."""
    description.pop("sha256", None)
    sha256 = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
    text = json.dumps({**description, "sha256": sha256}, indent=2) + "\n"
    (folder / "bundle.json").write_text(text)
    (folder / "evaluations.jsonl").write_bytes(write_openings((), origin=sha256, sealed=True))


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The keys that lead to each value below a JSON value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*above, key)
        yield from places(value[key], (*above, key))


def with_another(description: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(description)
    inner: Any = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return changed


def test_a_description_with_any_value_replaced_is_refused_in_a_sentence_or_makes_a_valid_bundle(small: Path) -> None:
    description = json.loads((small / "bundle.json").read_bytes())
    cases = [(place, value) for place in places(description) for value in EVIL]
    refused = 0
    for place, value in random.Random(0).sample(cases, 400):
        described_anew(small, with_another(description, place, value))
        try:
            bundle = Bundle.load(small)
        except InvalidBundle as error:
            refused += 1
            length = len(str(error))
            assert length < 300
        else:
            assert bundle.task.decide(np.array([[0.2, 0.8]]), bundle.thresholds).shape == (1,)
            assert np.isfinite(bundle.members[0].calibration.apply(np.array([[3e38]]), bundle.task)).all()
    assert refused > 200


@pytest.mark.parametrize("task", KINDS, ids=lambda task: task.kind)
def test_so_is_a_description_of_any_other_kind_of_task(tmp_path: Path, task: Task) -> None:
    bundle = Bundle.load(write_small_bundle(tmp_path / "bundle", **telling(task)).path or "")
    assert bundle.task == task and bundle.format_version == 5 and bundle.unplaced == task.judged[:1]
    description = json.loads((tmp_path / "bundle" / "bundle.json").read_bytes())
    told = ("kind", "classes", "cuts", "parts", "members", "operating_points", "referral")
    evil = (*EVIL, *KINDS_OF_OTHERS)
    cases = [(place, value) for place in places(description) if place[0] in told for value in evil]
    refused = 0
    for place, value in random.Random(0).sample(cases, 150):
        described_anew(tmp_path / "bundle", with_another(description, place, value))
        try:
            found = Bundle.load(tmp_path / "bundle")
        except InvalidBundle as error:
            refused += 1
            assert len(str(error)) < 300
        else:
            y_prob = found.members[0].calibration.apply(np.full((1, task.outputs), 3e38), found.task)
            assert np.isfinite(y_prob).all()
            assert found.task.called(y_prob, found.thresholds).shape == (1, len(task.judged))
    assert refused > 75


def test_tasks_within_tasks_are_refused_however_deep_they_are(tmp_path: Path) -> None:
    write_small_bundle(tmp_path / "bundle", **telling(BOTH))
    description = json.loads((tmp_path / "bundle" / "bundle.json").read_bytes())
    task, other = description, description["parts"]["other"]
    for _ in range(200):
        task = {**description, "parts": {"grade": task, "other": other}}
    described_anew(tmp_path / "bundle", task)
    with pytest.raises(InvalidBundle):
        Bundle.load(tmp_path / "bundle")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"format_version":' * 100_000, '{"format_version": 4, "sha256": 1e999}', "NaN", "\x00" * 9]
)
def test_a_description_that_is_deep_or_nothing_is_refused(small: Path, text: str) -> None:
    (small / "bundle.json").write_text(text)
    with pytest.raises(InvalidBundle):
        Bundle.load(small)


@pytest.mark.parametrize("name", SEALED)
def test_a_member_that_is_no_regular_file_is_refused_and_nothing_waits(small: Path, name: str) -> None:
    (small / name).unlink()
    os.mkfifo(small / name)
    with pytest.raises(InvalidBundle, match="no regular file"):
        Bundle.load(small)
    (small / name).unlink()
    (small / name).symlink_to("/dev/zero")
    with pytest.raises(InvalidBundle, match="no regular file"):
        Bundle.load(small)


def packed(entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return stream.getvalue()


def entries_of(folder: Path) -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


def patched(content: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """A zip in which each header of a kind says something else."""
    changed, at = bytearray(content), content.find(signature)
    while at >= 0:
        changed[at + offset : at + offset + len(value)] = value
        at = content.find(signature, at + 4)
    return bytes(changed)


DIRECTORY, LOCAL = b"PK\x01\x02", b"PK\x03\x04"
WRONG_ZIPS: dict[str, Callable[[list[tuple[str, bytes]]], bytes]] = {
    "of BZIP2": lambda entries: packed(entries, zipfile.ZIP_BZIP2),
    "of LZMA": lambda entries: packed(entries, zipfile.ZIP_LZMA),
    "encrypted": lambda entries: patched(patched(packed(entries), DIRECTORY, 8, b"\1"), LOCAL, 6, b"\1"),
    "of an unknown method": lambda entries: patched(packed(entries), DIRECTORY, 10, b"\x63\0"),
    "of a later version": lambda entries: patched(packed(entries), DIRECTORY, 6, b"\xff\0"),
    "that declares more": lambda entries: patched(packed(entries), DIRECTORY, 24, struct.pack("<I", 10**6)),
    "that declares less": lambda entries: patched(packed(entries), DIRECTORY, 24, struct.pack("<I", 3)),
    "that declares 4 GB": lambda entries: patched(packed(entries), DIRECTORY, 24, b"\xfe\xff\xff\xff"),
    "with wrong sums": lambda entries: patched(packed(entries), DIRECTORY, 16, b"sums"),
    "whose files lie elsewhere": lambda entries: patched(packed(entries), DIRECTORY, 42, b"\xff\xff\0\0"),
    "whose files lie at one place": lambda entries: patched(packed(entries), DIRECTORY, 42, b"\0\0\0\0"),
    "whose files lie before it": lambda entries: packed(entries)[40:],
    "cut": lambda entries: packed(entries)[:-30],
    "with a bomb": lambda entries: packed([*entries, ("more", b"\0" * 65 * 2**20)]),
    "of 15,000 files": lambda entries: packed([*entries, *((f"{i:0100d}", b"") for i in range(15_000))]),
}


@pytest.mark.parametrize("kind", WRONG_ZIPS)
def test_an_unusual_or_damaged_zip_is_refused(small: Path, kind: str) -> None:
    archive = small.with_name("bundle.zip")
    archive.write_bytes(WRONG_ZIPS[kind](entries_of(small)))
    with pytest.raises(InvalidBundle, match=r"bundle\.zip"):
        Bundle.load(archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_two_files_of_one_name_is_refused(small: Path) -> None:
    archive = small.with_name("bundle.zip")
    archive.write_bytes(packed([("bundle.json", b"{}"), *entries_of(small)]))
    with pytest.raises(InvalidBundle, match="two files of one name"):
        Bundle.load(archive)


def test_what_else_lies_in_a_zip_is_never_read_and_not_packed_again(small: Path) -> None:
    archive = small.with_name("bundle.zip")
    others = [(name, b"?") for name in ("../escaped", "/etc/x", "a\\b", "folder/", "__MACOSX/bundle.json", ".DS_Store")]
    archive.write_bytes(packed([*others, *entries_of(small)]))
    bundle = Bundle.load(archive)
    bundle.write_card("# Card")
    with zipfile.ZipFile(archive) as found:
        assert sorted(found.namelist()) == sorted([*SEALED, "card.md"])


@pytest.fixture(scope="module")
def reference() -> bytes:
    return small_reference()


def arrays_of(reference: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(reference)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def array_header(descr: str, shape: str, order: str = "False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


WRONG_ARRAYS = {
    "absurd shape": array_header("'<f4'", f"({10**15},)"),
    "absurd product": array_header("'<f4'", f"({10**17}, {10**17})"),
    "empty product": array_header("'<f4'", f"({10**17}, 0)"),
    "many axes": array_header("'<f4'", "(" + "1, " * 70 + ")") + b"\0" * 4,
    "unknown": array_header("'|b9'", "(1,)") + bytes(9),
    "objects": array_header("'|O'", "(1,)") + b"\0" * 8,
    "structured": array_header("[('a', '<f4')]", "(1,)") + b"\0" * 4,
    "negative": array_header("'<f4'", "(-1,)"),
    "an expression": array_header("'<f4'", "(9**9**9,)"),
    "deep": array_header("'<f4'", "(" * 2000),
    "no header": b"\x93NUMPY\x01\x00\xff\xff",
    "nothing": b"",
    "not finite": array_header("'<f4'", "(1,)") + struct.pack("<f", float("nan")),
    "zero": array_header("'<f8'", "()") + bytes(8),
    "texts": array_header("'<U1'", "(1,)") + bytes(4),
}


@pytest.mark.parametrize("kind", WRONG_ARRAYS)
def test_a_reference_with_any_array_of_a_wrong_kind_is_refused_before_memory_is_taken(
    reference: bytes, kind: str
) -> None:
    arrays = arrays_of(reference)
    for name in arrays:
        changed = packed([*{**arrays, name: WRONG_ARRAYS[kind]}.items()], zipfile.ZIP_STORED)
        with pytest.raises(InvalidBundle, match="reference of the bundle is damaged"):
            Reference.from_bytes(changed, TASK)


def test_a_reference_with_an_altered_byte_is_refused_or_has_finite_numbers(reference: bytes) -> None:
    random_ = random.Random(0)
    for _ in range(300):
        changed = bytearray(reference)
        changed[random_.randrange(len(changed))] ^= 1 << random_.randrange(8)
        try:
            found = Reference.from_bytes(bytes(changed), TASK)
        except InvalidBundle:
            continue
        assert np.isfinite(found.limit)


def test_a_reference_that_unpacks_to_far_more_is_refused(reference: bytes) -> None:
    header = array_header("'<f4'", f"({2**22},)")
    bomb = packed([*{**arrays_of(reference), "scores.npy": header + b"\0" * 2**24}.items()])
    assert len(bomb) < 2**18
    with pytest.raises(InvalidBundle, match="reference of the bundle is damaged"):
        Reference.from_bytes(bomb, TASK)


@pytest.mark.parametrize(
    ("task", "labels"),
    [
        (FINDINGS, ["mass|edema", "No Finding", "?mass", "mass|?edema"]),
        (GRADES, ["none", "severe", "mild"]),
        (BOTH, ["grade: mild", "other: Disease", "grade: severe; other: Normal"]),
    ],
)
def test_a_reference_keeps_what_is_not_known_and_is_refused_with_a_truth_of_another_task(
    task: Task, labels: list[str]
) -> None:
    content = small_reference_of(task, labels)
    assert Reference.from_bytes(content, task).labels.tolist() == task.encode(labels).tolist()
    for other in (TASK, *KINDS):
        if other != task:
            with pytest.raises(InvalidBundle, match="reference of the bundle is damaged"):
                Reference.from_bytes(content, other)


def test_parts_of_a_bundle_are_valid_or_not_made() -> None:
    point = {"threshold": 0.4, "rule": "youden", "sensitivity": 1, "specificity": 0, "n_positive": 1, "n_negative": 1}
    wrong: list[Callable[[], object]] = [
        lambda: Task.of(("a", "")),
        lambda: Task.of(("a", "b\0")),
        lambda: Task.from_dict({"classes": "ab"}),
        lambda: Calibration(method="temperature", temperature=True),
        lambda: Calibration(method="temperature", temperature=1e-320),
        lambda: Calibration(method="temperature", temperature=1.0, offset=(10**400,)),
        lambda: Calibration(method="isotonic", isotonic=((10**400, 0.5),)),
        lambda: Calibration(method="none", n=-1),
        lambda: OperatingPoint.from_dict({**point, "n_positive": True}),
        lambda: OperatingPoint.from_dict({**point, "rule": None}),
        lambda: OperatingPoint.from_dict({**point, "interval": [0.1]}),
        lambda: OperatingPoint.from_dict({**point, "interval": [0.2, "0.3"]}),
        lambda: Referral(coverage=float("nan"), thresholds={"a": 0.1}, counts={"a": 1}),
        lambda: Referral(coverage=0.9, thresholds={"a": True}, counts={"a": 1}),
        lambda: Referral(coverage=0.9, thresholds={"a": 0.1}, counts={"a": 1.5}),  # type: ignore[dict-item]
        lambda: small_bundle(created="yesterday"),
        lambda: small_bundle(network={}),
        lambda: small_bundle(recipe={"seed": "2"}),
        lambda: small_bundle(members=()),
        lambda: small_bundle(operating_points={}),
        lambda: small_bundle(task=Task.of(("Normal", "Other"))),
    ]
    for make in wrong:
        with pytest.raises(OverreadError):
            make()
