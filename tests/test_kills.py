"""Commands that are killed and typed again end as if nothing had happened; `make kills` kills all of them, at all moments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "fuzz"


def kill(*arguments: str) -> str:
    """What `python -m kills` prints of killing a stage."""
    done = subprocess.run(
        [sys.executable, "-m", "kills", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=FUZZ,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system copies no process")
@pytest.mark.parametrize(
    ("stage", "moments", "count"),
    [
        ("audit", r"rename .*(places|run\.json|audit\.json|cleaned)", 4),
        # Before the record is there; while a bundle takes its place; before and after the test side is counted.
        ("train", r"rename run/(private/.places|\.bundle\.\S*tmp$|bundle/.evaluations)|open state/\S*jsonl", 4),
    ],
)
def test_a_command_that_is_killed_and_typed_again_ends_as_without(stage: str, moments: str, count: int) -> None:
    assert f"{count} kills    0 wrong" in kill(stage, "--only", moments)
