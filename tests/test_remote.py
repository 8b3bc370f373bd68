"""What a text names: a path of this machine or a place beyond it, and what is said where it does not answer."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from overread.errors import InvalidOption, MissingExtra, PlaceUnreachable
from overread.machine.remote import entries, is_remote, place, public_name


@pytest.mark.parametrize("name", ["scans/a.png", "/tmp/a.png", "C:/scans", "a::b", "s3:/bucket", "x://y", ""])
def test_what_has_no_scheme_is_a_path_of_this_machine(name: str) -> None:
    assert place(name) == Path(name)
    assert not is_remote(name)


def test_a_file_address_is_a_path_of_this_machine() -> None:
    assert place("file:///tmp/a%20b.png") == Path("/tmp/a b.png")
    assert not is_remote(place("file:///tmp/a.png"))


def test_a_remote_place_has_the_methods_of_a_path() -> None:
    path = place("memory://archive/2026/a.png")

    path.write_bytes(b"content")

    assert is_remote(path) and path.read_bytes() == b"content" and path.is_file()
    assert (path.name, path.suffix, str(path.parent)) == ("a.png", ".png", "memory://archive/2026")
    assert place(path) is path
    assert pickle.loads(pickle.dumps(path)).read_bytes() == b"content"


def test_a_folder_lists_its_names_in_order_and_not_itself(bucket: Path) -> None:
    for name in ("b.png", "a/c.png", "a.png", ""):
        (bucket / f"listed/{name}").write_bytes(b"")

    assert entries(bucket / "listed") == [("a", True), ("a.png", False), ("b.png", False)]


def test_what_was_written_since_the_last_look_is_listed(bucket: Path) -> None:
    (bucket / "fresh/a").write_bytes(b"")
    entries(bucket / "fresh")
    (bucket / "fresh/b").write_bytes(b"")

    assert [path.name for path in (bucket / "fresh").iterdir()] == ["a", "b"]


def test_what_is_not_there_is_missing_as_a_local_file_is(bucket: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No such file or directory"):
        (bucket / "absent.png").read_bytes()
    assert not (bucket / "absent.png").exists()


def test_a_store_that_does_not_answer_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PlaceUnreachable) as told:
        place("http://127.0.0.1:1/a.png?X-Amz-Signature=secret").read_bytes()

    assert str(told.value).startswith("http://127.0.0.1:1/a.png cannot be reached (Client")
    assert "secret" not in str(told.value) and told.value.strerror


@pytest.mark.parametrize("name", ["s3://key:secret@bucket/a.png", "zip://a::https://user:secret@host/a.zip"])
def test_an_address_with_a_password_is_refused_without_showing_it(name: str) -> None:
    with pytest.raises(InvalidOption) as told:
        place(name)

    assert "secret" not in str(told.value)


@pytest.mark.parametrize("name", ["https://[h/a.png", "file://[h/a", "http://[:z]/a", "s3://b::hunter2!"])
def test_what_is_no_address_is_refused_in_one_sentence_that_holds_no_password(name: str) -> None:
    with pytest.raises(InvalidOption, match="is none: expected") as refused:
        place(name)
    assert "hunter2" not in str(refused.value)


def test_an_account_in_an_address_is_no_password() -> None:
    with pytest.raises(MissingExtra, match="pip install adlfs"):
        place("abfs://container@account.dfs.core.windows.net/a.png")


def test_a_driver_that_is_missing_is_named() -> None:
    with pytest.raises(MissingExtra, match="pip install gcsfs"):
        place("gs://bucket/a.png")


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(InvalidOption, match="expected a path of this machine, or a scheme"):
        place("nowhere://bucket/a.png")


def test_the_query_of_a_web_address_is_not_told() -> None:
    assert public_name("https://host/a.png?sig=secret") == "https://host/a.png"
    assert public_name(Path("a?b.png")) == "a?b.png"
