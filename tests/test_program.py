"""The program in surroundings as they come: any encoding, closed streams, no home, errors that nobody foresaw."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from overread.machine.files import from_json
from overread.study.train import Study
from support.image_files import write_images

NAMES = {"肺炎": 4, "Größe 95\N{NO-BREAK SPACE}%": 4}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_images(tmp_path_factory.mktemp("program") / "data", NAMES)


def program(*arguments: str | Path, **variables: str) -> list[Any]:
    """A command line and its environment, as `subprocess.run` takes them."""
    return [[sys.executable, "-m", "overread", *map(str, arguments)], {**os.environ, **variables}]


def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    command, environment = program(*arguments, **variables)
    return subprocess.run(command, env=environment, capture_output=True, check=False)


def last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    assert b"Traceback" not in done.stderr
    return done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_a_stream_that_lacks_letters_gets_escapes_and_tables_without_boxes(images: Path, encoding: str) -> None:
    done = run("audit", images, "--details", PYTHONIOENCODING=encoding)
    assert (done.returncode, "Traceback" in done.stderr.decode(encoding)) == (1, False)
    assert r"\u80ba" in done.stdout.decode(encoding)
    assert "+-----" in run("--help", PYTHONIOENCODING=encoding).stdout.decode(encoding)


def test_the_locale_c_without_utf_8_reads_and_prints_any_name(images: Path) -> None:
    done = run("audit", images, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 1 and b"Traceback" not in done.stderr


def test_data_for_programs_are_utf_8_in_every_locale(images: Path) -> None:
    done = run("audit", images, "--json", PYTHONIOENCODING="cp1252")
    assert "肺炎" in json.dumps(json.loads(done.stdout.decode("utf-8")), ensure_ascii=False)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell of POSIX")
@pytest.mark.parametrize("ending", ["| head -c 1", "| true", ">&-", "2>&-", ">&- 2>&-"])
def test_nobody_who_reads_ends_the_program_quietly(images: Path, ending: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m overread audit "$1" --json {ending}', sys.executable, images], capture_output=True
    )
    assert b"Traceback" not in done.stderr and b"Exception" not in done.stderr and b"Broken pipe" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_behind_standard_output_is_one_sentence(images: Path) -> None:
    command, environment = program("audit", images, "--json")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, "No space left on device: free some space" in last_line(done)) == (1, True)


FAILING = """
import sys, overread.study
def compare(*_, **__):
    raise {error}
overread.study.compare = compare
sys.argv = ["overread", "compare", "a", "b"]
from overread.__main__ import main
main()
"""


def failing(error: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "XDG_STATE_HOME": str(folder), **variables}
    return subprocess.run([sys.executable, "-c", FAILING.format(error=error)], env=environment, capture_output=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("PermissionError(13, 'Permission denied', 'x')", "Permission denied: 'x': check the permissions"),
        ("OSError(30, 'Read-only file system', 'x')", "choose a folder on a disk that can be written"),
        ("OSError('unable to write (errno = 28, error message = full)')", "free some space"),
        ("MemoryError()", "not enough memory"),
        ("FileNotFoundError(2, 'No such file or directory')", "the current folder is not there any more"),
        ("KeyboardInterrupt()", "stopped by Ctrl-C"),
    ],
)
def test_what_the_system_refuses_is_told_with_its_remedy(tmp_path: Path, error: str, said: str) -> None:
    done = failing(error, tmp_path)
    assert said in last_line(done)
    assert done.returncode == (130 if "Ctrl-C" in said else 1)
    assert not list(tmp_path.rglob("*.txt"))


@pytest.mark.parametrize("error", ["RuntimeError('PAT-77 \\udcc4')", "FileNotFoundError(2, 'no', 'PAT-77')"])
def test_an_error_that_nobody_foresaw_is_one_sentence_without_its_text_which_a_file_has(
    tmp_path: Path, error: str
) -> None:
    done = failing(error, tmp_path)
    (written,) = tmp_path.rglob("*.txt")
    assert done.returncode == 1
    assert str(written) in last_line(done) and "PAT-77" not in last_line(done)
    assert "Traceback" in written.read_text(encoding="utf-8")
    shown = failing(error, tmp_path, OVERREAD_DEBUG="1")
    assert b"Traceback" in shown.stderr and shown.returncode == 1


def test_an_error_is_a_sentence_too_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = failing("RuntimeError()", tmp_path / "file", TMPDIR=str(tmp_path))
    assert "not foreseen" in last_line(done)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal of POSIX")
def test_ctrl_c_ends_with_130_and_one_sentence(tmp_path: Path) -> None:
    # What a shell starts in the background ignores the signal, and so do its children.
    waiting = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n" + FAILING.replace(
        "raise {error}", "import time; print('begun', flush=True); time.sleep(60)"
    )
    running = subprocess.Popen([sys.executable, "-c", waiting], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdout is not None and running.stdout.readline() == b"begun\n"
    running.send_signal(signal.SIGINT)
    _, told = running.communicate()
    assert (running.returncode, told.decode()) == (130, "overread: stopped by Ctrl-C\n")


def test_ctrl_c_while_the_program_loads_is_no_traceback() -> None:
    code = (
        "import sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'overread.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from overread.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"")


def test_a_tilde_behind_an_option_is_the_home_folder(images: Path, tmp_path: Path) -> None:
    done = run("audit", images, "--fix=~/fix.csv", "--json", HOME=str(tmp_path), USERPROFILE=str(tmp_path))
    assert done.returncode == 0 and (tmp_path / "fix.csv").exists()


def test_warnings_that_are_made_errors_do_not_stop_the_program(images: Path) -> None:
    done = run("audit", images, "--json", PYTHONWARNINGS="error")
    assert done.returncode == 1 and b"Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_list_on_standard_input_names_files_of_any_bytes(tiny_study: Study, tmp_path: Path) -> None:
    image = tmp_path / os.fsdecode(b"\xb7\xce.png")
    write_images(tmp_path / "data", {"Normal": 1})
    next((tmp_path / "data" / "Normal").iterdir()).rename(image)
    command, environment = program("predict", tiny_study.out, "-", "--json")
    done = subprocess.run(command, input=os.fsencode(image), env=environment, capture_output=True, check=False)
    assert (done.returncode, Path(from_json(done.stdout)["path"])) == (0, image)
