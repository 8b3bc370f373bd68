"""How a bundle bears up when images come from elsewhere: unseen ones, changed as `images.shifts` says, are read."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console

from overread.bundle import Bundle
from overread.cases import counts_as, pseudonym
from overread.cases.case import Case
from overread.evaluation import Predictions
from overread.evaluation.robustness import Change, Read, Robustness, assess_robustness
from overread.images import DataSet
from overread.images.shifts import STRENGTHS, Shift, shifts_for
from overread.machine.files import from_json, read_regular, write_json
from overread.machine.terminal import at_work
from overread.reading.answers import Answers
from overread.reading.reader import Reader
from overread.run import RunFolder

# As many as two cores read 24 times in some 20 s (efficientnet-lite0, 160 px).
_MOST_IMAGES = 150
_CHUNK = 32


def measure_robustness(
    bundle: Bundle, data_sets: Sequence[DataSet], folder: RunFolder, *, level: float = 0.95, console: Console
) -> Robustness:
    """Read up to 150 images of the validation sides under every shift in each strength, and record what it costs.

    Each image is read by the network that never saw it, decided at the frozen operating points and referred by the
    frozen thresholds. Classes are as alike in number as there are images, and many patients come before many images of
    one. The test side is not touched. What was recorded of this very bundle is taken as it is.

    Args:
        bundle: as it was written.
        data_sets: those that its networks were trained on, in the order of its members; each has a validation side
            that no other has.
        folder: of the run, which keeps the record.
        level: of the intervals.
        console: where progress is shown.
    """
    if (former := read_robustness(folder, bundle.fingerprint)) is not None:
        return former
    seed = int(bundle.recipe["seed"])
    images = _Unseen.of(data_sets)
    images = images.take(_spread(images.cases, bundle.task.indicators(images.labels), seed))
    with at_work(console, f"reading {len(images.cases)} {bundle.chosen_on} as other scanners would give them"):
        found = _assess(bundle, images, data_sets, level=level, seed=seed)
    write_json(folder.robustness, {"bundle": bundle.fingerprint, **found.to_dict()})
    return found


def read_robustness(folder: RunFolder, bundle: str | None = None) -> Robustness | None:
    """What the run in a folder recorded, of the bundle with this fingerprint where one is asked for; None without."""
    try:
        values = dict(from_json(read_regular(folder.robustness)))
        measured = values.pop("bundle")
        return Robustness.from_dict(values) if bundle in (None, measured) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Unseen:
    """Images that one network each never saw.

    `networks` `(n,)` are the places of these, `positions` `(n,)` those of the images in their data sets, `labels` the
    truth.
    """

    networks: np.ndarray
    positions: np.ndarray
    cases: Sequence[Case]
    labels: np.ndarray

    @classmethod
    def of(cls, data_sets: Sequence[DataSet]) -> _Unseen:
        sides = [data_set.manifest.select("val") for data_set in data_sets]
        pairs = [*zip(data_sets, sides, strict=True)]
        return cls(
            networks=np.repeat(np.arange(len(sides)), [len(side) for side in sides]),
            positions=np.concatenate(sides),
            cases=[data_set.manifest.cases[i] for data_set, side in pairs for i in side],
            labels=np.concatenate([data_set.y_true[side] for data_set, side in pairs]),
        )

    def take(self, places: Sequence[int]) -> _Unseen:
        rows = np.array(places)
        return _Unseen(
            networks=self.networks[rows],
            positions=self.positions[rows],
            cases=[self.cases[i] for i in places],
            labels=self.labels[rows],
        )

    def chunks(self) -> Iterator[tuple[int, list[int]]]:
        """A network, and the positions of a few images that it is to read at once."""
        for network in np.unique(self.networks):
            theirs = self.positions[self.networks == network].tolist()
            yield from ((int(network), theirs[start : start + _CHUNK]) for start in range(0, len(theirs), _CHUNK))


def _spread(cases: Sequence[Case], indicators: np.ndarray, seed: int) -> list[int]:
    """Places of up to 150 cases, from each class in turn, and of a class the first of many patients before a second."""
    order = np.random.default_rng(seed).permutation(len(cases)).tolist()
    nth, met = {}, Counter[str]()
    for i in order:
        patient = counts_as(cases[i].patient_id, str(i))
        nth[i] = met[patient]
        met[patient] += 1
    order.sort(key=nth.__getitem__)
    groups = [*indicators.T.astype(bool), ~indicators.any(axis=1)]
    turns = itertools.zip_longest(*([i for i in order if group[i]] for group in groups))
    chosen = dict.fromkeys(i for turn in turns for i in turn if i is not None)
    return sorted(itertools.islice(chosen, _MOST_IMAGES))


def _assess(bundle: Bundle, images: _Unseen, data_sets: Sequence[DataSet], *, level: float, seed: int) -> Robustness:
    """Read the images as they are and under every shift, a few at a time."""
    readers = [Reader(dataclasses.replace(bundle, members=(member,))) for member in bundle.members]
    network, few = next(images.chunks())
    conditions: list[tuple[Shift, int]] = [
        *itertools.product(shifts_for(data_sets[network].pixels(few)), range(len(STRENGTHS)))
    ]
    read: list[list[Answers]] = [[] for _ in range(len(conditions) + 1)]
    for number, (network, few) in enumerate(images.chunks()):
        pixels = data_sets[network].pixels(few)
        changed = (shift.apply(pixels, strength, seed + number) for shift, strength in conditions)
        for parts, each in zip(read, itertools.chain([pixels], changed), strict=True):
            parts.append(readers[network].answer(each))
    unchanged, *others = (_decided(images, readers[0], parts) for parts in read)
    changes = [
        Change(name=shift.name, label=shift.label, strength=STRENGTHS[strength], amount=shift.describe(strength))
        for shift, strength in conditions
    ]
    changed_by = dict(zip(changes, others, strict=True))
    return assess_robustness(unchanged, changed_by, images=bundle.chosen_on, level=level, seed=seed)


def _decided(images: _Unseen, reader: Reader, parts: Sequence[Answers]) -> Read:
    """Decide and refer by the thresholds of the bundle."""
    y_prob, unfamiliarity = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("probabilities", "unfamiliarity")
    )
    predictions = Predictions(
        cases=[case.full_name for case in images.cases],
        y_true=images.labels,
        y_prob=y_prob,
        task=reader.bundle.task,
        thresholds=reader.bundle.thresholds,
        patients=[pseudonym(case.patient_id) for case in images.cases],
    )
    return Read(predictions, reader.abstentions(y_prob, unfamiliarity))
