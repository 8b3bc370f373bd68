"""Notices of compiled libraries are hidden; everything else still reaches the terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest

from overread.machine.terminal import progress_console


@pytest.mark.parametrize("verbose", [True, False])
def test_progress_is_shown_as_asked(verbose: bool, capsys: pytest.CaptureFixture[str]) -> None:
    progress_console(verbose).print("training")
    assert ("training" in capsys.readouterr().err) == verbose


def test_progress_is_not_shown_where_nobody_looks_on(capsys: pytest.CaptureFixture[str]) -> None:
    progress_console().print("training")
    assert capsys.readouterr().err == ""


def test_known_notices_are_hidden_and_errors_are_not() -> None:
    code = (
        "import os, sys; from overread.machine.terminal import hide_notices; hide_notices(); "
        "os.write(2, b'I0000 00:00 port.cc] oneDNN is on\\nE0000 00:00 out of memory\\n'); "
        "print('from Python', file=sys.stderr); raise SystemExit(3)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert sorted(done.stderr.split("\n")) == ["", "E0000 00:00 out of memory", "from Python"]
