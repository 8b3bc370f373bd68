"""What of a bundle is sealed: every bit of every file but the card, in its directory and in its zip."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from overread.bundle import Bundle
from overread.errors import InvalidBundle, OverreadError
from support.bundles import SEALED, opening, write_small_bundle


@pytest.fixture
def small(tmp_path: Path) -> Path:
    bundle = write_small_bundle(tmp_path / "bundle")
    bundle.write_card("# Card")
    bundle.pack()
    for result in ("first", "second"):
        bundle.record(opening(result))
    return tmp_path / "bundle"


EVERY = pytest.mark.parametrize("every", [37, pytest.param(1, marks=pytest.mark.slow)])


def altered(content: bytes, every: int) -> Iterator[bytes]:
    """The content with one bit of it another: each bit, or one in so many."""
    for bit in range(0, 8 * len(content), every):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


def told_by(bundle: Bundle) -> tuple[object, ...]:
    """All that a bundle says but its card."""
    return bundle.fingerprint, bundle.openings(), *(bundle.read_file(name) for name in bundle.files)


@EVERY
@pytest.mark.parametrize("name", SEALED)
def test_any_altered_bit_of_any_sealed_file_is_refused(small: Path, name: str, every: int) -> None:
    content = (small / name).read_bytes()
    for changed in altered(content, every):
        (small / name).write_bytes(changed)
        with pytest.raises(InvalidBundle):
            Bundle.load(small)
    (small / name).write_bytes(content)
    assert len(Bundle.load(small).openings()) == 2


@EVERY
def test_an_altered_bit_of_the_zip_is_refused_or_changes_nothing_that_is_read(small: Path, every: int) -> None:
    path = small.with_name("bundle.zip")
    content, told = path.read_bytes(), told_by(Bundle.load(path))
    refused = 0
    for changed in altered(content, every):
        path.write_bytes(changed)
        try:
            found = Bundle.load(path)
        except OverreadError:
            refused += 1
        else:
            assert told_by(found) == told
            with_card(found)
    assert refused > 8 * len(content) / every / 3


def with_card(bundle: Bundle) -> None:
    """Read the card, which may be another or damaged, but nothing worse."""
    try:
        bundle.read_card()
    except InvalidBundle as error:
        assert "bundle" in str(error)


def test_a_record_that_was_cut_grew_or_is_gone_is_refused(small: Path) -> None:
    record = small / "evaluations.jsonl"
    content = record.read_bytes()
    first, second, seal = content.splitlines(keepends=True)
    wrong = [content[:length] for length in range(len(content))]
    wrong += [content + b"\n", content + seal, b"\n" + content, first + seal, second + first + seal, first + second]
    wrong += [content.replace(b"\n", b"\r\n"), content.replace(b"\n", b"\r"), first + second + b" " + seal]
    for changed in wrong:
        record.write_bytes(changed)
        with pytest.raises(InvalidBundle, match=r"evaluations\.jsonl of the bundle was altered"):
            Bundle.load(small)
    record.unlink()
    with pytest.raises(InvalidBundle, match=r"has no evaluations\.jsonl"):
        Bundle.load(small)


def test_the_record_of_another_bundle_is_refused(small: Path, tmp_path: Path) -> None:
    other = write_small_bundle(tmp_path / "other", created="2001-01-01T00:00:00+00:00")
    other.record(opening("first"))
    shutil.copy(tmp_path / "other" / "evaluations.jsonl", small)
    with pytest.raises(InvalidBundle, match=r"evaluations\.jsonl of the bundle was altered"):
        Bundle.load(small)


def test_an_evaluation_that_reached_only_one_of_directory_and_zip_is_in_both_after_the_next(small: Path) -> None:
    archive = small.with_name("bundle.zip")
    before = archive.read_bytes()
    Bundle.load(small).record(opening("third"))
    archive.write_bytes(before)  # as if the process had been killed before it wrote this one
    Bundle.load(archive).record(opening("fourth"))
    for path in (small, archive):
        assert {found.result for found in Bundle.load(path).openings()} == {"first", "second", "third", "fourth"}


def test_a_zip_without_its_record_is_refused(small: Path) -> None:
    archive = small.with_name("bundle.zip")
    with zipfile.ZipFile(archive, "w") as packed:
        for path in small.iterdir():
            if path.name != "evaluations.jsonl":
                packed.write(path, path.name)
    with pytest.raises(InvalidBundle, match=r"has no evaluations\.jsonl"):
        Bundle.load(archive)
