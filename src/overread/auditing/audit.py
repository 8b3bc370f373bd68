"""May these data be trained on: every rule, asked of one study."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from overread.auditing.balance import find_imbalance
from overread.auditing.duplicates.findings import find_duplicates
from overread.auditing.files import find_file_problems
from overread.auditing.finding import SEVERITIES, Finding
from overread.auditing.masks.findings import find_masks
from overread.auditing.material import Material
from overread.auditing.patients.findings import find_patient_problems
from overread.auditing.privacy import find_personal_data
from overread.auditing.shortcuts.findings import find_shortcuts
from overread.cases import Manifest
from overread.errors import BlockedByAudit
from overread.formats import decoder_versions, read_headers
from overread.images import DataSet, Preprocessing
from overread.machine.memo import remembered

_RULES: tuple[Callable[[Material], list[Finding]], ...] = (
    find_file_problems,
    find_masks,
    find_duplicates,
    find_patient_problems,
    find_shortcuts,
    find_imbalance,
    find_personal_data,
)
# Findings on files that training leaves out when it is told to.
UNREADABLE = ("unreadable", "multi-frame")
_EXIT_STATUS = {"block": 3, "warn": 1, "info": 0}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found, the gravest first.

    Args:
        findings: of every rule.
        n: the number of cases.
        accepted: codes of blocking findings that a human has accepted.
    """

    findings: tuple[Finding, ...]
    n: int
    accepted: tuple[str, ...] = ()

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """What training refuses to go on with."""
        return tuple(found for found in self.findings if found.severity == "block" and found.code not in self.accepted)

    @property
    def exit_status(self) -> int:
        """0 for nothing or infos, 1 for warnings, 3 where something blocks."""
        if self.blocking:
            return _EXIT_STATUS["block"]
        return max((_EXIT_STATUS[found.severity] for found in self.findings if found.severity != "block"), default=0)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What weakens the result: warnings, and what blocks and was accepted."""
        return tuple(found.sentence for found in self.findings if found.severity != "info")

    def accept(self, codes: Collection[str]) -> Audit:
        """The same audit with these codes accepted."""
        return dataclasses.replace(self, accepted=tuple(sorted(set(codes))))

    def require(self) -> None:
        """Refuse to go on with what blocks.

        Raises:
            BlockedByAudit: something does; the message names the codes.
        """
        if not self.blocking:
            return
        codes = [found.code for found in self.blocking]
        raise BlockedByAudit(
            f"the audit stops this study: {' '.join(found.sentence for found in self.blocking)} Look at it with "
            "overread audit DATA --out FOLDER, mend it (--fix plan.csv drafts a cleaned manifest), or accept it: "
            f"{' '.join(f'--accept {code}' for code in codes)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "n": self.n,
            "exit_status": self.exit_status,
            "accepted": list(self.accepted),
            "findings": [found.to_dict() for found in self.findings],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Audit:
        """The audit that `to_dict` gave."""
        findings = tuple(Finding.from_dict(found) for found in values["findings"])
        return cls(findings=findings, n=values["n"], accepted=tuple(values["accepted"]))


def audit(
    manifest: Manifest,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Audit, Material]:
    """Look at every file and every image of a study once, and say what would spoil it.

    Args:
        manifest: its cases; where sides are named, leaks between them are looked for.
        folder: where decoded pixels are kept, which training reuses; by default in the user's cache.
        progress: called with the images done and of all.

    Returns:
        What was found, and what was looked at.

    Raises:
        UnreadableImages: no image can be read.
        OutputUnwritable: the folder cannot be written.
    """
    data_set = DataSet.open(manifest, Preprocessing(), folder=folder, skip_unreadable=True, progress=progress)
    material = gather(manifest, data_set)
    return examine(material), material


def gather(manifest: Manifest, data_set: DataSet) -> Material:
    """Put together what an audit looks at.

    Args:
        manifest: every case, in the order in which the data set was opened.
        data_set: the readable ones.
    """
    return Material(
        manifest=manifest,
        headers=read_headers(manifest.paths),
        data_set=data_set,
        failures=dict(data_set.store.failures),
    )


def examine(material: Material) -> Audit:
    """Ask every rule."""
    findings = [found for rule in _RULES for found in rule(material)]
    return Audit(findings=_sorted(findings), n=len(material.manifest))


def examine_once(manifest: Manifest, data_set: DataSet) -> Audit:
    """Ask every rule, or recall what they answered for the same files, cases and sides; see `remembered`.

    The files' bytes stand in the key by their hashes, so that headers need not be read again.

    Args:
        manifest: every case, in the order in which the data set was opened.
        data_set: the readable ones.
    """
    store = data_set.store
    cases = [
        [digest, case.path.name, case.name, case.label, case.split, case.patient_id, dict(case.extra)]
        for digest, case in zip(store.digests, manifest.cases, strict=True)
    ]
    failures = [[index, reason] for index, reason in sorted(store.failures.items())]
    key = [manifest.classes, cases, failures, store.preprocessing.to_dict(), decoder_versions()]
    return remembered(
        store.path.parent,
        "audit",
        key,
        lambda: examine(gather(manifest, data_set)),
        write=Audit.to_dict,
        read=Audit.from_dict,
    )


def _sorted(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda found: (SEVERITIES.index(found.severity), found.code)))
