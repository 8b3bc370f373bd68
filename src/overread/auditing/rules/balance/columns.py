"""Columns that are better filled in for one class or finding, and classes that come from one source."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import numpy as np

from overread.auditing.contrasts import contrasts_of
from overread.auditing.finding import Finding
from overread.auditing.shares import surely_more
from overread.auditing.wording import told_as, worded
from overread.cases import Manifest
from overread.decision import BoolArray

_EMPTY = frozenset({"", "-", "?", "n/a", "na", "nan", "null", "unknown"})
_WORD = re.compile(r"[a-z]+")
_SOURCES = frozenset({
    "camera", "center", "centre", "clinic", "cohort", "database", "dataset", "device", "hospital", "institution",
    "machine", "manufacturer", "model", "operator", "origin", "scanner", "site", "source", "station", "vendor",
})  # fmt: skip


def find_missing(manifest: Manifest) -> Finding | None:
    """Find columns that are filled in for one class rather than another, or with a finding rather than without."""
    columns = {name: [case.extra.get(name, "") for case in manifest.cases] for name in manifest.columns}
    columns["patient_id"] = [case.patient_id or "" for case in manifest.cases]
    told = _missing_by_class if manifest.task.exclusive else _missing_by_finding
    found = told(manifest, {name: np.array([_is_empty(value) for value in values]) for name, values in columns.items()})
    if not found:
        return None
    task, parts = manifest.task, "; ".join(found)
    if task.exclusive:
        one, several = task.noun
        lead = f"Some columns are filled in for one {one} rather than another: {parts}. The {several} may come"
        left_out = "of one than of the other"
    else:
        lead = (
            f"Some columns are filled in more often with a finding than without, or the reverse: {parts}. Both may come"
        )
        left_out = "of the one than of the other"
    return Finding(
        code="metadata-missing-by-class",
        severity="warn",
        sentence=f"{lead} from different sources then, and results by subgroup leave out more {left_out}.",
        fix="Find out why these cells are empty, and fill them in or say in the report what is not known.",
        count=len(found),
        evidence=tuple(found.values()),
    )


def _is_empty(value: str) -> bool:
    return value.strip().lower() in _EMPTY


def _missing_by_class(manifest: Manifest, empty: dict[str, BoolArray]) -> dict[str, dict[str, str]]:
    """A sentence for each column that tells, with its row of evidence."""
    task, shown, found = manifest.task, manifest.shown, {}
    images = Counter(itertools.chain.from_iterable(shown))
    for column, is_empty in empty.items():
        missing = Counter(itertools.chain.from_iterable(itertools.compress(shown, is_empty)))
        shares = sorted(images, key=lambda name: missing[name] / images[name])
        least, most = shares[0], shares[-1]
        if not surely_more((missing[most], images[most]), (missing[least], images[least])):
            continue
        share = {name: f"{100 * missing[name] / images[name]:.0f} %" for name in shares}
        said = f"{column} is empty in {share[most]} of the images of {told_as(task, most)} and in {share[least]} of "
        cells = {f"empty in {told_as(task, name)}": share[name] for name in task.classes if name in share}
        found[said + told_as(task, least)] = {"column": column, **cells}
    return found


def _missing_by_finding(manifest: Manifest, empty: dict[str, BoolArray]) -> dict[str, dict[str, str]]:
    questions = [one for one in contrasts_of(manifest) if one.yes.any() and one.no.any()]
    found = {}
    for column, is_empty in empty.items():
        # The finding whose images differ most from those without it.
        one = max(questions, key=lambda one: abs(is_empty[one.yes].mean() - is_empty[one.no].mean()), default=None)
        if one is None:
            continue
        sides = [(one.of_yes, is_empty[one.yes]), (one.of_no, is_empty[one.no])]
        (fewer, least), (more, most) = sorted(sides, key=lambda side: side[1].mean())
        counts = [(int(cells.sum()), cells.size) for cells in (most, least)]
        if surely_more(*counts, comparisons=len(questions)):
            shares = [f"{100 * cells.mean():.0f} %" for cells in (most, least)]
            said = f"{column} is empty in {shares[0]} of the images {more} and in {shares[1]} of those {fewer}"
            found[said] = {"column": column, "finding": one.name, "empty": f"{shares[0]} {more}, {shares[1]} {fewer}"}
    return found


def find_one_source(manifest: Manifest) -> Finding | None:
    """Find classes, findings or cuts whose images all come from one source, while others come from elsewhere, too."""
    by_appearance = sorted((one for one in contrasts_of(manifest) if one.yes.any()), key=lambda one: one.yes.argmax())
    task, noun, parts, rows = manifest.task, manifest.task.noun[0], [], []
    for column in manifest.columns:
        if not _SOURCES & set(_WORD.findall(column.lower())):
            continue
        sources = np.array([case.extra.get(column, "").strip() for case in manifest.cases])
        for one in by_appearance:
            own = set(sources[one.yes].tolist())
            source = min(own)
            if len(own) > 1 or _is_empty(source) or not one.no.any():
                continue
            images, rest = int(one.yes.sum()), int(one.no.sum())
            others = int((sources[one.no] == source).sum())
            if surely_more((images, images), (others, rest)):
                share = f"{100 * others / rest:.0f} %"
                parts.append(f"all {images:,} images {one.of_yes} have one {column}, as do {share} of the others")
                rows.append({noun: one.name, "column": column, f"of the {noun}": "100 %", "of the others": share})
    if not parts:
        return None
    return Finding(
        code="class-from-one-source",
        severity="warn",
        sentence=f"A {noun} comes from one source: {'; '.join(parts)}. The network can learn to tell the sources apart "
        + worded("instead of the disease, which only images {of others} from the same source would show.", task),
        fix=worded("Add images {of every class} from every source, or test on a source that has {all}.", task),
        count=len(parts),
        evidence=tuple(rows),
    )
