"""Bundles and assessments for tests of documents."""

from __future__ import annotations

import html
import re
from typing import Any

import numpy as np
from markdown_it import MarkdownIt

from overread.bundle import GRAPH, WEIGHTS, Bundle, Member
from overread.decision import Calibration, Task, choose_operating_points, choose_referral
from overread.evaluation import Assessment, AssessmentOptions, Predictions, assess
from overread.images import Preprocessing
from overread.recipe import Recipe
from overread.report.documents.statements import CardFacts

# The name of an image that would give its patient away.
SECRET = "miller-1947"
TWO, THREE = ("normal", "ill"), ("normal", "polyp", "cancer")


def predictions(classes: tuple[str, ...], n: int = 120) -> Predictions:
    """Cases of all classes by turns, two of each patient, read well but not perfectly."""
    rng, labels = np.random.default_rng(5), np.arange(n) % len(classes)
    evidence = np.exp(rng.normal(size=(n, len(classes))) + 1.5 * np.eye(len(classes))[labels])
    y_prob = evidence / evidence.sum(axis=1, keepdims=True)
    chosen = choose_operating_points(labels, y_prob, task=Task.of(classes))
    points = {name: point.threshold for name, point in chosen.items()}
    return Predictions(
        cases=[f"{SECRET}/{i}.png" for i in range(n)],
        y_true=labels,
        y_prob=y_prob,
        task=Task.of(classes),
        thresholds=points,
        patients=[f"{SECRET}-{i // 2}" for i in range(n)],
        uncalibrated=np.square(y_prob) / np.square(y_prob).sum(axis=1, keepdims=True),
        columns={"sex": ["f" if i % 4 < 2 else "m" for i in range(n)]},
    )


def assessed(found: Predictions, **options: Any) -> Assessment:
    return assess(found, AssessmentOptions(resamples=100, **options))


def bundle_of(found: Predictions, **changes: Any) -> Bundle:
    """A bundle as if it was written, whose operating points were chosen on cases like these."""
    labels, y_prob, classes = np.asarray(found.y_true), np.asarray(found.y_prob), tuple(found.classes)
    fields: dict[str, Any] = {
        "task": found.task,
        "preprocessing": Preprocessing(height=96, width=128, channels=1),
        "members": (Member(calibration=Calibration(method="temperature", temperature=1.375, n=77)),),
        "operating_points": choose_operating_points(labels, y_prob, task=found.task),
        "referral": choose_referral(labels, y_prob, task=found.task),
        "network": {"name": "compact", "height": 96, "width": 128, "channels": 1, "outputs": len(classes)},
        "recipe": Recipe(network="compact").to_dict(),
        "data": {"fingerprint": "d" * 64, "study": "a study"},
        "versions": {"overread": "9.8.7", "keras": "3.21"},
        "files": {GRAPH: "a" * 64, WEIGHTS: "b" * 64},
    }
    return Bundle(**{**fields, **changes})


def facts_of(classes: tuple[str, ...], **changes: Any) -> CardFacts:
    """Counts and patients that are all different, so that none can stand for another."""
    fields: dict[str, Any] = {
        "counts": {
            side: {name: 1111 * (i + 1) + 101 * j for j, name in enumerate(classes)}
            for i, side in enumerate(("train", "val", "test"))
        },
        "sizes": {
            side: sum(1111 * (i + 1) + 101 * j for j in range(len(classes)))
            for i, side in enumerate(("train", "val", "test"))
        },
        "patients": {"train": 905, "val": 906, "test": 907},
        "has_patients": True,
        "notes": ("test is carved by patient (15% of the images)",),
        "warnings": (),
        "failures": {f"{SECRET}/x.png": "is empty (0 bytes): copy it again", f"{SECRET}/y.png": "is no image"},
        "epochs": 17,
        "best_epoch": 13,
        "seconds": 630.0,
        "machine": "Linux x86_64, 2 processors",
        "command": "overread train 'my images' --out run",
    }
    return CardFacts(**{**fields, **changes})


def tables(text: str) -> list[list[list[str]]]:
    """Each table of a Markdown text as a reader sees it: rows of cells, the header first."""
    page = MarkdownIt("commonmark").enable("table").render(text)
    return [
        [
            [html.unescape(cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", row, re.DOTALL)]
            for row in re.findall(r"<tr>(.*?)</tr>", found, re.DOTALL)
        ]
        for found in re.findall(r"<table>(.*?)</table>", page, re.DOTALL)
    ]
