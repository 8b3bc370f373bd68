"""Findings that cannot stand on the training, the validation and the test side."""

from __future__ import annotations

import dataclasses

import numpy as np

from overread.cases.manifest import Manifest
from overread.errors import InvalidData
from overread.words import listed

# One for each side.
_FEWEST_PATIENTS = 3


def without_rare_findings(manifest: Manifest) -> Manifest:
    """The same study without the findings that fewer than three patients show, or are known not to show.

    An image of which nothing else is known is left out with them. What has one label a case stays as it is.

    Raises:
        InvalidData: fewer than two findings are left.
    """
    task = manifest.task
    if task.exclusive or task.parts:
        return manifest
    y_true, who = manifest.y_true, np.array([case.counts_as for case in manifest.cases])
    patients = {name: [len({*who[y_true[:, at] == told]}) for told in (1, 0)] for at, name in enumerate(task.classes)}
    kept = [name for name, found in patients.items() if min(found) >= _FEWEST_PATIENTS]
    if len(kept) == len(task.classes):
        return manifest
    rare = [f"{name} ({n} with, {without} without)" for name, (n, without) in patients.items() if name not in kept]
    said = f"fewer than three patients have them, or lack them: {listed(rare)}"
    if len(kept) < 2:
        ways = [f"tell {kept[0]} from all else with --finding"] if kept else []
        if any(without < _FEWEST_PATIENTS for _, without in patients.values()) and (y_true < 0).any():
            ways.append("take empty cells for absent with --blank absent")
        way = f"; {' or '.join(ways)}" if ways else ""
        raise InvalidData(f"of the findings {len(kept)} can be learnt, and two are needed; {said}{way}")
    fewer = dataclasses.replace(task, classes=tuple(kept))
    known = y_true[:, [task.column(name) for name in kept]]
    cases = [
        dataclasses.replace(case, label=fewer.label(row))
        for case, row in zip(manifest.cases, known, strict=True)
        if (row >= 0).any()
    ]
    left = f"left out of the findings, as {said}"
    return dataclasses.replace(manifest, cases=tuple(cases), task=fewer, notes=(*manifest.notes, left))
