"""What a search of folders leaves out and tells, and what it does not stumble over."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from overread.cases import LeftOut, images_below
from overread.cases.folder import is_junk, read_folder
from overread.errors import InvalidData, InvalidOption
from overread.reading import find_images
from overread.study import audit, evaluate, train
from support.image_files import fill_folders, png, write_images, write_tree

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 48213\n"


def read(root: Path) -> tuple[dict[str, int], str]:
    """How many images each class has, and what was said."""
    cases, notes = read_folder(root)
    return dict(Counter(case.label for case in cases)), "\n".join(notes)


def test_junk_is_left_out_and_counted(tmp_path: Path) -> None:
    fill_folders(tmp_path, "a", "b")
    junk = [
        "__MACOSX/a/._0000.png", "a/._0000.png", "a/.DS_Store", "a/Thumbs.db", "a/desktop.ini", "@eaDir/x.jpg",
        "a/.ipynb_checkpoints/0-checkpoint.png", "a/0000.png:Zone.Identifier", "$RECYCLE.BIN/x.png", "#recycle/x.png",
        ".Trash-1000/x.png", ".git/x.png", "a/~$1.png", ".AppleDouble/x.png", "a/0001.png\uf03aZone.Identifier",
    ]  # fmt: skip
    write_tree(tmp_path, dict.fromkeys(junk, png()))
    classes, said = read(tmp_path)
    assert classes == {"a": 4, "b": 4}
    assert "what systems and tools leave behind is left out (3 hidden or temporary, 2 Zone.Identifier" in said
    left_out = LeftOut()
    assert len(images_below(tmp_path, left_out)) == 8
    assert not left_out.losses


@pytest.mark.parametrize("name", ["normal.png", "macosx", "recycle", "thumbs.dbx", "1~2.png", "IM.0001"])
def test_what_only_looks_like_junk_is_data(name: str) -> None:
    assert not is_junk(name)


def test_runs_and_decoded_stores_of_overread_are_left_out_and_named(tmp_path: Path) -> None:
    fill_folders(tmp_path, "a", "b", "mine/figures", "store/x", "theirs")
    write_tree(tmp_path, {"mine/run.json": json.dumps({"kind": "training"}), f"store/{'0' * 64}-{'0' * 32}.npy": "x"})
    write_tree(tmp_path, {"theirs/run.json": "[]"})
    classes, said = read(tmp_path)
    assert classes == {"a": 4, "b": 4, "theirs": 4}
    assert f"2 folders are left out, for overread wrote it: {tmp_path / 'mine'}, {tmp_path / 'store'}" in said
    with pytest.raises(InvalidData, match="holds results of overread"):
        read(tmp_path / "mine")


def test_results_inside_the_data_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    fill_folders(tmp_path / "data", "a", "b")
    before = sorted(tmp_path.rglob("*"))
    for out in (tmp_path / "data" / "runs" / "1", tmp_path / "data"):
        with pytest.raises(InvalidOption, match=r"lies in the data, .* such as .*runs"):
            train(str(tmp_path / "data"), out)
        with pytest.raises(InvalidOption, match="lies in the data"):
            audit(tmp_path / "data", out)
        with pytest.raises(InvalidOption, match="lies in the data"):
            evaluate(tmp_path / "bundle", tmp_path / "data", out)
    assert sorted(tmp_path.rglob("*")) == before


def test_pointers_in_place_of_images_are_named_with_the_command_that_fetches_them(tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{label}/{i}.png": POINTER for label in "ab" for i in range(5)})
    with pytest.raises(InvalidData, match=r"with images: 10 git LFS pointers .*git lfs pull"):
        read(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_pipes_loops_and_broken_links_hold_nobody_up(tmp_path: Path) -> None:
    fill_folders(tmp_path, "a", "b")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    (tmp_path / "a" / "self.png").symlink_to(tmp_path / "a" / "self.png")
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "a" / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "a" / "annexed.png").symlink_to("../.git/annex/objects/x/SHA256E-s1--0.png")
    (tmp_path / "b" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b" / "again").symlink_to(tmp_path / "a", target_is_directory=True)
    done = subprocess.run(
        [sys.executable, "-c", f"from overread.cases import Manifest; m = Manifest.from_folder({str(tmp_path)!r})\n"
         "print(len(m), *m.notes, sep='\\n')"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.startswith("8\n"), done.stderr
    for said in (
        "2 special files",
        "2 broken links",
        "1 git-annex pointer",
        "2 folders are left out, for it is a link",
    ):
        assert said in done.stdout
    left_out = LeftOut()
    images_below(tmp_path, left_out)
    assert left_out.losses == 3


def test_a_socket_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("x.png")
        assert images_below(Path()) == []


def test_a_class_folder_may_be_a_link_to_elsewhere(tmp_path: Path) -> None:
    fill_folders(tmp_path, "elsewhere/ill", "data/normal")
    (tmp_path / "data" / "ill").symlink_to(tmp_path / "elsewhere" / "ill", target_is_directory=True)
    assert read(tmp_path / "data")[0] == {"normal": 4, "ill": 4}


def test_what_may_not_be_opened_is_named_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_folders(tmp_path, "a", "b", "a/closed")
    write_tree(tmp_path, {"b/closed_file": png(), "b/closed_file.png": png()})
    scandir, opened = os.scandir, os.open

    def scan(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    def open_(path: str, *args: int) -> int:
        if Path(path).name.startswith("closed_file"):
            raise PermissionError(13, "Permission denied")
        return opened(path, *args)

    monkeypatch.setattr(os, "scandir", scan)
    monkeypatch.setattr(os, "open", open_)
    classes, said = read(tmp_path)
    # What is named as an image is one that cannot be read, which the audit finds.
    assert classes == {"a": 4, "b": 5}
    assert "1 unreadable file is left out" in said
    assert f"1 folder is left out, for it cannot be opened: {tmp_path / 'a' / 'closed'}" in said
    monkeypatch.setattr(os, "scandir", lambda path: scan(Path("closed")))
    with pytest.raises(InvalidData, match=r"cannot be opened \(Permission denied\)"):
        read(tmp_path)


def test_a_list_names_files_and_folders_with_blanks_and_quotes(tmp_path: Path) -> None:
    write_images(tmp_path, {"a b": 2})
    write_tree(tmp_path, {"trail.png ": png()})
    lines = [f'\ufeff"{tmp_path / "a b"}"\r\n', f"{tmp_path / 'trail.png '}\n", "  \n"]
    assert [path.name for path in find_images("-", lines)] == ["a000_0.png", "a000_1.png", "trail.png "]


def test_a_folder_or_pattern_without_images_says_what_is_there(tmp_path: Path) -> None:
    write_tree(tmp_path, {"a/1.mat": b"x", "a/2.txt": "x"})
    for named in (tmp_path, tmp_path / "a" / "*"):
        with pytest.raises(
            InvalidData, match=r"holds no image: 1 MATLAB file \(\.mat\) .*1 file is no image \(1 \.txt"
        ):
            find_images(str(named))


def test_a_file_that_several_patterns_find_is_left_out_once(tmp_path: Path) -> None:
    write_tree(fill_folders(tmp_path, "a"), {"a/x.txt": "x", "a/.DS_Store": "x"})
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    left_out = LeftOut()
    found = find_images([str(tmp_path), str(tmp_path / "a" / "*"), str(tmp_path / "*")], left_out=left_out)
    assert len(found) == 4
    assert "1 file is no image (1 .txt)" in left_out.sentences()
    assert "what systems and tools leave behind is left out (1 .DS_Store)" in left_out.sentences()


def test_what_is_left_out_of_a_folder_is_told_to_whoever_asks(tmp_path: Path) -> None:
    write_tree(fill_folders(tmp_path, "a"), {"a/x.txt": "x", "a/y.gif": b"GIF89a", "a/late.png": POINTER})
    left_out = LeftOut()
    assert len(find_images(str(tmp_path), left_out=left_out)) == 4
    assert [sentence.split(" ", 2)[:2] for sentence in left_out.sentences()] == [
        ["1", "git"],
        ["1", "GIF"],
        ["1", "file"],
    ]
    assert left_out.losses == 1
