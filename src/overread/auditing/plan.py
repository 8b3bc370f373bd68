"""A cleaned manifest: identical, unreadable and foreign files left out, patients and near copies each on one side."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from overread.auditing.audit import UNREADABLE, Audit
from overread.auditing.contradictions import labels_contradict
from overread.auditing.finding import Finding, Mending
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.rules import every_rule
from overread.auditing.rules.duplicates import duplicates_among
from overread.cases import SPLITS, Case, Manifest, counts_as
from overread.cases.tables.own import table_of
from overread.images.copies import Group, find_copies
from overread.images.copies.groups import Partition
from overread.machine.files import write_csv
from overread.machine.remote import is_remote


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plan:
    """What would be trained on.

    Args:
        kept: the cases that remain, with their sides.
        dropped: position in the manifest to the reason why it is left out.
        moved: position in the manifest to the side it is moved to.
    """

    kept: tuple[Case, ...]
    dropped: dict[int, str]
    moved: dict[int, str]

    def write(self, path: Path, material: Material) -> None:
        """Write the manifest, which `overread train` takes, and beside it `<name>.changes.csv` with every change.

        Paths are relative to the manifest; patients go under pseudonyms. The images are not touched.

        Raises:
            OutputUnwritable: the files cannot be written.
        """
        kept = [_named_from(case, path.parent) for case in self.kept]
        header, *rows = table_of(kept, material.manifest.columns, material.manifest.task.heading)
        write_csv(path, header, rows)
        cases = material.manifest.cases
        changes = [[cases[i].full_name, "left out", reason] for i, reason in sorted(self.dropped.items())]
        why = "patients and near copies are kept on one side"
        changes += [[cases[i].full_name, f"moved to {side}", why] for i, side in sorted(self.moved.items())]
        write_csv(path.with_suffix(".changes.csv"), ["path", "change", "reason"], changes)


def mended_codes(rules: Sequence[Rule] = ()) -> frozenset[str]:
    """Codes of the findings that a plan mends: by what it leaves out, and by what it moves to one side.

    Args:
        rules: a user's own that were asked.
    """
    by_rule = (kind.code for rule in every_rule(rules) for kind in rule.kinds if kind.mending)
    return frozenset({*by_rule, *UNREADABLE, "personal-columns"})


def draft_plan(audit: Audit, material: Material, *, rules: Sequence[Rule] = ()) -> Plan:
    """Decide what to leave out and what to move.

    Unreadable files and masks are left out. Of images that are identical one is kept: on the test side if one stands
    there, else on validation, else the first, so that a test set stays what it was. Near copies are all kept. Where
    the labels of copies contradict, none is kept, since only a human can tell which is right; the frames of a film of
    one patient stay. Near copies and the images of a patient are one unit, with the patients who share a picture: a
    unit on several sides goes to the one that holds most of its images, of equal ones the first of train, validation
    and test.

    Args:
        audit: what was found.
        material: what was looked at.
        rules: a user's own that were asked.
    """
    cases = material.manifest.cases
    dropped = {position: "unreadable" for position in material.failures}
    mendings = {kind.code: kind.mending for rule in every_rule(rules) for kind in rule.kinds}
    together: list[Group] = []
    for found in audit.findings:
        together += found.groups if mendings[found.code] == "one-side" else ()
        dropped = _surplus(found, mendings[found.code], material.manifest) | dropped
    # What counts as alike depends a little on the other images: what is left is compared once more.
    while len(dropped) < len(cases):
        copies = find_copies(material.data_set.without(dropped), lambda: material.headers)
        found_again = duplicates_among(material.manifest, copies)
        again = [_surplus(found, mendings[found.code], material.manifest) for found in found_again]
        if not any(again):
            together += copies.near
            break
        for surplus in again:
            dropped |= surplus
    moved = _moves(cases, together, dropped)
    kept = [i for i in range(len(cases)) if i not in dropped]
    return Plan(
        kept=tuple(dataclasses.replace(cases[i], split=moved.get(i, cases[i].split)) for i in kept),
        dropped=dropped,
        moved=moved,
    )


def _surplus(found: Finding, mending: Mending | None, manifest: Manifest) -> dict[int, str]:
    """The images that are left out for a finding, and its code."""
    surplus: list[int] = []
    if mending == "leave-out":
        surplus = [group[0] for group in found.groups]
    elif mending == "keep-one":
        surplus = [i for group in found.groups for i in _all_but_one(group, manifest)]
    return dict.fromkeys(surplus, found.code)


def _all_but_one(group: Group, manifest: Manifest) -> list[int]:
    """All but the one that is kept; all where the labels contradict each other."""
    if labels_contradict(manifest, group):
        return list(group)
    order = {"test": 0, "val": 1, "train": 2, None: 3}
    return sorted(group, key=lambda i: (order[manifest.cases[i].split], i))[1:]


def _moves(cases: Sequence[Case], together: Sequence[Group], dropped: Collection[int]) -> dict[int, str]:
    """The side of each kept image that must join the others of its patient, or its near copies, there."""
    patients: dict[str, list[int]] = defaultdict(list)
    for i, case in enumerate(cases):
        patients[counts_as(case.patient_id, case.name)].append(i)  # frames of one file are one person
    units = Partition(len(cases))
    for group in (*patients.values(), *together):
        kept = [i for i in group if i not in dropped]
        for i in kept:
            units.join(kept[0], i)
    moved: dict[int, str] = {}
    for unit in units.groups():
        sided = [i for i in unit if cases[i].split]
        sides = Counter(cases[i].split for i in sided)
        home = max(SPLITS, key=lambda side: sides[side])
        moved |= {i: home for i in sided if cases[i].split != home}
    return moved


def _named_from(case: Case, folder: Path) -> Case:
    """A case whose files are named by the way to them from a folder."""
    files = tuple(_relative(one.path, folder) for one in case.instances)
    is_file = not files or (len(files) == 1 and case.files in ((), (case.name,)))
    return dataclasses.replace(case, name=_relative(case.path, folder) if is_file else case.name, files=files)


def _relative(path: Path, start: Path) -> str:
    if is_remote(path) or is_remote(start):
        return str(path.absolute())
    try:
        return Path(os.path.relpath(path, start)).as_posix()
    except ValueError:  # another drive
        return str(path)
