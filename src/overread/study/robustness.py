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
from overread.images import DataSet, PixelStore
from overread.images.shifts import STRENGTHS, Shift, shifts_for
from overread.machine.files import from_json, write_json
from overread.machine.terminal import at_work
from overread.reading.reader import Reader
from overread.run import RunFolder

# As many as two cores read 24 times in some 20 s (efficientnet-lite0, 160 px).
_MOST_IMAGES = 200
_CHUNK = 32


def measure_robustness(
    bundle: Bundle, data_sets: Sequence[DataSet], folder: RunFolder, *, level: float = 0.95, console: Console
) -> Robustness:
    """Read up to 200 images of the validation sides under every shift in each strength, and record what it costs.

    Each image is read by the networks that never saw it, decided at the frozen operating points and referred by the
    frozen thresholds. Classes are as alike in number as there are images, and many patients come before many images of
    one. The test side is not touched. What was recorded of this very bundle is taken as it is.

    Args:
        bundle: as it was written.
        data_sets: those that its networks were trained on, in the order of its members.
        folder: of the run, which keeps the record.
        level: of the intervals.
        console: where progress is shown.
    """
    if (former := _recorded(bundle, folder)) is not None:
        return former
    seed = int(bundle.recipe["seed"])
    images = _Unseen.choose(data_sets, seed)
    readers = [Reader(dataclasses.replace(bundle, members=(member,))) for member in bundle.members]
    with at_work(console, f"reading {len(images.cases)} validation images as other scanners would give them"):
        found = _assess(images, readers, level=level, seed=seed)
    write_json(folder.robustness, {"bundle": bundle.fingerprint, **found.to_dict()})
    return found


def _recorded(bundle: Bundle, folder: RunFolder) -> Robustness | None:
    try:
        values = dict(from_json(folder.robustness.read_bytes()))
        return Robustness.from_dict(values) if values.pop("bundle") == bundle.fingerprint else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Unseen:
    """Images that networks never saw.

    Args:
        store: of their pixels.
        rows: `(n,)` where they lie in it.
        owners: `(n, networks)` whether a network is one of those that never saw the image.
        cases: of the images.
        labels: `(n,)` the truth.
    """

    store: PixelStore
    rows: np.ndarray
    owners: np.ndarray
    cases: Sequence[Case]
    labels: np.ndarray

    @classmethod
    def choose(cls, data_sets: Sequence[DataSet], seed: int) -> _Unseen:
        """Take up to 200 of the validation sides, those with the same owners together."""
        found: dict[int, list[tuple[int, int]]] = {}
        for network, data_set in enumerate(data_sets):
            for position in data_set.manifest.select("val"):
                found.setdefault(int(data_set.rows[position]), []).append((network, position))
        rows, said = np.array([*found]), [*found.values()]
        firsts = [each[0] for each in said]
        cases = [data_sets[network].manifest.cases[position] for network, position in firsts]
        labels = np.array([data_sets[network].y_true[position] for network, position in firsts])
        owners = np.zeros((len(rows), len(data_sets)), dtype=bool)
        for i, each in enumerate(said):
            owners[i, [network for network, _ in each]] = True
        chosen = _spread(data_sets[0].manifest.task.indicators(labels), cases, seed)
        chosen = chosen[np.lexsort((chosen, *owners[chosen].T))]
        return cls(
            store=data_sets[0].store,
            rows=rows[chosen],
            owners=owners[chosen],
            cases=[cases[i] for i in chosen],
            labels=labels[chosen],
        )

    def chunks(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Pixels and owners, piece by piece."""
        for start in range(0, len(self.rows), _CHUNK):
            taken = slice(start, start + _CHUNK)
            yield self.store.pixels[self.rows[taken]], self.owners[taken]


def _spread(indicators: np.ndarray, cases: Sequence[Case], seed: int) -> np.ndarray:
    """Places of up to 200 cases, from each class in turn, and of a class the first of many patients before a second."""
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
    return np.array([*itertools.islice(chosen, _MOST_IMAGES)])


def _assess(images: _Unseen, readers: Sequence[Reader], *, level: float, seed: int) -> Robustness:
    """Read the images as they are and under every shift."""
    shifts = shifts_for(next(images.chunks())[0])
    conditions: list[tuple[Shift, int]] = [*itertools.product(shifts, range(len(STRENGTHS)))]
    read: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(len(conditions) + 1)]
    for number, (pixels, owners) in enumerate(images.chunks()):
        changed = (shift.apply(pixels, strength, seed + number) for shift, strength in conditions)
        for parts, each in zip(read, itertools.chain([pixels], changed), strict=True):
            parts.append(_read(readers, each, owners))
    unchanged, *others = (_joined(images, readers[0], parts) for parts in read)
    changes = [
        Change(name=shift.name, label=shift.label, strength=STRENGTHS[strength], amount=shift.describe(strength))
        for shift, strength in conditions
    ]
    return assess_robustness(unchanged, dict(zip(changes, others, strict=True)), level=level, seed=seed)


def _read(readers: Sequence[Reader], pixels: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and unfamiliarity of each image, the means of those of the networks that never saw it."""
    classes = readers[0].bundle.classes
    y_prob, unfamiliarity = np.zeros((len(pixels), len(classes))), np.zeros(len(pixels))
    for reader, theirs in zip(readers, owners.T, strict=True):
        if theirs.any():
            answers = reader.answer(pixels[theirs])
            y_prob[theirs] += answers.probabilities
            unfamiliarity[theirs] += answers.unfamiliarity
    networks = owners.sum(axis=1)
    return y_prob / networks[:, None], unfamiliarity / networks


def _joined(images: _Unseen, reader: Reader, parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> Read:
    """Decide and refer by the thresholds of the bundle."""
    y_prob, unfamiliarity = (np.concatenate(values) for values in zip(*parts, strict=True))
    predictions = Predictions(
        cases=[case.full_name for case in images.cases],
        y_true=images.labels,
        y_prob=y_prob,
        task=reader.bundle.task,
        thresholds=reader.bundle.thresholds,
        patients=[pseudonym(case.patient_id) for case in images.cases],
    )
    return Read(predictions, reader.abstentions(y_prob, unfamiliarity))
