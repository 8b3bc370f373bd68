"""Findings that never occur without another, so that no image tells which of them a network has learnt."""

from __future__ import annotations

import numpy as np

from overread.auditing.contrasts import Contrast, contrasts_of
from overread.auditing.finding import Finding
from overread.auditing.shares import surely_more
from overread.cases import Manifest
from overread.decision import BoolArray
from overread.words import count, first_of, listed

# Of a finding that fewer patients have, what else they have is chance, and its rarity is told anyway.
_FEWEST_PATIENTS, _MOST_BESIDE = 10, 3


def find_never_alone(manifest: Manifest) -> Finding | None:
    """Find findings that are only there where a certain other one is (warn), or where any other is (info).

    A finding that fewer than ten patients have is not looked at; nor is another one that nearly all images show.
    """
    questions = contrasts_of(manifest)
    _, patients = np.unique([case.counts_as for case in manifest.cases], return_inverse=True)
    looked_at = [one for one in questions if _patients(patients, one.yes) >= _FEWEST_PATIENTS]
    bound = {one.name: _bound_to(one, questions, patients) for one in looked_at}
    shown = np.sum([one.yes for one in questions], axis=0)
    beside = [one for one in looked_at if not bound[one.name] and not (one.yes & (shown == 1)).any()]
    said = [
        f"{one.name} is never there without {listed(bound[one.name])} ({count(int(one.yes.sum()), 'image')} of "
        f"{count(_patients(patients, one.yes), 'patient')})"
        for one in looked_at
        if bound[one.name]
    ]
    certain = len(said)
    said += [f"{one.name} is never there alone, but with {listed(_most_beside(one, questions))}" for one in beside]
    if not said:
        return None
    return Finding(
        code="finding-never-alone",
        severity="warn" if certain else "info",
        sentence=f"{first_of(said)}. A network can take the one for the other, and no image of these data tells which "
        "it has learnt.",
        fix="Collect images that show it without the other. Until then say in the report that the two were not told "
        "apart; where both names mean the same, or one the other as well, keep one of them.",
        count=len(said),
        evidence=tuple(
            _row(one, questions, bound[one.name]) for one in [o for o in looked_at if bound[o.name]] + beside
        ),
    )


def _patients(patients: np.ndarray, images: BoolArray) -> int:
    return int(np.unique(patients[images]).size)


def _bound_to(one: Contrast, questions: tuple[Contrast, ...], patients: np.ndarray) -> list[str]:
    """The others that every image with a finding shows, surely more often than images without it do."""
    found = []
    for other in questions:
        if other is one or (one.yes & other.no).any():
            continue
        both, without = _patients(patients, one.yes & other.yes), one.no & other.known
        if both < _FEWEST_PATIENTS or not without.any():
            continue
        rest = (_patients(patients, without & other.yes), _patients(patients, without))
        if surely_more((both, both), rest, comparisons=len(questions) ** 2):
            found.append(other.name)
    return found


def _most_beside(one: Contrast, questions: tuple[Contrast, ...]) -> list[str]:
    counts = {other.name: int((one.yes & other.yes).sum()) for other in questions if other is not one}
    order = sorted(filter(counts.__getitem__, counts), key=lambda name: -counts[name])
    return [f"{name} in {counts[name]:,} of {one.yes.sum():,} images" for name in order[:_MOST_BESIDE]]


def _row(one: Contrast, questions: tuple[Contrast, ...], bound: list[str]) -> dict[str, str]:
    return {
        "finding": one.name,
        "images": f"{one.yes.sum():,}",
        "never without": ", ".join(bound) or "any other",
        "most often with": ", ".join(_most_beside(one, questions)),
    }
