"""What a killed process leaves is cleared by the next one that writes there, and nothing whole is ever missing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from overread.errors import OutputExists
from overread.machine.files import replace_file
from overread.machine.temporary import clear_abandoned, put_back, replacing_folder, temporary_for
from overread.run import Run, RunFolder

BEGIN_FILE = "temporary_for(path).write_text('half')"
BEGIN_FOLDER = "begun = replacing_folder(path); begun.__enter__().joinpath('half').touch()"
MOVE_ASIDE = "os.rename(path, temporary_for(path).with_suffix('.old'))"


def killed(path: Path, *actions: str) -> None:
    """Do this in a process that is then killed."""
    code = "import os; from pathlib import Path; from overread.machine.temporary import *; "
    code += f"path = Path({str(path)!r}); {'; '.join(actions)}; os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9


def test_what_a_killed_process_was_writing_is_cleared_by_the_next_that_writes_there(tmp_path: Path) -> None:
    killed(tmp_path / "a.json", BEGIN_FILE)
    killed(tmp_path / "bundle", BEGIN_FOLDER)
    assert [path.name.split(".")[1] for path in tmp_path.iterdir()] == ["bundle"]
    replace_file(tmp_path / "b.json", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["b.json"]


def test_what_a_living_process_or_another_machine_writes_is_left_to_it_for_a_day(tmp_path: Path) -> None:
    own = temporary_for(tmp_path / "a.json")
    elsewhere = tmp_path / ".a.json.00000000-999999999.tmp"
    not_ours = tmp_path / ".hidden.tmp"
    for path in (own, elsewhere, not_ours):
        path.touch()
    clear_abandoned(tmp_path)
    assert {*tmp_path.iterdir()} == {own, elsewhere, not_ours}
    for path in (elsewhere, not_ours):
        os.utime(path, (time.time() - 90000,) * 2)
    clear_abandoned(tmp_path)
    assert {*tmp_path.iterdir()} == {own, not_ours}


def test_a_folder_is_replaced_when_the_new_one_is_whole_and_else_stays(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    for name in ("first", "second"):
        with replacing_folder(folder) as temporary:
            (temporary / name).touch()
    with pytest.raises(ZeroDivisionError), replacing_folder(folder) as temporary:
        raise ZeroDivisionError
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["bundle", "bundle/second"]


def test_a_folder_whose_replacement_was_killed_is_put_back(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "first").touch()
    killed(folder, BEGIN_FOLDER, MOVE_ASIDE)
    assert not folder.exists()
    put_back(folder)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["bundle", "bundle/first"]


def test_a_run_that_was_killed_before_its_record_leaves_its_folder_to_the_same_command(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    killed(run.path / "probe", BEGIN_FILE)
    run.open_private()
    run.places.touch()
    assert RunFolder.open(run.path).path == run.path
    (run.private / "thesis.doc").touch()
    with pytest.raises(OutputExists):
        RunFolder.open(run.path)


def test_a_run_whose_removal_was_ended_is_still_known_as_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path)
    run.write(Run(kind="audit"))
    (tmp_path / "log.csv").touch()
    removed: list[str] = []

    def unlink(path: Path) -> None:
        removed.append(path.name)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink)
        RunFolder.open(tmp_path, "replace")
    assert removed[:2] == ["log.csv", "run.json"]
