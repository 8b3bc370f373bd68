"""Only ordinary files are opened: what would wait, or never end, is refused by one function."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from overread.errors import UnfitFile
from overread.machine.files import MAX_FILE_BYTES, open_regular, open_text, read_regular, read_rows

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")


def test_a_file_is_read_whole_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"path,label\r\n" * 100_000)
    (tmp_path / "link").symlink_to(tmp_path / "a.csv")
    assert read_regular(tmp_path / "link") == (tmp_path / "a.csv").read_bytes()
    with open_regular(tmp_path / "link") as stream:
        assert os.get_blocking(stream.fileno())
        assert stream.readline() == b"path,label\r\n"
    with open_text(tmp_path / "a.csv") as text:
        assert next(read_rows(text)) == ["path", "label"]


@needs_pipes
def test_a_pipe_a_socket_a_device_and_a_folder_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "pipe", tmp_path / "link", tmp_path / "socket", Path("/dev/zero"), Path("/dev/tty")):
            with pytest.raises(UnfitFile, match="is no regular file: one ordinary file was expected"):
                open_regular(path)
    with pytest.raises(UnfitFile, match="is a folder: one ordinary file was expected"):
        open_regular(tmp_path)


@pytest.mark.parametrize("name", ["absent", "a\0b", "\ud800"])
def test_a_name_that_no_file_has_is_absent(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / name)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse.csv").open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(UnfitFile, match="is larger than 4 GiB"):
        read_regular(tmp_path / "sparse.csv")
