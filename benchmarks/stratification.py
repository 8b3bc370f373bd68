"""How near each finding, and each two together, come to their share of every side, by two ways of dealing patients."""

from __future__ import annotations

import argparse
import itertools
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from overread.cases import Manifest, Source, counts_as, fold_cases, split_cases

# Of train, validation and test as `split_cases` carves them, and of five folds.
SHARES, FOLDS = (0.85 * 0.85, 0.85 * 0.15, 0.15), 5
FEWEST_TOGETHER = 10


def main() -> None:
    """Measure the sets that are named, over seeds, and write a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", help="each as FOLDER:TABLE of findings")
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    print("| set | dealt | into | findings | largest | patients with each | two together | absent |")
    print("|---|---|---|---|---|---|---|---|")
    for text in arguments.sets:
        folder, table = text.split(":")
        manifest = Manifest.read(Source(data=folder, labels=(table,))).without_sides()
        for way, sides_of in (("largest first", by_size), ("rarest first", by_rarity)):
            drawn = [sides_of(manifest, seed) for seed in range(arguments.seeds)]
            for into, place, shares in (("sides", 0, SHARES), ("folds", 1, (1 / FOLDS,) * FOLDS)):
                rows = [deviations(manifest, sides[place], shares) for sides in drawn]
                cells = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
                print(f"| {folder} | {way} | {into} | {cells} |")


def by_rarity(manifest: Manifest, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The side and the fold of each case as overread deals them."""
    sides, folds = np.zeros(len(manifest), int), np.zeros(len(manifest), int)
    for number, side in enumerate(("train", "val", "test")):
        sides[split_cases(manifest, seed=seed).manifest.select(side)] = number
    for number, fold in enumerate(fold_cases(manifest, folds=FOLDS, seed=seed)):
        folds[fold.select("test")] = number
    return sides, folds


def by_size(manifest: Manifest, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Likewise as classes are dealt: the largest patient first, to where most is lacking of its findings."""
    sides = np.zeros(len(manifest), int)
    for side, fraction in ((2, SHARES[2]), (1, SHARES[1] / (1 - SHARES[2]))):
        pool = np.flatnonzero(sides == 0)
        sides[pool[_deal(manifest, pool, (1 - fraction, fraction), (seed, side)) == 1]] = side
    return sides, _deal(manifest, np.arange(len(manifest)), (1 / FOLDS,) * FOLDS, (seed, FOLDS))


def _deal(manifest: Manifest, pool: np.ndarray, shares: Sequence[float], seed: tuple[int, int]) -> np.ndarray:
    y_true = manifest.task.indicators(manifest.y_true)
    strata = np.column_stack([y_true, ~y_true.any(axis=1)])
    patients, images = patients_of(manifest), defaultdict(list)
    for i in pool.tolist():
        images[patients[i]].append(i)
    order = list(images)
    np.random.default_rng(seed).shuffle(order)
    target = np.maximum(strata[pool].sum(axis=0) * np.array(shares)[:, None], 1e-9)
    room, dealt = target.copy(), np.zeros(len(manifest), int)
    for patient in sorted(order, key=lambda patient: -len(images[patient])):
        counts = strata[images[patient]].sum(axis=0)
        chosen = int((counts * room / target).sum(axis=1).argmax())
        room[chosen] -= counts
        dealt[images[patient]] = chosen
    return dealt[pool]


def patients_of(manifest: Manifest) -> list[str]:
    """Who each case counts as."""
    return [counts_as(case.patient_id, case.name) for case in manifest.cases]


def deviations(manifest: Manifest, sides: np.ndarray, shares: Sequence[float]) -> list[float]:
    """Of the shares of what each side got from those asked for: the mean of findings, the largest, the mean of the
    patients with each, the mean of two findings together in ten images or more; and how often a finding is absent.
    """
    shown = manifest.task.indicators(manifest.y_true) == 1
    _, patients = np.unique(patients_of(manifest), return_inverse=True)
    pairs = [shown[:, a] & shown[:, b] for a, b in itertools.combinations(range(shown.shape[1]), 2)]
    images, of_patients, together, absent = [], [], [], 0
    for number, share in enumerate(shares):
        on = sides == number
        for finding in shown.T:
            images.append(abs((finding & on).sum() / finding.sum() - share))
            got, every = (np.unique(patients[finding & chosen]).size for chosen in (on, on | True))
            of_patients.append(abs(got / every - share))
            absent += got == 0
        together += [abs((p & on).sum() / p.sum() - share) for p in pairs if p.sum() >= FEWEST_TOGETHER]
    return [float(np.mean(images)), max(images), float(np.mean(of_patients)), float(np.mean(together)), float(absent)]


if __name__ == "__main__":
    main()
