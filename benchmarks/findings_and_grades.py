"""Several findings and ordered grades: how answers are weighed in training, and what the outputs of a grade are.

    python benchmarks/findings_and_grades.py --cache FOLDER

Linear heads on frozen features (`scored_sets.py`) learn from four fifths of the patients outside the test side of a
real set; the last fifth, each in turn, calibrates and judges them. Nothing of a test side is read.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from scored_sets import features_of
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegressionCV
from sklearn.metrics import cohen_kappa_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from table import data_folder

from overread.cases import Manifest, Source, split_cases
from overread.decision import OrderedGrades, SeveralClasses, Task, fit_calibration
from overread.evaluation import average_precision, roc_auc

FOLDS, SEEDS, COMPONENTS, FEWEST = 5, 2, 48, 20
STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1)
TWO = Task.of(("absent", "present"))
# What a rarer answer counts for each commoner one, of as many as there are for each of the rarer.
WEIGHTS: dict[str, Callable[[float], float]] = {
    "all alike": lambda ratio: 1.0,
    "square root": lambda ratio: float(np.sqrt(ratio)),
    "at most 10": lambda ratio: min(ratio, 10.0),
    "equal answers": lambda ratio: ratio,
}
Row = tuple[str, tuple[float, ...]]


def main() -> None:
    """Fit, judge and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps features between runs")
    cache = parser.parse_args().cache
    _print(("nih, weights", "AUC", "average precision", "log loss"), _findings(cache))
    _print(("idrid, outputs", "quadratic kappa", "log loss"), _grades(cache))


def _print(header: tuple[str, ...], rows: Iterable[Row]) -> None:
    found = defaultdict(list)
    for name, values in rows:
        found[name].append(values)
    print(f"| {' | '.join(header)} |\n| {' | '.join(['---'] * len(header))} |")
    for name, each in found.items():
        print(f"| {name} ({len(each)} runs) | {' | '.join(f'{mean:.3f}' for mean in np.mean(each, axis=0))} |")


def _findings(cache: Path) -> Iterator[Row]:
    """The mean over the findings that 20 images or more show."""
    folder = data_folder("nih_multilabel")
    manifest = Manifest.read(Source(data=str(folder / "images"), labels=(str(folder / "Data_Entry_2017.csv"),)))
    y_true = manifest.y_true
    for features, teach, judge in _dealt(manifest, cache / "nih_all.npy"):
        common = [one for one in np.flatnonzero(y_true.sum(axis=0) >= FEWEST) if y_true[judge, one].any()]
        for name, weigh in WEIGHTS.items():
            found = [_finding(features, y_true[:, one], teach, judge, weigh) for one in common]
            yield name, tuple(np.mean(found, axis=0))


def _finding(features: np.ndarray, y_true: np.ndarray, teach: np.ndarray, judge: np.ndarray, weigh) -> list[float]:
    heavier = weigh((y_true[teach] == 0).sum() / y_true[teach].sum())
    logits = _logits(features, teach, y_true, np.where(y_true == 1, heavier, 1.0))[judge]
    y_prob = fit_calibration(y_true[judge], logits, task=TWO, method="beta").apply(logits, TWO)
    judged = [measure(y_true[judge] == 1, y_prob[:, 1]) for measure in (roc_auc, average_precision)]
    return [*judged, TWO.log_losses(y_true[judge], y_prob).mean()]


def _grades(cache: Path) -> Iterator[Row]:
    folder = data_folder("idrid_grades")
    table = str(folder / "a. IDRiD_Disease Grading_Training Labels.csv")
    for column in ("Retinopathy grade", "Risk of macular edema"):
        manifest = Manifest.read(Source(data=str(folder / "train"), labels=(table,), label_column=column, ordered=True))
        y_true, ordered, plain = manifest.y_true, OrderedGrades(manifest.classes), SeveralClasses(manifest.classes)
        for features, teach, judge in _dealt(manifest, cache / "idrid_training.npy"):
            steps = [_logits(features, teach[y_true[teach] >= k], y_true > k) for k in range(ordered.outputs)]
            for task, logits, rules in (
                (ordered, np.concatenate(steps, axis=1), {"median": ordered}),
                (plain, _logits(features, teach, y_true), {"most probable": plain, "median": ordered}),
            ):
                y_prob = fit_calibration(y_true[judge], logits[judge], task=task).apply(logits[judge], task)
                loss = task.log_losses(y_true[judge], y_prob).mean()
                for rule, by in rules.items():
                    kappa = cohen_kappa_score(y_true[judge], by.decide(y_prob), weights="quadratic")
                    yield f"{column}, {'softmax' if task is plain else 'continuation ratios'}, {rule}", (kappa, loss)


def _dealt(manifest: Manifest, cache: Path) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Features of all cases, and which teach and which judge."""
    features = features_of(manifest.paths, cache)[0]
    for seed in range(SEEDS):
        for part in split_cases(manifest, seed=seed, folds=FOLDS).parts:
            teach, judge = np.array(part.select("train")), np.array(part.select("val"))
            reduced = make_pipeline(StandardScaler(), PCA(COMPONENTS, random_state=0)).fit(features[teach])
            yield reduced.transform(features), teach, judge


def _logits(
    features: np.ndarray, teach: np.ndarray, y_true: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """`(n, outputs)` of a head whose penalty was chosen among those who teach."""
    head = LogisticRegressionCV(Cs=STRENGTHS, cv=3, scoring="neg_log_loss", max_iter=300)
    head.fit(features[teach], y_true[teach], sample_weight=None if weights is None else weights[teach])
    return np.asarray(head.decision_function(features)).reshape(len(features), -1)


if __name__ == "__main__":
    main()
