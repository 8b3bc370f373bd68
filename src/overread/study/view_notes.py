"""What is to be known of how images and exams are looked at, before a network is trained on them."""

from __future__ import annotations

import contextlib

from overread.errors import OverreadError
from overread.formats.windows import described_windows
from overread.images import DataSet


def view_notes(data_set: DataSet) -> tuple[str, ...]:
    """The windows that grey values are seen through, and what was decided in opening the first exam."""
    windows = data_set.store.preprocessing.view.windows
    seen = [f"grey values are seen through {described_windows(windows)}"] if windows else []
    first = next((i for i, case in enumerate(data_set.manifest.cases) if case.instances), None)
    if first is not None:
        # What cannot be opened is told where it is read.
        with contextlib.suppress(OverreadError), data_set.exam(first) as exam:
            seen += [f"the first exam: {note}" for note in exam.frames.notes]
    return tuple(seen)
