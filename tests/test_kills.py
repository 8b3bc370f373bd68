"""Commands that are killed and typed again end as if nothing had happened; `make kills` does so with all of them."""

from __future__ import annotations

import os
import re
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
    ("stage", "moments"),
    [
        ("audit", r"rename .*(places|run\.json|cleaned)"),
        # While a bundle takes its place; where the test side is counted on this machine and not yet in the bundle.
        pytest.param("train", r"rename run/(\.bundle\.\S*tmp$|bundle/.evaluations)", marks=pytest.mark.slow),
    ],
)
def test_a_command_that_is_killed_and_typed_again_ends_as_without(stage: str, moments: str) -> None:
    assert re.search(r"[1-9] kills +0 wrong", kill(stage, "--only", moments))
