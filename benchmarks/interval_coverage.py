"""How often 95 % intervals of grades and of means over findings hold the truth, in simulated studies.

    python benchmarks/interval_coverage.py --studies 500

A study is a cohort of patients of one or several images, read by a reader of known worth. The truth is what the same
reader is worth in 150,000 patients; of a mean over findings, the mean over those that the study's mean is over.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from overread.decision import OrderedGrades, SeveralFindings, Task
from overread.evaluation import Evaluation, compute_metrics, intervals

POPULATION, RESAMPLES = 150_000, 300
HEADER = ("design", "metric", "true", "held", "too high", "too low")
GRADES = OrderedGrades(tuple("01234"))
SHARES = (0.5, 0.1, 0.2, 0.12, 0.08)
PREVALENCES = np.array([0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03, 0.025, 0.02, 0.015, 0.01])
FINDINGS = SeveralFindings(tuple(f"finding {number}" for number in range(1, 15)))
OF_GRADES = ("quadratic_kappa", "within_one_grade", "mean_absolute_error", "accuracy", "auc", "balanced_accuracy")
OF_FINDINGS = (
    *("auc", "sensitivity", "specificity", "ppv", "npv", "f1", "balanced_accuracy", "average_precision"),
    *("accuracy", "loss", "brier"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Design:
    """Cohorts of one kind.

    Args:
        task: grades or findings.
        patients: in a study.
        images: of a patient, one to so many.
        noise: of a grading reader, in standard deviations of what it grades.
        unknown: the share of the truths of findings that nobody knows.
    """

    task: Task
    patients: int
    images: int
    noise: float = 0.0
    unknown: float = 0.0

    def __str__(self) -> str:
        kind = f"grades, noise {self.noise:g}" if self.task == GRADES else f"14 findings, {self.unknown:.0%} unknown"
        images = "one image" if self.images == 1 else f"1 to {self.images} images"
        return f"{kind}, {self.patients} patients of {images}"

    def drawn(self, random: np.random.Generator, patients: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """Truth, probabilities and patients of a cohort."""
        patient = np.repeat(np.arange(patients), random.integers(1, self.images + 1, patients))
        simulate = _graded if self.task == GRADES else _with_findings
        y_true, y_prob = simulate(self, random, patient)
        return y_true, y_prob, [str(number) for number in patient]


DESIGNS = (
    *(Design(task=GRADES, patients=100, images=images, noise=noise) for images in (1, 4) for noise in (0.9, 0.4)),
    *(Design(task=GRADES, patients=400, images=images, noise=0.4) for images in (1, 3)),
    *(Design(task=FINDINGS, patients=100, images=images, unknown=unknown) for images in (1, 4) for unknown in (0, 0.2)),
    *(Design(task=FINDINGS, patients=400, images=images, unknown=0.2) for images in (1, 3)),
)


def main() -> None:
    """Simulate every design and print a table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--studies", type=int, default=500, help="of each design")
    studies = parser.parse_args().studies
    print("\n".join(f"| {' | '.join(line)} |" for line in (HEADER, ("---",) * len(HEADER))))
    for design in DESIGNS:
        for line in _coverage(design, studies):
            print(f"| {' | '.join(line)} |", flush=True)


def _coverage(design: Design, studies: int) -> list[tuple[str, ...]]:
    names = OF_GRADES if design.task == GRADES else OF_FINDINGS
    truth = _evaluated(design, *design.drawn(np.random.default_rng(0), POPULATION))
    sides = {name: np.zeros(3, dtype=int) for name in names}
    for number in range(studies):
        y_true, y_prob, patients = design.drawn(np.random.default_rng([1, number]), design.patients)
        evaluation = _evaluated(design, y_true, y_prob, patients)
        found = intervals(
            y_true, y_prob, evaluation=evaluation, patients=patients, resamples=RESAMPLES, seed=number
        ).metrics
        for name in names:
            true, interval = _true(truth, name, evaluation[name].left_out), found[name]
            if not interval.reason:
                sides[name] += [interval.low <= true <= interval.high, true < interval.low, true > interval.high]
    return [
        (str(design), name, f"{truth[name].value:.3f}", *(f"{100 * share:.1f} %" for share in counts / counts.sum()))
        for name, counts in sides.items()
    ]


def _evaluated(design: Design, y_true: np.ndarray, y_prob: np.ndarray, patients: Sequence[str]) -> Evaluation:
    points = dict(zip(FINDINGS.classes, PREVALENCES.tolist(), strict=True)) if design.task == FINDINGS else {}
    return compute_metrics(y_true, y_prob, task=design.task, thresholds=points, patients=patients)


def _true(truth: Evaluation, name: str, left_out: Sequence[str]) -> float:
    """The value in the population, over the same findings."""
    if not left_out:
        return truth[name].value
    kept = [one for finding, one in truth.per_class.items() if finding not in left_out]
    rates = ("sensitivity", "specificity") if name == "balanced_accuracy" else (name,)
    return float(np.mean([one[rate].value for one in kept for rate in rates]))


def _graded(design: Design, random: np.random.Generator, patient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Severity cut into grades, of which images of a patient share seven tenths; the reader sees it through noise."""
    severity = _shared(random, patient, 0.7 if design.images > 1 else 0.0)
    cuts = np.array([NormalDist().inv_cdf(share) for share in np.cumsum(SHARES)[:-1]])
    seen = severity + design.noise * _shared(random, patient, 0.5)
    at_least = 1 / (1 + np.exp(-(seen[:, None] - cuts) / (0.6 * design.noise)))
    bounds = np.column_stack([np.ones(len(seen)), at_least, np.zeros(len(seen))])
    return np.searchsorted(cuts, severity), bounds[:, :-1] - bounds[:, 1:]


def _with_findings(design: Design, random: np.random.Generator, patient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Findings that go together and recur in a patient, read with an AUC of 0.9 each."""
    width, shift = len(PREVALENCES), 1.8
    own = np.stack([_shared(random, patient, 0.6 if design.images > 1 else 0.0) for _ in range(width)], axis=1)
    together = _shared(random, patient, 1.0)[:, None]
    cuts = np.array([NormalDist().inv_cdf(1 - share) for share in PREVALENCES])
    shown = (math.sqrt(0.2) * together + math.sqrt(0.8) * own > cuts).astype(np.int64)
    seen = shift * shown + np.stack([_shared(random, patient, 0.3) for _ in range(width)], axis=1)
    logits = np.log(PREVALENCES / (1 - PREVALENCES)) + shift * seen - shift**2 / 2
    y_true = np.where(random.random(shown.shape) < design.unknown, -1, shown)
    return y_true, FINDINGS.probabilities(logits)


def _shared(random: np.random.Generator, patient: np.ndarray, share: float) -> np.ndarray:
    """Standard normal numbers of which a patient's images have this share of the variance in common."""
    of_patient = random.normal(size=int(patient.max()) + 1)[patient]
    return np.asarray(math.sqrt(share) * of_patient + math.sqrt(1 - share) * random.normal(size=patient.size))


if __name__ == "__main__":
    main()
