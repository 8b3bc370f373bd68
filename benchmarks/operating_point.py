"""What a threshold, a target and a probability chosen on some patients give on patients that chose nothing.

    python benchmarks/operating_point.py --cache FOLDER --logits runs/*.npz

Real sets (`scored_sets.py`) are split by patient, again and again, into a choosing and a judging part. Files of logits
of fine-tuned networks are judged alike: arrays `y`, `logits` and `patients`, and `shift_NAME` of changed images.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scored_sets import Scored, listed_sets, read_scored, score

from overread.decision import Calibration, Task, choose_operating_point, fit_calibration
from overread.evaluation.reliability import measure_reliability

TASK = Task.of(("no", "yes"))
# Cases to choose on; the last is a half.
SIZES = (40, 100, 10**6)
SEEDS, SPLITS, FEWEST = 4, 12, 3
HEADER = ("rule", "40 cases", "100 cases", "half", "half, changed images")
Choice = Callable[[np.ndarray, np.ndarray], float]
Found = dict[str, dict[object, dict[str, list[float]]]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Split:
    """Who chooses and who is judged: truth, logits, and whose they are."""

    name: str
    size: int
    y_true: np.ndarray
    logits: np.ndarray
    patients: list[str]
    judged: np.ndarray
    judged_logits: np.ndarray
    shifted: np.ndarray


def main() -> None:
    """Split, choose, judge and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps features between runs")
    parser.add_argument("--logits", type=Path, nargs="*", default=(), help="files of fine-tuned networks")
    arguments = parser.parse_args()
    regrets: Found = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    reached: Found = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    calibrated: Found = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for split in _splits(arguments.cache, arguments.logits):
        _judge_rules(split, regrets)
        _judge_targets(split, reached)
        _judge_calibration(split, calibrated)
    sets = sorted(regrets["argmax"][SIZES[-1]])
    _print(f"Regret in points of balanced accuracy, mean of {len(sets)} sets", HEADER, regrets, (*SIZES, "changed"))
    _print("Share reached on unseen patients", HEADER[:4], reached, SIZES, factor=1)
    measures = ("log loss", "slope, off 1", "off in the large")
    columns = tuple((size, measure) for measure in measures for size in SIZES)
    names = ("calibration", *(f"{measure}, {size}" for measure in measures for size in HEADER[1:4]))
    _print("Calibration on unseen patients, median of the sets", names, calibrated, columns, factor=1, over=np.median)
    rules = ("argmax", "overread")
    print("\n| set, half to choose on |", " | ".join(rules), "| slope |\n|", " | ".join(["---"] * 4), "|")
    for name in sets:
        cells = [f"{100 * np.mean(regrets[rule][SIZES[-1]][name]):.2f}" for rule in rules]
        print("|", name, "|", " | ".join(cells), f"| {np.median(calibrated['overread']['slopes'][name]):.2f} |")


def _splits(cache: Path, logits: list[Path]) -> Iterator[Split]:
    for listed in listed_sets():
        for seed in range(SEEDS):
            yield from _divided(score(listed, cache, seed=seed), seed)
    for seed, path in enumerate(logits):
        yield from _divided(read_scored(path), seed)


def _divided(scored: Scored, seed: int) -> Iterator[Split]:
    random, names = np.random.default_rng(seed), np.unique(scored.patients)
    place = np.searchsorted(names, scored.patients)
    for size in SIZES:
        for _ in range(SPLITS):
            order = random.permutation(len(names))
            sizes = np.cumsum(np.bincount(place)[order])
            chosen = np.isin(place, order[sizes <= min(size, sizes[-1] // 2)])
            counts = [np.bincount(scored.y_true[side], minlength=2).min() for side in (chosen, ~chosen)]
            if min(counts) >= FEWEST:
                yield Split(
                    name=scored.name,
                    size=size,
                    y_true=scored.y_true[chosen],
                    logits=scored.logits[chosen],
                    patients=scored.patients[chosen].tolist(),
                    judged=scored.y_true[~chosen],
                    judged_logits=scored.logits[~chosen],
                    shifted=scored.shifted[:, ~chosen],
                )


def _judge_rules(split: Split, found: Found) -> None:
    calibration = _calibrated(split)
    p, judged = _positive(calibration, split.logits), _positive(calibration, split.judged_logits)
    best = _best(split.judged, judged)
    everyone = np.concatenate([split.y_true, split.judged]), np.concatenate([p, judged])
    thresholds = {name: choose(split.y_true, p) for name, choose in RULES.items()}
    thresholds["overread, had it seen the judges too"] = RULES["overread"](*everyone)
    for name, threshold in thresholds.items():
        found[name][split.size][split.name].append(best - _balanced(split.judged, judged, threshold))
        if split.size == SIZES[-1]:
            for logits in split.shifted:
                shifted = _positive(calibration, logits)
                regret = _best(split.judged, shifted) - _balanced(split.judged, shifted, threshold)
                found[name]["changed"][split.name].append(regret)


def _judge_targets(split: Split, found: Found) -> None:
    calibration = _calibrated(split)
    p, judged = _positive(calibration, split.logits), _positive(calibration, split.judged_logits)
    for target in (0.95, 0.9):
        lowest = np.sort(p[split.y_true == 1])[int(np.floor((1 - target) * split.y_true.sum() + 1e-9))]
        rates = _rates(split.judged, judged, lowest)
        found[f"sensitivity={target}, quantile of the cases: sensitivity"][split.size][split.name].append(rates[0])
        found[f"sensitivity={target}, quantile of the cases: specificity"][split.size][split.name].append(rates[1])
        for rate, rule in enumerate(("sensitivity", "specificity")):
            point = choose_operating_point(split.y_true, p, rule=f"{rule}={target}")
            rates = _rates(split.judged, judged, point.threshold)
            found[f"{rule}={target}, overread: {rule}"][split.size][split.name].append(rates[rate])
            found[f"{rule}={target}, overread: the other"][split.size][split.name].append(rates[1 - rate])


def _judge_calibration(split: Split, found: Found) -> None:
    shares = np.bincount(split.y_true) / len(split.y_true)
    fits = {
        "none": fit_calibration(split.y_true, split.logits[:, None], task=TASK, method="none"),
        "temperature": fit_calibration(split.y_true, split.logits[:, None], task=TASK),
        "overread": fit_calibration(split.y_true, split.logits[:, None], task=TASK, shares=shares),
    }
    for name, calibration in fits.items():
        p = _positive(calibration, split.judged_logits)
        measured = measure_reliability(split.judged, p)
        loss = TASK.log_losses(split.judged, np.column_stack([1 - p, p])).mean()
        found[name][split.size, "log loss"][split.name].append(loss)
        found[name][split.size, "off in the large"][split.name].append(abs(measured.in_the_large.value))
        if measured.slope.reason is None:
            found[name][split.size, "slope, off 1"][split.name].append(abs(measured.slope.value - 1))
            if split.size == SIZES[-1]:
                found[name]["slopes"][split.name].append(measured.slope.value)


def _calibrated(split: Split) -> Calibration:
    shares = np.bincount(split.y_true) / len(split.y_true)
    return fit_calibration(split.y_true, split.logits[:, None], task=TASK, shares=shares)


def _positive(calibration: Calibration, logits: np.ndarray) -> np.ndarray:
    return calibration.apply(logits[:, None], TASK)[:, 1]


def _cuts(y_true: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Thresholds between the scores, and the balanced accuracy of each."""
    scores = np.concatenate([[0.0], np.unique(p), [1.0]])
    tried = (scores[1:] + scores[:-1]) / 2
    found = 1 - np.searchsorted(np.sort(p[y_true == 1]), tried) / y_true.sum()
    cleared = np.searchsorted(np.sort(p[y_true == 0]), tried) / (1 - y_true).sum()
    return tried, (found + cleared) / 2


def _rates(y_true: np.ndarray, p: np.ndarray, threshold: float) -> tuple[float, float]:
    called = p >= threshold
    return float(called[y_true == 1].mean()), float((~called)[y_true == 0].mean())


def _balanced(y_true: np.ndarray, p: np.ndarray, threshold: float) -> float:
    return sum(_rates(y_true, p, threshold)) / 2


def _best(y_true: np.ndarray, p: np.ndarray) -> float:
    return float(_cuts(y_true, p)[1].max())


def _argmax(y_true: np.ndarray, p: np.ndarray) -> float:
    tried, worth = _cuts(y_true, p)
    return float(tried[np.flatnonzero(worth >= worth.max() - 1e-12)[0]])


def _plateau(y_true: np.ndarray, p: np.ndarray) -> float:
    tried, worth = _cuts(y_true, p)
    best = np.flatnonzero(worth >= worth.max() - 1e-12)
    return float(tried[best[[0, -1]]].mean())


def _bagged(y_true: np.ndarray, p: np.ndarray) -> float:
    random, found = np.random.default_rng(0), []
    for _ in range(40):
        drawn = random.integers(0, len(p), len(p))
        if 0 < y_true[drawn].mean() < 1:
            found.append(_plateau(y_true[drawn], p[drawn]))
    return float(np.median(found))


def _logistic(y_true: np.ndarray, p: np.ndarray) -> float:
    """Where a logistic regression that counts both classes alike says as much."""
    from sklearn.linear_model import LogisticRegression

    odds = np.log(np.clip(p, 1e-9, 1 - 1e-9)) - np.log(np.clip(1 - p, 1e-9, 1))
    fitted = LogisticRegression(C=1.0, class_weight="balanced").fit(odds[:, None], y_true)
    return float(1 / (1 + np.exp(fitted.intercept_[0] / max(fitted.coef_[0, 0], 1e-6))))


RULES: dict[str, Choice] = {
    "argmax": _argmax,
    "middle of the best": _plateau,
    "median of bootstrap": _bagged,
    "logistic": _logistic,
    "share of positive cases": lambda y_true, p: float(y_true.mean()),
    "overread": lambda y_true, p: choose_operating_point(y_true, p).threshold,
}


def _print(
    title: str,
    header: tuple[str, ...],
    found: Found,
    columns: tuple[object, ...],
    *,
    factor: float = 100,
    over: Callable[[list[float]], float] = np.mean,
) -> None:
    print(f"\n## {title}\n\n| {' | '.join(header)} |\n| {' | '.join(['---'] * len(header))} |")
    for name, cells in found.items():
        shown = [over([np.mean(values) for values in cells[column].values()]) for column in columns]
        print(f"| {name} | {' | '.join(f'{factor * value:.3f}' for value in shown)} |")


if __name__ == "__main__":
    main()
