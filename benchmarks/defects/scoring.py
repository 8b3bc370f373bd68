"""What an audit said of planted defects, and what it said wrongly of all else."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch

from defects.planting import KINDS, Kind
from defects.spoilt import Spoilt
from overread.auditing import Audit, Finding
from overread.cases import Manifest

# What is wrong with single images or pairs: on clean images each of these is a false finding.
# (a patient's images may well differ in what they show).
_OF_PATIENTS = "patient-with-several-labels"
OF_IMAGES = (*{code: "" for kind in KINDS for code in kind.codes if code != _OF_PATIENTS}, "multi-frame", "*text*")


@dataclasses.dataclass(frozen=True)
class Score:
    """How one kind was found: planted ones, those named, and groups that were named rightly and wrongly."""

    kind: str
    planted: int
    found: int
    right: int
    wrong: int

    @property
    def cells(self) -> tuple[str, ...]:
        """Kind, planted, recall and precision."""
        named = self.right + self.wrong
        recall = f"{self.found / self.planted:.2f}" if self.planted else "-"
        return self.kind, str(self.planted), recall, f"{self.right / named:.2f}" if named else "-"


def named_by(result: Audit, manifest: Manifest, codes: Iterable[str]) -> list[frozenset[str]]:
    """The groups of images that findings of these codes name; an image that is hidden there has an empty group."""
    groups: list[frozenset[str]] = []
    known = {case.full_name for case in manifest.cases}
    for found in result.findings:
        if not any(fnmatch(found.code, code) for code in codes):
            continue
        if found.groups:
            groups += [frozenset(manifest.cases[i].full_name for i in group) for group in found.groups]
            continue
        shown = [frozenset({row["image"]}) for row in found.evidence if row.get("image") in known]
        groups += shown + [frozenset()] * (found.count - len(shown))
    return groups


def score(kind: Kind, spoilt: Spoilt, manifest: Manifest, result: Audit) -> Score:
    """How the plants of one kind were found.

    Copies count as found if they stand in one group, and a group that holds one of them and a stranger is wrong. Of
    other findings every group without a plant is wrong; where names are hidden, their number decides.
    """
    groups, planted = named_by(result, manifest, kind.codes), spoilt.planted[kind.name]
    if kind.together:
        found = sum(any(names <= group for group in groups) for names in planted)
        own = [
            group
            for group in groups
            if any(len(names & group) > 1 for names in planted) or _strange(group, spoilt, planted)
        ]
        wrong = sum(_is_mixed(group, spoilt.scene) for group in own)
        return Score(kind.name, len(planted), found, len(own) - wrong, wrong)
    if not any(groups):
        found = min(len(groups), len(planted))
        return Score(kind.name, len(planted), found, found, len(groups) - found)
    found = sum(any(names & group for group in groups) for names in planted)
    every = {name for other in KINDS if set(other.codes) & set(kind.codes) for name in _names(spoilt, other.name)}
    right = sum(bool(group & every) for group in groups)
    return Score(kind.name, len(planted), found, right, len(groups) - right)


def _names(spoilt: Spoilt, kind: str) -> set[str]:
    return {name for names in spoilt.planted.get(kind, ()) for name in names}


def _strange(group: frozenset[str], spoilt: Spoilt, planted: Sequence[frozenset[str]]) -> bool:
    return _is_mixed(group, spoilt.scene) and any(names & group for names in planted)


def _is_mixed(group: frozenset[str], scene: Mapping[str, str]) -> bool:
    return len({scene[name] for name in group}) > 1


def false_findings(result: Audit, manifest: Manifest, scene: Mapping[str, str]) -> dict[str, int]:
    """What is said of single images or pairs of a clean set: the number of groups by code.

    A group of copies within one scene, such as neighbouring frames, is none.
    """
    counts: Counter[str] = Counter()
    for found in result.findings:
        if any(fnmatch(found.code, code) for code in OF_IMAGES):
            groups = named_by(dataclasses.replace(result, findings=(found,)), manifest, [found.code])
            wrong = [group for group in groups if "duplicate" not in found.code or _is_mixed(group, scene)]
            counts[_marked(found)] += len(wrong)
    return {code: number for code, number in counts.items() if number}


def _marked(found: Finding) -> str:
    return f"**{found.code}**" if found.severity == "block" else found.code
