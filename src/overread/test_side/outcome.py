"""What a bundle makes of labelled images: predictions, their assessment, and the mistakes it was surest of."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from overread.bundle import Opening, referral_from
from overread.cases import pseudonym
from overread.decision import Abstentions, Task
from overread.errors import InvalidData, MissingPath, UnfitFile
from overread.evaluation import Assessment, AssessmentOptions, Predictions, ReferralAssessment, assess, assess_referral
from overread.images import DataSet
from overread.machine.files import from_json, open_text, read_regular, read_rows, write_csv, write_json
from overread.reading.reader import Reader
from overread.reading.reading import Reading
from overread.run import RunFolder

_TRUE, _PREDICTED = "true_label", "predicted_label"
_MISTAKES_SHOWN = 12
_COVERAGES = (0.8, 0.85, 0.9, 0.95, 0.99)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A labelled set as a bundle read it; `read_labelled` makes it.

    Args:
        predictions: of every image, in the order of the set.
        assessment: what they are worth.
        mistakes: position and reading of up to 12 wrongly decided images, the surest first; of two classes, up to 6
            missed positives and up to 6 false alarms.
        data: SHA-256 over content and label of the images.
        abstentions: which of them the bundle refers to a human; None where only their predictions are known.
        referral: what abstaining is worth; likewise.
    """

    predictions: Predictions
    assessment: Assessment
    mistakes: tuple[tuple[int, Reading], ...]
    data: str
    abstentions: Abstentions | None = None
    referral: ReferralAssessment | None = None

    def write(self, folder: Path) -> None:
        """Write `metrics.json` and `predictions.csv`; `read_predictions` reads them back."""
        folder.mkdir(parents=True, exist_ok=True)
        files = RunFolder(folder)
        write_json(files.metrics, self.to_dict())
        write_predictions(files.predictions, self.predictions, self.abstentions)

    def to_dict(self) -> dict[str, Any]:
        """The assessment as JSON values."""
        # Where one class decides, `threshold` has it.
        thresholds = {} if self.predictions.task.positive else dict(self.predictions.thresholds)
        referral = {} if self.referral is None else {"referral": self.referral.to_dict()}
        return {**self.assessment.to_dict(), "class_thresholds": thresholds, "data": self.data, **referral}

    def opening(self, study: str) -> Opening:
        """The entry of this evaluation in the records of opened test sets."""
        # Without the intervals, whose level may be another the next time.
        result = hashlib.sha256(json.dumps(self.assessment.evaluation.to_dict(), sort_keys=True).encode()).hexdigest()
        return Opening(data=self.data, n=len(self.predictions.cases), result=result, study=study)


def read_labelled(
    reader: Reader, data_set: DataSet, positions: list[int], options: AssessmentOptions | None = None
) -> Outcome:
    """Read the cases at these positions with a bundle, and compare with their labels.

    Args:
        reader: the bundle at work.
        data_set: cases with pixels.
        positions: of the cases to read, one or more.
        options: what to ask of the result.
    """
    answers = [reader.answer(chunk) for chunk in data_set.chunks(positions)]
    cases = [data_set.manifest.cases[i] for i in positions]
    bundle = reader.bundle
    predictions = Predictions(
        cases=[case.full_name for case in cases],
        y_true=data_set.y_true[positions],
        y_prob=np.concatenate([found.probabilities for found in answers]),
        task=bundle.task,
        thresholds=bundle.thresholds,
        patients=[pseudonym(case.patient_id) for case in cases],
        uncalibrated=np.concatenate([found.uncalibrated for found in answers]),
        columns={name: [case.extra.get(name, "") for case in cases] for name in data_set.manifest.columns},
    )
    unfamiliarity = np.concatenate([found.unfamiliarity for found in answers])
    abstentions = reader.abstentions(np.asarray(predictions.y_prob), unfamiliarity)
    mistaken = _surest_mistakes(predictions)
    seen = reader.read_prepared(
        [predictions.cases[i] for i in mistaken], data_set.pixels([positions[i] for i in mistaken])
    )
    return Outcome(
        predictions=predictions,
        assessment=assess(predictions, options),
        mistakes=tuple(zip(mistaken, seen, strict=True)),
        data=data_set.content_fingerprint(positions),
        abstentions=abstentions,
        referral=assess_referral(
            predictions,
            abstentions,
            others=[referral_from(reader.references, bundle.task, coverage) for coverage in _COVERAGES],
            options=options,
        ),
    )


def write_predictions(path: Path, predictions: Predictions, abstentions: Abstentions | None = None) -> None:
    """Write path, patient_id, both labels, each probability, calibrated and not, and the referral, a row a case."""
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
        header += ["prediction_set", "unfamiliarity", "refer"]
        sets = [";".join(itertools.compress(classes, row)) for row in abstentions.sets]
        referrals = zip(sets, abstentions.unfamiliarity.tolist(), map(";".join, abstentions.reasons), strict=True)
    rows = zip(facts, y_prob, uncalibrated, referrals, strict=True)
    write_csv(path, header, [[*fact, *p, *q, *referral] for fact, p, q, referral in rows])


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
        )
    except (FileNotFoundError, NotADirectoryError):
        raise MissingPath(
            f"{folder} holds no evaluation: expected the --out of overread evaluate, or of overread train"
        ) from None
    except (KeyError, TypeError, ValueError, UnfitFile) as error:
        if isinstance(error, InvalidData):
            raise
        raise InvalidData(f"the evaluation in {folder} is damaged: evaluate again") from None


def _table(rows: list[dict[str, str]], kind: str, classes: tuple[str, ...]) -> np.ndarray:
    return np.array([[float(row[f"{kind}_{name}"]) for name in classes] for row in rows])


def _surest_mistakes(predictions: Predictions) -> list[int]:
    task, y_prob = predictions.task, np.asarray(predictions.y_prob)
    wrong = ~task.is_right(predictions.y_true, predictions.decisions)
    if task.positive is None:
        surest = np.argsort(-y_prob.max(axis=1), kind="stable")
        return [int(i) for i in surest if wrong[i]][:_MISTAKES_SHOWN]
    actual = task.shows(predictions.y_true, task.positive)
    rising = np.argsort(y_prob[:, task.column(task.positive)], kind="stable")
    missed = [int(i) for i in rising if wrong[i] and actual[i]]
    alarms = [int(i) for i in rising[::-1] if wrong[i] and not actual[i]]
    return missed[: _MISTAKES_SHOWN // 2] + alarms[: _MISTAKES_SHOWN // 2]
