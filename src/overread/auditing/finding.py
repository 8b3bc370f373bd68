"""What an audit finds: a stable code, how grave it is, the evidence and what to do about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Literal

from overread.errors import InvalidOption

Severity = Literal["block", "warn", "info"]
SEVERITIES: tuple[Severity, ...] = ("block", "warn", "info")
_MOST_ROWS = 50


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a reader of the study should know.

    Args:
        code: stable, lower case with hyphens, such as "patient-across-splits"; `--accept` takes it.
        severity: block (training refuses), warn or info.
        sentence: what was found, with counts, in words that a clinician understands.
        fix: what to do about it.
        count: how many images, pairs or patients it concerns.
        evidence: a row of named cells for each, at most 50 kept; no patient id and no value of a DICOM tag.
        groups: positions in the manifest of the images that belong together, such as duplicates; all of them.

    Raises:
        InvalidOption: an unknown severity.
    """

    code: str
    severity: Severity
    sentence: str
    fix: str
    count: int
    evidence: tuple[Mapping[str, str], ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise InvalidOption(f"severity {self.severity!r} is unknown: use one of {', '.join(SEVERITIES)}")
        object.__setattr__(self, "evidence", tuple(self.evidence[:_MOST_ROWS]))

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return {**dataclasses.asdict(self), "evidence": [dict(row) for row in self.evidence]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Finding:
        """The finding that `to_dict` gave."""
        return cls(**{**values, "groups": tuple(tuple(group) for group in values["groups"])})
