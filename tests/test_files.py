"""Only ordinary files are opened: what would wait, or never end, is refused by one function."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

import pytest

from overread import Bundle, Failure, Reader, Reading, Source, Study, audit, compare
from overread.cases.folder import images_below
from overread.errors import InvalidBundle, InvalidData, OutputExists, UnfitFile
from overread.machine.files import MAX_FILE_BYTES, open_regular, open_text, read_regular, read_rows
from overread.run import RunFolder

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


@needs_pipes
@pytest.mark.parametrize("member", ["bundle.json", "network.onnx", "evaluations.jsonl"])
def test_a_member_of_a_bundle_that_is_a_pipe_or_never_ends_is_refused(
    tiny_study: Study, tmp_path: Path, member: str
) -> None:
    bundle = Path(shutil.copytree(tiny_study.out / "bundle", tmp_path / "bundle"))
    for spoil in (lambda path: path.symlink_to("/dev/zero"), os.mkfifo):
        (bundle / member).unlink(missing_ok=True)
        spoil(bundle / member)
        with pytest.raises(InvalidBundle, match=f"{member} of the bundle is no regular file"):
            Bundle.load(bundle)


@needs_pipes
def test_pipes_in_the_place_of_records_are_named(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(tiny_study.out, tmp_path / "run"))
    for name in ("run.json", "test/metrics.json", "labels.csv"):
        (run / name).unlink(missing_ok=True)
        os.mkfifo(run / name)
    with pytest.raises(InvalidData, match="is damaged"):
        compare(run, tiny_study.out)
    with pytest.raises(InvalidData, match="is no regular file: expected a table of labels"):
        audit(Source(data=str(two_classes), labels=(str(run / "labels.csv"),)))
    with pytest.raises(OutputExists, match="no results of overread"):
        RunFolder.open(run, "resume")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read as from a bad disk")
def test_a_file_that_the_disk_fails_to_give_is_one_failure_among_the_others(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    (tmp_path / "bad.png").symlink_to("/proc/self/mem")
    good = next(two_classes.glob("Normal/*.png"))
    failure, reading = Reader.load(tiny_study.out).read_many([tmp_path / "bad.png", good])
    assert isinstance(failure, Failure) and "Input/output error" in failure.error
    assert isinstance(reading, Reading)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs a link that goes when its folder was listed")
def test_a_link_that_goes_while_a_folder_is_walked_holds_nothing_up(tmp_path: Path) -> None:
    (tmp_path / "links").symlink_to("/proc/self/fd")
    assert list(images_below(tmp_path)) == []
