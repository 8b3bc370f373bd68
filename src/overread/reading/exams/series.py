"""What names the series or the study of a DICOM file."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from overread.cases.exams.gathering import SERIES
from overread.errors import OverreadError
from overread.formats.dicom.dataset import read_dataset, without_detail
from overread.formats.source import opened
from overread.machine.workers import in_order


def series_keys(paths: Sequence[Path], by: str) -> list[str | None]:
    """The Series (by "series") or Study Instance UID of each file; None of what has none."""
    tag = "SeriesInstanceUID" if by == SERIES else "StudyInstanceUID"

    def key(path: Path) -> str | None:
        with contextlib.suppress(OverreadError, OSError), opened(path) as stream, without_detail("holds no header"):
            return str(read_dataset(stream, [tag], stop_before_pixels=True).get(tag) or "") or None
        return None

    return list(in_order(key, paths, 4))
