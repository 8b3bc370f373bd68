"""May these data be trained on: every rule, asked of one study."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from overread.auditing.finding import SEVERITIES, Finding
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules import every_rule
from overread.cases import Manifest
from overread.decision import Task
from overread.errors import BlockedByAudit
from overread.formats import Header, decoder_versions, read_headers
from overread.images import REFERENCE, DataSet
from overread.machine.memo import recall_or_work_out
from overread.machine.workers import one_blas_thread

# Findings on files that training leaves out when it is told to.
UNREADABLE = ("unreadable", "multi-frame")
_EXIT_STATUS = {"block": 3, "warn": 1, "info": 0}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Audit:
    """What was found, the gravest first.

    Args:
        findings: of every rule, put into order.
        n: the number of cases.
        accepted: codes of blocking findings that a human has accepted.
        task: what is told apart, for the words; by default classes.
        of_exams: the cases are exams.
    """

    findings: tuple[Finding, ...]
    n: int
    accepted: tuple[str, ...] = ()
    task: Task | None = dataclasses.field(default=None, compare=False)
    of_exams: bool = False

    def __post_init__(self) -> None:
        ordered = sorted(self.findings, key=lambda found: (SEVERITIES.index(found.severity), found.code))
        object.__setattr__(self, "findings", tuple(ordered))

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

    def exit_status_without(self, mended: Collection[str]) -> int:
        """The same once the findings of these codes are mended: 0, or 3 where others block."""
        return _EXIT_STATUS["block" if any(found.code not in mended for found in self.blocking) else "info"]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What weakens the result: warnings, and what blocks and was accepted."""
        return tuple(found.sentence for found in self.findings if found.severity != "info")

    def accept(self, codes: Collection[str]) -> Audit:
        """The same audit with these codes accepted."""
        return dataclasses.replace(self, accepted=tuple(sorted(set(codes))))

    def with_findings(self, findings: Iterable[Finding]) -> Audit:
        """The same audit with further findings."""
        return dataclasses.replace(self, findings=(*self.findings, *findings))

    def require(self, way_on: str = "") -> None:
        """Refuse to go on with what blocks.

        Args:
            way_on: what to do about it.

        Raises:
            BlockedByAudit: something does.
        """
        if self.blocking:
            said = " ".join(found.sentence for found in self.blocking)
            raise BlockedByAudit(f"the audit stops this study: {said} {way_on}".strip())

    def to_dict(self) -> dict[str, Any]:
        """Give everything as JSON values."""
        return {
            "n": self.n,
            "exit_status": self.exit_status,
            "accepted": list(self.accepted),
            "findings": [found.to_dict() for found in self.findings],
            **({"task": self.task.to_dict()} if self.task and self.task.kind else {}),
            **({"of_exams": True} if self.of_exams else {}),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Audit:
        """The audit that `to_dict` gave."""
        findings = tuple(Finding.from_dict(found) for found in values["findings"])
        task = Task.from_dict(values["task"]) if "task" in values else None
        return cls(
            findings=findings,
            n=values["n"],
            accepted=tuple(values["accepted"]),
            task=task,
            of_exams=values.get("of_exams", False),
        )


def audit_manifest(
    manifest: Manifest,
    *,
    rules: Sequence[Rule] = (),
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Audit, Material]:
    """Look at every file and every image of a study once, and say what would spoil it.

    Args:
        manifest: its cases; where sides are named, leaks between them are looked for.
        rules: a user's own, asked besides those of the house.
        folder: where decoded pixels are kept, which training looks for copies in; by default in the user's cache.
        progress: called with the images done and of all.

    Returns:
        What was found, and what was looked at.

    Raises:
        InvalidOption: two rules declare one code.
        RuleFailed: a rule raised, or gave what it does not declare.
        UnreadableImages: no image can be read.
        OutputUnwritable: the folder cannot be written.
    """
    every_rule(rules)  # what clashes is told before the decoding
    data_set = DataSet.open(manifest, REFERENCE, folder=folder, skip_unreadable=True, progress=progress)
    material = gather(manifest, data_set)
    return examine(material, rules=rules), material


def gather(manifest: Manifest, data_set: DataSet, headers: Callable[[], tuple[Header, ...]] | None = None) -> Material:
    """Put together what an audit looks at.

    Args:
        manifest: every case, in the order in which the data set was opened.
        data_set: the readable ones, as `REFERENCE` prepares them.
        headers: gives those of the cases, where somebody has read them; by default they are read here.
    """
    return Material(
        manifest=manifest,
        headers=headers() if headers else read_headers(manifest.paths),
        data_set=data_set,
        failures=dict(data_set.store.failures),
    )


@one_blas_thread
def examine(material: Material, *, rules: Sequence[Rule] = ()) -> Audit:
    """Ask every rule of the house, and a user's own.

    Raises:
        InvalidOption: two rules declare one code.
        RuleFailed: a rule raised, or gave what it does not declare.
    """
    manifest = material.manifest
    found = _ask(every_rule(rules), material)
    return Audit(findings=found, n=len(manifest), task=manifest.task, of_exams=material.is_of_exams)


def examine_once(
    manifest: Manifest,
    data_set: DataSet,
    headers: Callable[[], tuple[Header, ...]] | None = None,
    *,
    rules: Sequence[Rule] = (),
) -> Audit:
    """Ask every rule, or recall what those of the house answered for the same files, cases and sides.

    The files' bytes stand in the key by their hashes, so that headers need not be read again. A user's own rules are
    asked every time, for nobody knows what else they depend on.

    Args:
        manifest: every case, in the order in which the data set was opened.
        data_set: the readable ones, as `REFERENCE` prepares them.
        headers: see `gather`; called where rules are asked.
        rules: a user's own.

    Raises:
        InvalidOption: two rules declare one code.
        RuleFailed: a rule raised, or gave what it does not declare.
    """
    every_rule(rules)
    material = functools.cache(lambda: gather(manifest, data_set, headers))
    store = data_set.store
    cases = [
        [
            digest, case.path.name, case.name, case.label, case.split, case.patient_id, case.group, dict(case.extra),
            dict(case.rows),
        ]
        for digest, case in zip(store.digests, manifest.cases, strict=True)
    ]  # fmt: skip
    failures = [[index, reason] for index, reason in sorted(store.failures.items())]
    personal = [dataclasses.asdict(column) for column in manifest.personal]
    key = [manifest.task.to_dict(), cases, personal, failures, store.preprocessing.to_dict(), decoder_versions()]
    house = recall_or_work_out(
        store.path.parent,
        "audit",
        key,
        lambda: examine(material()),
        write=Audit.to_dict,
        read=Audit.from_dict,
    )
    return house.with_findings(_ask(rules, material())) if rules else house


def _ask(rules: Sequence[Rule], material: Material) -> tuple[Finding, ...]:
    found = (found for rule in rules for found in rule.apply(material))
    return tuple(one.of_exams() if material.is_of_exams else one for one in found)
