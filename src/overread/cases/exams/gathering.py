"""Which files belong to one exam."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from overread.errors import InvalidOption

# A file is an exam by itself: a volume, a slide, a file of several frames.
FILE = "file"
# Told by the header of DICOM, by the folder, or by what is known of the patient.
SERIES, STUDY, FOLDER, PATIENT = "series", "study", "folder", "patient"
# By a column of the table, or by a regular expression over the path.
COLUMN, PATTERN = "column", "pattern"
# The column of a table that names the exam, where nothing else is said.
EXAM_ID = "exam_id"
WAYS = (FILE, SERIES, STUDY, FOLDER, PATIENT, COLUMN, PATTERN)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gathering:
    """Which files belong to one exam; a bundle records it, so that new images are gathered as those of training.

    Args:
        by: "file" (each by itself), "series" or "study" (of DICOM), "folder", "patient", "column" (of a table) or
            "pattern".
        pattern: with "pattern" the regular expression over paths, whose groups or match name the exam; see `named_in`.

    Raises:
        InvalidOption: a value is none of these.
    """

    by: str = FILE
    pattern: str | None = None

    def __post_init__(self) -> None:
        if self.by not in WAYS:
            raise InvalidOption(f"exams={self.by!r} is unknown: expected {', '.join(WAYS)}")
        if (self.by == PATTERN) != (self.pattern is not None):
            raise InvalidOption("a pattern of exams is given with exams='pattern', and with nothing else")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise InvalidOption(
                    f"{self.pattern!r} is no regular expression ({error}): mend --exam-pattern"
                ) from None

    def named_in(self, path: str) -> str | None:
        """What the pattern finds in a path without suffix: its groups, joined by hyphens, or the whole match.

        One with a slash is searched in the path; any other in the name of the file and then in each folder above it, of
        which the nearest counts, wherever the data lie. None where it finds nothing.
        """
        compiled = re.compile(self.pattern or "")
        parts = [path] if "/" in compiled.pattern else reversed(path.split("/"))
        match = next(filter(None, map(compiled.search, parts)), None)
        if match is None:
            return None
        return ("-".join(filter(None, match.groups())) if compiled.groups else match.group()) or None

    @property
    def is_by_file(self) -> bool:
        """Whether each file is an exam by itself."""
        return self.by == FILE

    def to_dict(self) -> dict[str, Any]:
        """The options as JSON can hold them."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @classmethod
    def from_dict(cls, options: Mapping[str, Any]) -> Gathering:
        """The inverse of `to_dict`.

        Raises:
            InvalidOption, TypeError: an option is unknown or has a value that it cannot have.
        """
        return cls(**options)
