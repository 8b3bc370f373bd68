"""Classes and findings of which too few patients can be tested for any claim."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np

from overread.auditing.contrasts import contrasts_of
from overread.auditing.finding import Finding
from overread.auditing.wording import told_as
from overread.cases import Manifest
from overread.evaluation import wilson
from overread.words import count, first_of

_TEST_SHARE, _WIDEST = 0.15, 0.2


class _Claim(NamedTuple):
    """What would be claimed of a class or finding: the measure, who it is counted on, and the images of these."""

    name: str
    measure: str
    who: str
    images: Collection[int]


def find_small_classes(manifest: Manifest) -> Finding | None:
    """Find classes or grades of which a test side holds too few patients, or will hold."""
    return _finding(
        "class-too-small", manifest, "The test side {is} too small for a claim", _claims_of_classes(manifest)
    )


def find_rare_findings(manifest: Manifest) -> Finding | None:
    """Find findings that too few patients of a test side have, or surely lack."""
    return _finding(
        "rare-finding",
        manifest,
        "Some findings {are} too rare on the test side for a claim",
        _claims_of_findings(manifest),
    )


def _claims_of_classes(manifest: Manifest) -> Iterator[_Claim]:
    task = manifest.task
    for name in task.classes:
        measure = f"sensitivity for {told_as(task, name)}"
        if task.positive is not None:
            measure = "sensitivity" if name == task.positive else "specificity"
        yield _Claim(name, measure, f"of {told_as(task, name)}", manifest.of_class(name))


def _claims_of_findings(manifest: Manifest) -> Iterator[_Claim]:
    rarest_first = sorted(contrasts_of(manifest), key=lambda one: min(one.yes.sum(), one.no.sum()))
    for question in rarest_first:
        for measure, who, images in (
            ("sensitivity", question.of_yes, question.yes),
            ("specificity", question.of_no, question.no),
        ):
            yield _Claim(question.name, f"{measure} for {question.name}", who, np.flatnonzero(images).tolist())


def _finding(code: str, manifest: Manifest, what: str, claims: Iterator[_Claim]) -> Finding | None:
    given = any(case.split == "test" for case in manifest.cases)
    noun, one = "patient" if manifest.has_patients else "picture", manifest.task.noun[0]
    parts, rows = [], []
    for claim in claims:
        every = _patients(manifest, claim.images, None)
        tested = _patients(manifest, claim.images, "test" if given else None)
        if not given:  # a side that is carved has a patient of each class
            tested = min(tested, max(1, round(_TEST_SHARE * tested)))
        low = wilson(tested, tested).low if tested else 0.0
        if 1 - low <= _WIDEST:
            continue
        reach = f"{100 * low:.0f} to 100 %"
        # A finding is rare in all of the data, a class mostly on the test side only.
        of_all = {} if manifest.task.exclusive else {f"{noun}s": str(every)}
        who = claim.who + f" of {every:,}" * bool(of_all)
        parts.append(f"a {claim.measure} of {reach} ({count(tested, noun)} {who})")
        cells = {f"test {noun}s": str(tested), "measure": claim.measure, "perfect reader": reach}
        rows.append({one: claim.name, **of_all, **cells})
    if not parts:
        return None
    said = what.format(**{"is": "is" if given else "will be", "are": "are" if given else "will be"})
    unnamed = "" if manifest.has_patients else " As patients are not named, it may be smaller still than it looks."
    enough = next(n for n in itertools.count(1) if 1 - wilson(n, n).low <= _WIDEST)
    return Finding(
        code=code,
        severity="warn",
        sentence=f"{said}: even a perfect reader would have {first_of(parts)} (95 % interval), so a good network "
        f"cannot be told from a poor one.{unnamed}",
        fix=f"Collect images until {enough} patients or more with each {one} can be tested, which narrows the interval "
        f"to {100 * _WIDEST:.0f} points, or test on every patient in turn with overread crossvalidate.",
        count=len(parts),
        evidence=tuple(rows),
    )


def _patients(manifest: Manifest, images: Collection[int], side: str | None) -> int:
    """Patients of these images, on one side or on any."""
    cases = [manifest.cases[i] for i in images]
    return len({case.counts_as for case in cases if side in (None, case.split)})
