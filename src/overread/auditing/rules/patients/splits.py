"""Data that no split suits: which classes are too small for one, and what to merge or leave out."""

from __future__ import annotations

import dataclasses
import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from overread.auditing.finding import Finding
from overread.cases import SPLITS, Manifest, split_cases
from overread.cases.relabel import written_mapping
from overread.decision import Task
from overread.errors import InvalidData
from overread.words import count, first_of

PATIENTS_OF_EACH_CLASS = 3  # train, validation and test each need one
ONE_SIDE = "all images of a patient must be on one side"


def find_impossible_split(manifest: Manifest) -> Finding | None:
    """Find out whether the split that training would make can be made, and what stands in its way."""
    if _can_be_split(manifest):
        return None
    sides = Counter(case.split for case in manifest.cases)
    if sides[None] and len(sides) > 1:
        return Finding(
            code="split-incomplete",
            severity="block",
            sentence=f"{sides[None]:,} of {len(manifest):,} images name no side of the split while the others do, so "
            "that it cannot be told what may be trained on.",
            fix="Give every image one of train, val and test, or none of them.",
            count=sides[None],
        )
    images, patients, placed = Counter[str](), defaultdict(set), set()
    for case, shown in zip(manifest.cases, manifest.shown, strict=True):
        for name in shown:
            images[name] += 1
            patients[name].add(case.counts_as)
            placed.add((case.split, name))
    absent = [(side, name) for side in SPLITS for name in images if sides[side] and (side, name) not in placed]
    small = [name for name in images if len(patients[name]) < PATIENTS_OF_EACH_CLASS]
    in_the_way = [name for name in images if name in small or name in {name for _, name in absent}]
    noun, kind = "patient" if manifest.has_patients else "picture", manifest.task.noun[0]
    order = sorted(in_the_way or images, key=lambda name: (len(patients[name]), images[name]))
    said = [f"{side} has no {name}" for side, name in absent]
    said += [f"{count(images[name], 'image')} of {name} from {count(len(patients[name]), noun)}" for name in order]
    return Finding(
        code="impossible-split",
        severity="block",
        sentence=f"These data cannot be split so that training, validation and test all see every {kind}, for "
        f"{ONE_SIDE}: {first_of(said)}. A network trained on them cannot be tested.",
        fix=" ".join(_ways_out(manifest, in_the_way)),
        count=len(in_the_way) or len(images),
        evidence=tuple(
            {kind: name, "images": str(images[name]), f"{noun}s": str(len(patients[name]))} for name in order
        ),
    )


def _ways_out(manifest: Manifest, in_the_way: Sequence[str]) -> list[str]:
    """What makes a split possible: each way was tried."""
    ways = []
    if manifest.task.exclusive and in_the_way:
        out = dict.fromkeys(in_the_way, "")
        one, several = manifest.task.noun
        if _can_be_split(manifest, out):
            them = f"the {one} {in_the_way[0]}"
            if len(in_the_way) > 1:
                them = f"the {len(in_the_way):,} {several} that stand in the way"
            ways.append(f"Leave out {them}: {_option(manifest, out)}.")
        merged = _merged(manifest.task, in_the_way)
        if merged and _can_be_split(manifest, merged):
            ways.append(f"Where they may count as one {one}, merge them: {_option(manifest, merged)}.")
    if any(case.split for case in manifest.cases) and _can_be_split(manifest.without_sides()):
        ways.append("Deal the patients to the sides anew: --ignore-sides.")
    return [
        *ways,
        f"Collect images of at least {PATIENTS_OF_EACH_CLASS} patients with each {manifest.task.noun[0]}, one for each "
        "side, and of many more for a result to rely on.",
    ]


def _merged(task: Task, in_the_way: Sequence[str]) -> dict[str, str]:
    """What small classes may be called together: a grade as the nearest that is large enough, others anything else."""
    if task.ordered:
        large = [place for place, name in enumerate(task.classes) if name not in in_the_way]
        places = {name: task.column(name) for name in in_the_way}
        nearest = {name: min(large, key=lambda at: abs(at - place)) for name, place in places.items() if large}
        return {name: task.classes[at] for name, at in nearest.items()}
    other = next(name for name in ("other", "others", "all others") if name not in task.classes)
    return dict.fromkeys(in_the_way, other) if len(in_the_way) > 1 else {}


def _option(manifest: Manifest, mapping: Mapping[str, str]) -> str:
    """The option that renames classes, after those that were renamed already."""
    before = manifest.source.mapping if manifest.source else {}
    chained = {old: mapping.get(new, new) for old, new in before.items()}
    chained |= {old: new for old, new in mapping.items() if old not in before.values()}
    return f"--map {shlex.quote(written_mapping(chained))}"


def _can_be_split(manifest: Manifest, mapping: Mapping[str, str] | None = None) -> bool:
    """Whether the split can be made once classes have other names, and those without one are left out."""
    if mapping:
        renamed = [dataclasses.replace(case, label=mapping.get(case.label, case.label)) for case in manifest.cases]
        kept = [case for case in renamed if case.label]
        classes = sorted({case.label for case in kept})
        if len(classes) < 2:
            return False
        manifest = Manifest(cases=tuple(kept), task=Task.of(classes))
    try:
        split_cases(manifest)
    except InvalidData:
        return False
    return True
