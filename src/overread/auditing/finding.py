"""What an audit finds: a stable code, how grave it is, the evidence and what to do about it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any, Literal

from overread.auditing.wording import named, say_exams
from overread.cases import Case
from overread.decision import Task
from overread.errors import InvalidOption

Severity = Literal["block", "warn", "info"]
# The gravest first.
SEVERITIES: tuple[Severity, ...] = ("block", "warn", "info")
# What a cleaned manifest does with each group of images: it leaves out the first, or all but one, or moves it whole.
Mending = Literal["leave-out", "keep-one", "one-side"]
_MOST_ROWS = 50
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclasses.dataclass(frozen=True)
class FindingKind:
    """What a rule may find.

    Args:
        code: stable, lower case with hyphens, such as "patient-across-splits"; `--accept` takes it.
        severity: the gravest that such a finding may have: block (training refuses), warn or info.
        meaning: a few words on what it is.
        mending: what a cleaned manifest does with the groups of such a finding: "leave-out" the first image of each,
            "keep-one" of each (none where their labels contradict), or move each to "one-side"; None does nothing.
        of_findings: the meaning where a case shows any number of findings; by default that of classes, which are
            called findings then.

    Raises:
        InvalidOption: a code of another form, or an unknown severity.
    """

    code: str
    severity: Severity
    meaning: str
    mending: Mending | None = None
    of_findings: str = ""

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise InvalidOption(f"code {self.code!r} is not lower case with hyphens: write one such as 'tall-image'")
        _require_severity(self.severity)

    def meaning_for(self, task: Task) -> str:
        """The meaning, with the words of a task."""
        return named(self.meaning if task.exclusive else self.of_findings or self.meaning, task)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that a reader of the study should know.

    Args:
        code: of the kind of finding, as its rule declares it.
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
        _require_severity(self.severity)
        # Counts and positions mostly come from NumPy, whose integers JSON does not take.
        rows = tuple({name: str(cell) for name, cell in row.items()} for row in self.evidence[:_MOST_ROWS])
        object.__setattr__(self, "count", int(self.count))
        object.__setattr__(self, "evidence", rows)
        object.__setattr__(self, "groups", tuple(tuple(int(i) for i in group) for group in self.groups))

    def of_exams(self) -> Finding:
        """The same finding in the words of a study of exams."""
        return dataclasses.replace(self, sentence=say_exams(self.sentence), fix=say_exams(self.fix))

    def to_dict(self) -> dict[str, Any]:
        """Give the fields as JSON values."""
        return {**dataclasses.asdict(self), "evidence": [dict(row) for row in self.evidence]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Finding:
        """The finding that `to_dict` gave."""
        return cls(**values)


def image_row(case: Case, **cells: str) -> dict[str, str]:
    """A row of evidence on one image: its name, class and side, and further cells."""
    return {"image": case.full_name, "class": case.label, "side": case.split or "", **cells}


def _require_severity(severity: str) -> None:
    if severity not in SEVERITIES:
        raise InvalidOption(f"severity {severity!r} is unknown: use one of {', '.join(SEVERITIES)}")
