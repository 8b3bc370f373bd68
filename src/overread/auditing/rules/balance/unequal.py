"""Classes of unequal size, and findings that are far more often absent than present."""

from __future__ import annotations

import itertools
from collections import Counter

from overread.auditing.contrasts import Contrast, contrasts_of
from overread.auditing.finding import Finding
from overread.auditing.wording import told_as
from overread.cases import Manifest
from overread.words import first_of

_UNEQUAL, _VERY_UNEQUAL = 2, 10
_MOST_SAID = 3


def find_unequal_classes(manifest: Manifest) -> Finding | None:
    """Find out whether there are at least twice as many images of one class as of another."""
    task = manifest.task
    images = Counter({name: 0 for name in task.classes})
    images.update(itertools.chain.from_iterable(manifest.shown))
    (largest, most), *_, (smallest, fewest) = images.most_common()
    if most < _UNEQUAL * fewest:
        return None
    times = most / max(fewest, 1)
    ratio = f"{times:.{int(times < _VERY_UNEQUAL)}f} times as many" if fewest else "many"
    commonest, rarest = told_as(task, largest), told_as(task, smallest)
    return Finding(
        code="class-imbalance",
        severity="warn" if most >= _VERY_UNEQUAL * fewest else "info",
        sentence=f"There are {ratio} images of {commonest} ({most:,}) as of {rarest} ({fewest:,}): whoever always "
        f"says {commonest} is right in {100 * most / len(manifest):.0f} % of the images and of no use.",
        fix="Judge the result by sensitivity, specificity, AUC and average precision, not by accuracy, and collect "
        f"images of {rarest}.",
        count=fewest,
        evidence=tuple({task.noun[0]: name, "images": f"{count:,}"} for name, count in images.most_common()),
    )


def find_unequal_findings(manifest: Manifest) -> Finding | None:
    """Find findings that are at least twice as often absent as present, or the reverse, where the labels tell."""
    questions = sorted(contrasts_of(manifest), key=_rarer)
    unequal = [one for one in questions if _commoner(one) >= _UNEQUAL * _rarer(one)]
    if not unequal:
        return None
    rarest = unequal[0]
    said = [f"{one.name} is in {one.yes.sum():,} of {one.known.sum():,} images" for one in unequal]
    is_rare = bool(rarest.no.sum() >= rarest.yes.sum())
    right = f"{100 * _commoner(rarest) / max(rarest.known.sum(), 1):.0f} %"
    return Finding(
        code="class-imbalance",
        severity="warn" if any(_commoner(one) >= _VERY_UNEQUAL * _rarer(one) for one in unequal) else "info",
        sentence=f"{len(unequal):,} of {len(questions):,} findings are at least twice as often absent as present, or "
        f"the reverse ({first_of(said, _MOST_SAID)}): whoever always says that there is {'no ' * is_rare}{rarest.name} "
        f"is right in {right} of the images and of no use.{_said_of_unknown(manifest, questions)}",
        fix="Judge each finding by its sensitivity, specificity, AUC and average precision, not by accuracy, and "
        f"collect images {rarest.of_yes if is_rare else rarest.of_no}.",
        count=len(unequal),
        evidence=tuple(_row(one) for one in questions),
    )


def _rarer(question: Contrast) -> int:
    return int(min(question.yes.sum(), question.no.sum()))


def _commoner(question: Contrast) -> int:
    return int(max(question.yes.sum(), question.no.sum()))


def _said_of_unknown(manifest: Manifest, questions: list[Contrast]) -> str:
    unknown = {one.name: int((~one.known).sum()) for one in questions}
    if not any(unknown.values()):
        return ""
    share = sum(unknown.values()) / (len(manifest) * len(questions))
    most = max(unknown, key=unknown.__getitem__)
    return (
        f" Of all answers {100 * share:.0f} % are not known, those on {most} in {unknown[most]:,} of "
        f"{len(manifest):,} images; they are neither learnt from nor tested on."
    )


def _row(question: Contrast) -> dict[str, str]:
    known = int(question.known.sum())
    return {
        "finding": question.name,
        "present": f"{question.yes.sum():,}",
        "absent": f"{question.no.sum():,}",
        "not known": f"{len(question.yes) - known:,}",
        "present of those known": f"{100 * question.yes.sum() / known:.1f} %" if known else "none known",
    }
