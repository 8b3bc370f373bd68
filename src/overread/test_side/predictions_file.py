"""Predictions as the CSV of an evaluation has them, a row a case."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.decision import Abstentions, BoolArray, Task
from overread.errors import InvalidData, MissingPath, UnfitFile
from overread.evaluation import Predictions
from overread.machine.files import from_json, open_text, read_regular, read_rows, write_csv
from overread.run import RunFolder

_TRUE, _PREDICTED = "true_label", "predicted_label"


def write_predictions(path: Path, predictions: Predictions, abstentions: Abstentions | None = None) -> None:
    """Write path, patient_id, both labels, each probability, calibrated and not, and the referral, a row a case.

    Of tasks with questions the referral tells which of them are answered with yes, each by its own operating point,
    and of which answers the reader is unsure.
    """
    task, classes = predictions.task, predictions.classes
    labels = [task.label(row) for row in np.asarray(predictions.y_true)]
    decisions = [task.label(row) for row in predictions.decisions]
    patients = predictions.patients or [""] * len(labels)
    y_prob = np.asarray(predictions.y_prob).tolist()
    uncalibrated = np.asarray(predictions.uncalibrated if predictions.uncalibrated is not None else y_prob).tolist()
    header = [
        *("path", "patient_id", _TRUE, _PREDICTED),
        *(f"probability_{name}" for name in classes),
        *(f"uncalibrated_{name}" for name in classes),
    ]
    facts = zip(predictions.cases, patients, labels, decisions, strict=True)
    referrals: Iterable[tuple[Any, ...]] = [()] * len(labels)
    if abstentions is not None:
        told = _told(abstentions)
        header += told
        referrals = zip(*told.values(), strict=True)
    rows = zip(facts, y_prob, uncalibrated, referrals, strict=True)
    write_csv(path, header, [[*fact, *p, *q, *referral] for fact, p, q, referral in rows])


def _told(abstentions: Abstentions) -> dict[str, list[Any]]:
    """Columns of what speaks against the readings, and of the answers to the questions of the task."""
    task = abstentions.task
    questions = {"called": abstentions.yes, "unsure": abstentions.unsure} if task.questions else {}
    return {
        "prediction_set": _named(task.answers, abstentions.sets),
        "unfamiliarity": abstentions.unfamiliarity.tolist(),
        "refer": [";".join(reasons) for reasons in abstentions.reasons],
        **{column: _named(task.questions, found) for column, found in questions.items()},
    }


def _named(names: Sequence[str], chosen: BoolArray) -> list[str]:
    return [";".join(itertools.compress(names, row)) for row in chosen]


def evaluation_in(folder: str | Path) -> RunFolder:
    """The folder of an evaluation, given it or that of a training run, whose test side is meant."""
    files = RunFolder(Path(folder))
    return files.test if not files.predictions.exists() and files.test.predictions.exists() else files


def read_predictions(folder: str | Path) -> Predictions:
    """Read what an evaluation wrote: its folder, or that of a training run, whose test side is meant.

    Raises:
        MissingPath: no evaluation is there.
        InvalidData: a file of it is damaged.
    """
    files = evaluation_in(folder)
    try:
        metrics = from_json(read_regular(files.metrics))
        with open_text(files.predictions) as stream:
            header, *cells = read_rows(stream)
        rows = [dict(zip(header, row, strict=True)) for row in cells]
        task, thresholds = Task.from_dict(metrics), metrics["class_thresholds"]
        if metrics["threshold"] is not None:
            thresholds = {task.positive: metrics["threshold"]}
        return Predictions(
            cases=[row["path"] for row in rows],
            y_true=task.encode([row[_TRUE] for row in rows]),
            y_prob=_table(rows, "probability", task.classes),
            task=task,
            thresholds=thresholds,
            decided=None if thresholds else task.encode([row[_PREDICTED] for row in rows]),
            patients=[row["patient_id"] for row in rows],
            uncalibrated=_table(rows, "uncalibrated", task.classes),
            patient_thresholds=_patient_thresholds(metrics.get("by_patient"), task),
        )
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPath(
            f"{folder} holds no evaluation: expected the --out of overread evaluate, or of overread train"
        ) from None
    except (KeyError, TypeError, ValueError, UnfitFile) as error:
        if isinstance(error, InvalidData):
            raise
        raise InvalidData(f"the evaluation in {folder} is damaged: evaluate again") from None


def _patient_thresholds(by_patient: Any, task: Task) -> dict[str, float]:
    """At which patients were decided on, where they were judged."""
    if by_patient is None:
        return {}
    if task.positive is not None:
        return {} if by_patient["threshold"] is None else {task.positive: by_patient["threshold"]}
    return {name: float(value) for name, value in by_patient["class_thresholds"].items()}


def _table(rows: list[dict[str, str]], kind: str, classes: tuple[str, ...]) -> np.ndarray:
    return np.array([[float(row[f"{kind}_{name}"]) for name in classes] for row in rows])
