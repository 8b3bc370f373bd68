"""Outcomes, bundles and the report of an evaluation, for tests of pages."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from overread.bundle import GRAPH, Bundle, Member
from overread.cases import Manifest, PublicNames
from overread.cases.case import Case
from overread.decision import Abstentions, Calibration, OperatingPoint, Task, choose_referral
from overread.evaluation import (
    Assessment,
    AssessmentOptions,
    Predictions,
    ReferralAssessment,
    assess,
    assess_referral,
)
from overread.evaluation.robustness import Change, Read, Robustness, assess_robustness
from overread.images import Preprocessing
from overread.reading import Reading
from overread.recipe import Recipe
from overread.report import pages
from overread.run import EvaluationRun
from overread.test_side import Mistake, Outcome
from overread.test_side.mistakes import surest_mistakes
from support.html_page import Page

TWO, THREE = ("Normal", "Polyp"), ("cyst", "normal", "polyp")
RUN: dict[str, Any] = {
    "command": "overread train larynx --out runs/larynx",
    "machine": "Linux x86_64, 2 processors",
    "versions": {"python": "3.12.1", "overread": "0.1.0"},
}
SECTIONS = ["Discrimination", "Operating point", "Calibration", "Decision curve", "Referral", "Subgroups", "Errors"]
LAST = ["Test lock", "Reproducibility"]
Made = tuple[Outcome, Bundle]


def predict(classes: tuple[str, ...], n: int, **changes: Any) -> Predictions:
    """Two images for each patient, right in most cases, too timid before calibration."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % len(classes)
    logits = rng.normal(0, 1.2, (n, len(classes))) + 2.0 * np.eye(len(classes))[labels]
    shares = np.exp(np.stack([logits, logits / 3]))
    after, before = shares / shares.sum(axis=2, keepdims=True)
    fields: dict[str, Any] = {
        "cases": [f"{classes[label]}/{i:03d}.png" for i, label in enumerate(labels)],
        "y_true": labels,
        "y_prob": after,
        "uncalibrated": before,
        "task": Task.of(classes),
        "thresholds": {classes[1]: 0.4} if len(classes) == 2 else dict.fromkeys(classes, 0.3),
        "patients": [f"p-{i // (2 * len(classes)):04d}secret{i % 2}" for i in range(n)],
    }
    return Predictions(**{**fields, **changes})


def read_wrongly(predictions: Predictions) -> tuple[Mistake, ...]:
    task, decided = predictions.task, predictions.decisions
    wrong = np.flatnonzero(~task.is_right(predictions.y_true, decided))[:8].tolist()
    chosen = surest_mistakes(predictions)[:4] if task.questions else [(i, None) for i in wrong]
    rng = np.random.default_rng(1)
    return tuple(
        Mistake(
            i,
            Reading(
                path=predictions.cases[i],
                task=task,
                predicted_label=task.label(decided[i]),
                probabilities=dict(zip(predictions.classes, np.asarray(predictions.y_prob)[i].tolist(), strict=True)),
                threshold=predictions.thresholds.get(task.positive or ""),
                activation_map=rng.normal(size=(3, 3, task.outputs)),
                pixels=rng.integers(0, 255, (24, 24, 1), dtype=np.uint8),
                prediction_set=(),
                unfamiliarity=0.5,
                refer=("uncertain",),
                projection=np.zeros(4, np.float32),
            ),
            question,
        )
        for i, question in chosen
    )


def write_bundle(folder: Path, predictions: Predictions, **changes: Any) -> Bundle:
    thresholds = predictions.thresholds or {predictions.classes[1]: 0.5}
    points = {
        name: OperatingPoint(
            threshold=value,
            rule="sensitivity=0.95",
            sensitivity=0.9625,
            specificity=0.7125,
            n_positive=20,
            n_negative=30,
            interval=(0.31, 0.52),
        )
        for name, value in thresholds.items()
    }
    fields: dict[str, Any] = {
        "task": predictions.task,
        "preprocessing": Preprocessing(height=24, width=24, channels=1),
        "members": (Member(calibration=Calibration(method="temperature", temperature=0.3333, n=50)),),
        "operating_points": points,
        "referral": choose_referral(predictions.y_true, predictions.y_prob, task=predictions.task),
        "network": {"name": "compact"},
        "recipe": Recipe(network="compact", seed=7).to_dict(),
        "data": {"fingerprint": "d" * 64, "study": "a study"},
        "versions": {"keras": "3.15.1"},
    }
    (folder / GRAPH).write_bytes(b"a graph")
    return Bundle(**{**fields, **changes}).write(folder / "bundle", {GRAPH: folder / GRAPH})


def make(folder: Path, predictions: Predictions, options: AssessmentOptions | None = None, **changes: Any) -> Made:
    """An outcome, and the bundle that could have read it."""
    options = options or AssessmentOptions(level=0.9, resamples=200)
    asked = choose_referral(predictions.y_true, predictions.y_prob, task=predictions.task)
    abstentions = Abstentions(
        task=predictions.task,
        sets=asked.sets(predictions.y_prob, predictions.task),
        decided=predictions.decisions,
        unfamiliarity=np.linspace(0.3, 1.1, len(predictions.cases)),
    )
    referral = assess_referral(predictions, abstentions, others=[asked], options=options)
    outcome = _outcome(predictions, assess(predictions, options), abstentions, referral)
    bundle = write_bundle(folder, predictions, **changes)
    bundle.record(outcome.opening("a study"))
    return outcome, bundle


def _outcome(
    predictions: Predictions, assessment: Assessment, abstentions: Abstentions, referral: ReferralAssessment
) -> Outcome:
    told = {name: np.flatnonzero(predictions.task.told(name, predictions.y_true)) for name in assessment.parts}
    return Outcome(
        predictions=predictions,
        assessment=assessment,
        mistakes=read_wrongly(predictions),
        data="d" * 64,
        abstentions=abstentions,
        referral=referral,
        parts={
            name: _outcome(predictions.of_part(name), part, abstentions.of_part(name, told[name]), referral.parts[name])
            for name, part in assessment.parts.items()
        },
    )


def abstain(predictions: Predictions) -> Abstentions:
    """What the images themselves would have referred."""
    asked = choose_referral(predictions.y_true, predictions.y_prob, task=predictions.task)
    return Abstentions(
        task=predictions.task,
        sets=asked.sets(predictions.y_prob, predictions.task),
        decided=predictions.decisions,
        unfamiliarity=np.zeros(len(predictions.cases)),
    )


def bear_up(predictions: Predictions) -> Robustness:
    """The same images left the same, made worse and destroyed."""
    y_prob = np.asarray(predictions.y_prob)
    random, task = np.random.default_rng(0), predictions.task
    noise = random.dirichlet(np.ones(y_prob.shape[1]), len(y_prob))
    if task.questions:
        noise = task.probabilities(random.normal(size=(len(y_prob), task.outputs)))
    changes = {"the same": y_prob, "worse": 0.5 * y_prob + 0.5 * noise, "destroyed": noise}
    read = {
        Change(name=name, label=f"{name} images", strength="mild", amount="so much"): dataclasses.replace(
            predictions, y_prob=changed
        )
        for name, changed in changes.items()
    }
    return assess_robustness(
        Read(predictions, abstain(predictions)),
        {change: Read(theirs, abstain(theirs)) for change, theirs in read.items()},
        images="validation images",
    )


def report(folder: Path, made: Made, warnings: tuple[str, ...] = (), failures: dict[str, str] | None = None) -> Page:
    outcome, bundle = made
    labels = [bundle.task.label(row) for row in np.asarray(outcome.predictions.y_true)]
    cases = tuple(
        Case(path=Path(name), name=name, label=label, patient_id=patient)
        for name, label, patient in zip(
            outcome.predictions.cases, labels, outcome.predictions.patients or [None] * len(labels), strict=True
        )
    )
    manifest = Manifest(cases=cases, task=bundle.task, notes=("cases are read from study.csv",))
    run = EvaluationRun(**RUN, bundle=bundle.fingerprint, fingerprint="f" * 64)
    unread = [Case(path=Path(name), name=name, label=labels[0]) for name in failures or {}]
    names = PublicNames(manifest.replace([*cases, *unread]))
    result = pages.BundleResult(bundle=bundle, outcome=outcome, warnings=warnings, names=names)
    return Page(pages.write_evaluation_report(folder, result, run=run, manifest=manifest, failures=failures or {}))


def words(page: Page) -> str:
    return "\n".join(text for tag, text in page.text if tag != "style")


def row(page: Page, *start: str, below: str = "Data") -> list[str]:
    """The cells of the first table row that begins so below a heading."""
    first = page.text.index(("h2", below)) if ("h2", below) in page.text else 0
    cells = [text for tag, text in page.text[first:] if tag in ("th", "td")]
    for i in range(len(cells)):
        if tuple(cells[i : i + len(start)]) == start:
            return cells[i + len(start) :]
    raise AssertionError(f"no row begins with {start}")


def alts(page: Page) -> list[str]:
    return [value for tag, name, value in page.attributes if (tag, name) == ("img", "alt")]


def folder_of(made: Made) -> Path:
    """Where the report of an outcome is written."""
    assert made[1].path is not None
    return made[1].path.parent
