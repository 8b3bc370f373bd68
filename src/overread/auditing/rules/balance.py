"""Whether each class has enough images, equally well known: imbalance, tiny classes, gaps in columns, one source."""

from __future__ import annotations

import itertools
import re
from collections import Counter

from overread.auditing.finding import Finding, FindingKind
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.auditing.shares import surely_more
from overread.cases import Manifest
from overread.evaluation import wilson
from overread.words import count, first_of

_UNEQUAL, _VERY_UNEQUAL = 2, 10
_TEST_SHARE, _WIDEST = 0.15, 0.2
_EMPTY = frozenset({"", "-", "?", "n/a", "na", "nan", "null", "unknown"})
_WORD = re.compile(r"[a-z]+")
_SOURCES = frozenset({
    "camera", "center", "centre", "clinic", "cohort", "database", "dataset", "device", "hospital", "institution",
    "machine", "manufacturer", "model", "operator", "origin", "scanner", "site", "source", "station", "vendor",
})  # fmt: skip


def find_imbalance(material: Material) -> list[Finding]:
    """Find classes of very different size, classes too small for any claim, and columns that know one class better.

    How small is told by the Wilson interval of a reader who errs on no test patient of a class: those of the given
    test side, or 15 % of the class's patients. An image without a patient id counts as a patient.

    Returns:
        Findings of the codes `class-imbalance` (info from 2 to 1, warn from 10 to 1), `class-too-small`,
        `metadata-missing-by-class` and `class-from-one-source` (warn).
    """
    manifest = material.manifest
    found = [_imbalance(manifest), _too_small(manifest), _missing_by_class(manifest), _one_source(manifest)]
    return [finding for finding in found if finding is not None]


RULE = Rule(
    name="balance",
    kinds=(
        FindingKind("class-imbalance", "warn", "at least twice as many images of one class as of another"),
        FindingKind("class-too-small", "warn", "a test side too small for a claim"),
        FindingKind("metadata-missing-by-class", "warn", "a column filled in for one class rather than another"),
        FindingKind("class-from-one-source", "warn", "a class whose images all come from one source"),
    ),
    find=find_imbalance,
)


def _imbalance(manifest: Manifest) -> Finding | None:
    images = Counter({name: 0 for name in manifest.classes})
    images.update(itertools.chain.from_iterable(manifest.shown))
    (largest, most), *_, (smallest, fewest) = images.most_common()
    if most < _UNEQUAL * fewest:
        return None
    times = most / max(fewest, 1)
    ratio = f"{times:.{int(times < _VERY_UNEQUAL)}f} times as many" if fewest else "many"
    return Finding(
        code="class-imbalance",
        severity="warn" if most >= _VERY_UNEQUAL * fewest else "info",
        sentence=f"There are {ratio} images of {largest} ({most:,}) as of {smallest} ({fewest:,}): whoever always "
        f"says {largest} is right in {100 * most / len(manifest):.0f} % of the images and of no use.",
        fix="Judge the result by sensitivity, specificity, AUC and average precision, not by accuracy, and collect "
        f"images of {smallest}.",
        count=fewest,
        evidence=tuple({"class": name, "images": f"{count:,}"} for name, count in images.most_common()),
    )


def _too_small(manifest: Manifest) -> Finding | None:
    given = any(case.split == "test" for case in manifest.cases)
    noun = "patient" if manifest.has_patients else "picture"
    parts, rows = [], []
    for name in manifest.classes:
        tested = _patients(manifest, name, "test" if given else None)
        if not given:  # a side that is carved has a patient of each class
            tested = min(tested, max(1, round(_TEST_SHARE * tested)))
        low = wilson(tested, tested).low if tested else 0.0
        if 1 - low <= _WIDEST:
            continue
        measure = f"sensitivity for {name}"
        if manifest.task.positive is not None:
            measure = "sensitivity" if name == manifest.task.positive else "specificity"
        reach = f"{100 * low:.0f} to 100 %"
        parts.append(f"a {measure} of {reach} ({count(tested, noun)} of {name})")
        rows.append({"class": name, f"test {noun}s": str(tested), "measure": measure, "perfect reader": reach})
    if not parts:
        return None
    unnamed = "" if manifest.has_patients else " As patients are not named, it may be smaller still than it looks."
    enough = next(n for n in itertools.count(1) if 1 - wilson(n, n).low <= _WIDEST)
    return Finding(
        code="class-too-small",
        severity="warn",
        sentence=f"The test side {'is' if given else 'will be'} too small for a claim: even a perfect reader would "
        f"have {first_of(parts)} (95 % interval), so a good network cannot be told from a poor one.{unnamed}",
        fix=f"Collect images until {enough} patients or more with each class can be tested, which narrows the interval "
        f"to {100 * _WIDEST:.0f} points, or test on every patient in turn with overread crossvalidate.",
        count=len(parts),
        evidence=tuple(rows),
    )


def _patients(manifest: Manifest, name: str, side: str | None) -> int:
    """Patients with a class, on one side or on any."""
    of_class = [manifest.cases[i] for i in manifest.of_class(name)]
    return len({case.counts_as for case in of_class if side in (None, case.split)})


def _missing_by_class(manifest: Manifest) -> Finding | None:
    columns = {name: [case.extra.get(name, "") for case in manifest.cases] for name in manifest.columns}
    columns["patient_id"] = [case.patient_id or "" for case in manifest.cases]
    shown = manifest.shown
    images = Counter(itertools.chain.from_iterable(shown))
    parts, rows = [], []
    for column, values in columns.items():
        empty = [value.strip().lower() in _EMPTY for value in values]
        missing = Counter(itertools.chain.from_iterable(itertools.compress(shown, empty)))
        shares = sorted(images, key=lambda name: missing[name] / images[name])
        least, most = shares[0], shares[-1]
        if not surely_more((missing[most], images[most]), (missing[least], images[least])):
            continue
        share = {name: f"{100 * missing[name] / images[name]:.0f} %" for name in shares}
        parts.append(f"{column} is empty in {share[most]} of the images of {most} and in {share[least]} of {least}")
        rows.append(
            {"column": column, **{f"empty in {name}": share[name] for name in manifest.classes if name in share}}
        )
    if not parts:
        return None
    return Finding(
        code="metadata-missing-by-class",
        severity="warn",
        sentence=f"Some columns are filled in for one class rather than another: {'; '.join(parts)}. The classes may "
        "come from different sources then, and results by subgroup leave out more of one than of the other.",
        fix="Find out why these cells are empty, and fill them in or say in the report what is not known.",
        count=len(parts),
        evidence=tuple(rows),
    )


def _one_source(manifest: Manifest) -> Finding | None:
    images = Counter(itertools.chain.from_iterable(manifest.shown))
    parts, rows = [], []
    for column in manifest.columns:
        if not _SOURCES & set(_WORD.findall(column.lower())):
            continue
        sources = [case.extra.get(column, "").strip() for case in manifest.cases]
        for name in images:
            of_class = {sources[i] for i in manifest.of_class(name)}
            source = min(of_class)
            if len(of_class) > 1 or source.lower() in _EMPTY:
                continue
            others = sources.count(source) - images[name]
            rest = len(manifest) - images[name]
            if surely_more((images[name], images[name]), (others, rest)):
                share = f"{100 * others / rest:.0f} %"
                parts.append(f"all {images[name]:,} images of {name} have one {column}, as do {share} of the others")
                rows.append({"class": name, "column": column, "of the class": "100 %", "of the others": share})
    if not parts:
        return None
    return Finding(
        code="class-from-one-source",
        severity="warn",
        sentence=f"A class comes from one source: {'; '.join(parts)}. The network can learn to tell the sources apart "
        "instead of the disease, which only images of other classes from the same source would show.",
        fix="Add images of every class from every source, or test on a source that has all classes.",
        count=len(parts),
        evidence=tuple(rows),
    )
