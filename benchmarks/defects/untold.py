"""What is known to be wrong in real sets, which the audit must find without being told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatch
from itertools import combinations
from pathlib import Path

from defects.sets import cell_source, sources
from overread.auditing import audit_manifest
from overread.cases import Case
from overread.study.data import read_manifest

Pair = frozenset[int]
# IDRiD: the first of each is on the training side, with the side of the second; which of them differ in grade.
_IDENTICAL = ((21, 391), (28, 327), (45, 333), (73, 375), (79, 279))
_ACROSS = (118, 64)
# Near copies that were told by eye, the known pair and those that an audit found first.
_NEAR = ((5, 22), (5, 58), (9, 65), (10, 66), (11, 61), (12, 30), (73, 95), (105, 187), (146, 149), (198, 199))


def untold(data: Path, folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """A line for each known defect: set, what, how many were found of how many, and what was found beside them."""
    for name, what, codes, wanted in (
        ("idrid_grades", "6 pairs of identical images", ("duplicate-*",), _of_idrid),
        ("idrid_grades", "3 pairs of them with two grades", ("duplicate-across-classes",), _with_two_grades),
        ("head_ct", "the identical pair 188, 189", ("duplicate-*",), lambda cases: _numbered(cases, [(188, 189)])),
        ("head_ct", "10 near pairs, told by eye", ("near-duplicate-*",), lambda cases: _numbered(cases, _NEAR)),
        ("chest_xray", "30 groups of identical files", ("duplicate-*",), _same_files),
        ("blood_cells", "pairs within the families of 71 sources", ("*duplicate-*", "augmented*"), _families),
    ):
        manifest = read_manifest(sources(data)[name][0])
        result, _ = audit_manifest(manifest, folder=folder / "store")
        found = {
            frozenset(pair)
            for finding in result.findings
            for group in finding.groups
            for pair in combinations(group, 2)
            if any(fnmatch(finding.code, code) for code in codes)
        }
        pairs = wanted(manifest.cases)
        yield name, what, f"{len(found & pairs)} of {len(pairs)}", str(len(found - pairs))


def _of_idrid(cases: Sequence[Case]) -> set[Pair]:
    at = {(case.split, int(case.path.stem.split("_")[1])): i for i, case in enumerate(cases)}
    pairs = {frozenset({at["train", first], at["train", second]}) for first, second in _IDENTICAL}
    return {*pairs, frozenset({at["train", _ACROSS[0]], at["test", _ACROSS[1]]})}


def _with_two_grades(cases: Sequence[Case]) -> set[Pair]:
    return {pair for pair in _of_idrid(cases) if len({cases[i].label for i in pair}) > 1}


def _numbered(cases: Sequence[Case], pairs: Iterable[tuple[int, int]]) -> set[Pair]:
    at = {int(case.path.stem): i for i, case in enumerate(cases)}
    return {frozenset({at[first], at[second]}) for first, second in pairs}


def _same_files(cases: Sequence[Case]) -> set[Pair]:
    return _pairs(cases, lambda case: case.path.read_bytes())


def _families(cases: Sequence[Case]) -> set[Pair]:
    return _pairs(cases, cell_source)


def _pairs(cases: Sequence[Case], key: Callable[[Case], object]) -> set[Pair]:
    members: dict[object, list[int]] = {}
    for i, case in enumerate(cases):
        members.setdefault(key(case), []).append(i)
    return {frozenset(pair) for own in members.values() for pair in combinations(own, 2)}
