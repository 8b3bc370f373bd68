"""Rare classes: how heavily to weigh them, and what brings their probabilities back to the true share.

    python benchmarks/rare_classes.py --cache FOLDER

A linear head on frozen features (`scored_sets.py`) learns from half of the patients of real sets in which all but one
positive image in 50 negative ones were left out; a fifth calibrates and places the threshold, the rest judges.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from scored_sets import Listed, features_of, listed_sets
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from overread.decision import Task, choose_operating_point, fit_calibration
from overread.decision.calibrating.temperature import fit_temperature_and_offset
from overread.evaluation import average_precision, roc_auc

TASK = Task.of(("no", "yes"))
RARITY, SEEDS, FEWEST = 50, 8, 2
# What a positive image counts for each negative one, of as many as there are for each positive.
WEIGHTS = {"equal classes": lambda ratio: ratio, "square root": np.sqrt, "at most 10": lambda r: min(r, 10.0)}
HEADER = ("set, weights", "AUC", "average precision", "balanced accuracy", "log loss", "by temperature alone")


def main() -> None:
    """Thin out, fit, judge and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps features between runs")
    cache = parser.parse_args().cache
    found = defaultdict(list)
    for listed in listed_sets():
        if listed.name.startswith(("chest_xray", "nih")):
            features = features_of(listed.paths, cache / f"{listed.name.split(',')[0]}.npy")[0]
            for positive in (0, 1) if listed.name == "chest_xray" else (1,):
                for name, row in _judged(listed, features, positive):
                    found[f"{listed.name}, positive {positive}, {name}"].append(row)
    print(f"| {' | '.join(HEADER)} |\n| {' | '.join(['---'] * len(HEADER))} |")
    for name, rows in found.items():
        print(f"| {name} ({len(rows)} runs) | {' | '.join(f'{mean:.3f}' for mean in np.mean(rows, axis=0))} |")


def _judged(listed: Listed, features: np.ndarray, positive: int) -> Iterator[tuple[str, list[float]]]:
    for seed in range(SEEDS):
        random, y_true = np.random.default_rng(seed), (listed.y_true == positive).astype(int)
        others = np.flatnonzero(y_true == 0)
        rare = random.permutation(np.flatnonzero(y_true == 1))[: len(others) // RARITY]
        kept = np.concatenate([others, rare])
        sides = _dealt(y_true[kept], listed.patients[kept], random)
        if min(np.bincount(y_true[kept][side], minlength=2).min() for side in sides.values()) < FEWEST:
            continue
        for name, weigh in WEIGHTS.items():
            yield name, _row(features[kept], y_true[kept], sides, weigh)


def _dealt(y_true: np.ndarray, patients: np.ndarray, random: np.random.Generator) -> Mapping[str, np.ndarray]:
    """Which cases teach, choose and judge, class by class."""
    place = {}
    for label in (0, 1):
        names = random.permutation(np.unique(patients[y_true == label]))
        place |= {name: rank / len(names) for rank, name in enumerate(names)}
    where = np.array([place[name] for name in patients])
    return {"teach": where < 0.5, "choose": (where >= 0.5) & (where < 0.7), "judge": where >= 0.7}


def _row(features: np.ndarray, y_true: np.ndarray, sides: Mapping[str, np.ndarray], weigh) -> list[float]:
    teach, choose, judge = sides.values()
    ratio = (y_true[teach] == 0).sum() / y_true[teach].sum()
    heavier = float(weigh(ratio))
    head = make_pipeline(
        StandardScaler(), LogisticRegression(C=1e-3, class_weight={0: 1, 1: heavier}, max_iter=300)
    ).fit(features[teach], y_true[teach])
    logits = head.decision_function(features)[:, None]
    columns = np.column_stack([np.zeros(len(logits)), logits])
    expected, effect = -np.log([heavier]), np.array([[0.0, 1.0]])
    chosen = fit_temperature_and_offset(y_true[choose], columns[choose], effect=effect, expected=expected)
    alone = fit_calibration(y_true[choose], logits[choose], task=TASK)
    point = choose_operating_point(y_true[choose], chosen.apply(logits[choose], TASK)[:, 1])
    actual, y_prob = y_true[judge], chosen.apply(logits[judge], TASK)
    called = y_prob[:, 1] >= point.threshold
    return [
        roc_auc(actual, y_prob[:, 1]),
        average_precision(actual, y_prob[:, 1]),
        (called[actual == 1].mean() + (~called)[actual == 0].mean()) / 2,
        TASK.log_losses(actual, y_prob).mean(),
        TASK.log_losses(actual, alone.apply(logits[judge], TASK)).mean(),
    ]


if __name__ == "__main__":
    main()
