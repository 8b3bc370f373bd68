"""Patients from the names of files: the first line is a user's pattern, each other one a name."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from overread.cases.case import Case
from overread.cases.patients.pattern import match_patients
from overread.cases.patients.suggest import suggest_patients
from overread.errors import OverreadError

TOKENS = (b"(?P<a>", b"\\d+", b"{9,}", b"(?<=", b"[^/]", b"patient_", b"IMG-0001", b"_left", b".png", b"/", b"\n")
# A pattern may well take for ever on a long name: it is the user's own.
_LONGEST_PATTERN, _LONGEST_NAME, _MOST_NAMES = 30, 12, 60


def one_input(data: bytes) -> None:
    """Match the pattern, and look for one."""
    pattern, *names = os.fsdecode(data.replace(b"\0", b"")).split("\n")
    short = [name[:_LONGEST_NAME] for name in names[:_MOST_NAMES] if name.strip("./")]
    cases = [Case(path=Path("/data", name), name=name, label="ab"[i % 2]) for i, name in enumerate(short)]
    if not cases:
        return
    with contextlib.suppress(OverreadError):
        match_patients(pattern[:_LONGEST_PATTERN], cases)
    with contextlib.suppress(OverreadError):
        suggest_patients(cases)
