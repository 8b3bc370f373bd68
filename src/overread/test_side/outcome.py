"""What a bundle makes of labelled images: predictions, their assessment, and the mistakes it was surest of."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from overread.bundle import Bundle, Opening, referral_from
from overread.cases import pseudonym
from overread.decision import Abstentions
from overread.decision.numbers import is_number
from overread.evaluation import Assessment, AssessmentOptions, Predictions, ReferralAssessment, assess, assess_referral
from overread.images import DataSet
from overread.machine.files import write_json
from overread.machine.workers import in_order
from overread.reading.answers import Answers
from overread.reading.reader import Reader
from overread.reading.reading import Reading
from overread.run import RunFolder
from overread.test_side.exams import ShownExam, shown_exams
from overread.test_side.mistakes import Mistake, surest_mistakes
from overread.test_side.predictions_file import write_predictions

# Of prediction sets, at which referral is judged.
_COVERAGES = (0.8, 0.85, 0.9, 0.95, 0.99)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """A labelled set as a bundle read it; `read_labelled` makes it.

    Args:
        predictions: of every image, in the order of the set.
        assessment: what they are worth.
        mistakes: up to 12 wrong decisions, the surest first; of two classes up to 6 missed positives and up to 6 false
            alarms, and so of all findings together, the furthest from their operating points first; of ordered grades
            those that are furthest off.
        data: SHA-256 over content and label of the images.
        abstentions: which of them the bundle refers to a human; None where only their predictions are known.
        referral: what abstaining is worth; likewise.
        parts: of several tasks each by its name, as if it were alone, of the images that tell anything about it.
        frames: of exams, how many each has.
        shown: some exams to look at.
    """

    predictions: Predictions
    assessment: Assessment
    mistakes: tuple[Mistake, ...]
    data: str
    abstentions: Abstentions | None = None
    referral: ReferralAssessment | None = None
    parts: Mapping[str, Outcome] = dataclasses.field(default_factory=dict)
    frames: tuple[int, ...] = ()
    shown: tuple[ShownExam, ...] = ()

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
    answers, frames = _answers(reader, data_set, positions)
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
        unit=data_set.manifest.noun,
        patient_thresholds=patient_thresholds(bundle, options),
    )
    unfamiliarity = np.concatenate([found.unfamiliarity for found in answers])
    abstentions = reader.abstentions(np.asarray(predictions.y_prob), unfamiliarity)
    found = Outcome(
        predictions=predictions,
        assessment=assess(predictions, options),
        mistakes=(),
        data=data_set.content_fingerprint(positions),
        abstentions=abstentions,
        referral=assess_referral(
            predictions,
            abstentions,
            others=[referral_from(reader.references, bundle.task, coverage) for coverage in _COVERAGES],
            options=options,
        ),
        frames=frames,
        shown=shown_exams(reader, data_set, positions, predictions) if data_set.is_of_exams else (),
    )

    def read(rows: Sequence[int]) -> list[Reading]:
        if data_set.is_of_exams:
            return [_read_exam(reader, predictions.cases[row], data_set, positions[row]) for row in rows]
        return reader.read_prepared(
            [predictions.cases[row] for row in rows], data_set.pixels([positions[row] for row in rows])
        )

    return _with_mistakes(found, read)


def patient_thresholds(bundle: Bundle, options: AssessmentOptions | None) -> dict[str, float]:
    """The thresholds of patients that were chosen on validation patients, if these were joined as is asked now."""
    known = bundle.data.get("by_patient")
    if options is None or not isinstance(known, dict) or known.get("way") != options.by_patient:
        return {}
    points = known.get("thresholds")
    told = points.items() if isinstance(points, dict) else ()
    return {name: float(value) for name, value in told if name in bundle.thresholds and is_number(value, 0, 1)}


def _answers(reader: Reader, data_set: DataSet, positions: Sequence[int]) -> tuple[list[Answers], tuple[int, ...]]:
    """What the bundle answers to each, and of how many frames each exam is."""
    if not data_set.is_of_exams:
        return [reader.answer(chunk) for chunk in data_set.chunks(positions)], ()

    def answer(position: int) -> tuple[Answers, int]:
        with data_set.exam(position) as exam:
            return reader.answer_exam(exam, side_by_side=True), len(exam)

    found = list(in_order(answer, positions, os.cpu_count() or 1))
    return [answers for answers, _ in found], tuple(frames for _, frames in found)


def _read_exam(reader: Reader, name: str, data_set: DataSet, position: int) -> Reading:
    with data_set.exam(position) as exam:
        return reader.read_open(name, exam)


def _with_mistakes(found: Outcome, read: Callable[[Sequence[int]], list[Reading]]) -> Outcome:
    """An outcome with its surest mistakes and, of several tasks, with those of each."""
    chosen = surest_mistakes(found.predictions)
    readings = read([row for row, _ in chosen])
    return dataclasses.replace(
        found,
        mistakes=tuple(Mistake(row, reading, name) for (row, name), reading in zip(chosen, readings, strict=True)),
        parts={name: _part(found, name, read) for name in found.assessment.parts},
    )


def _part(found: Outcome, name: str, read: Callable[[Sequence[int]], list[Reading]]) -> Outcome:
    """What came out of one of several tasks, on the images that tell anything about it."""
    rows = np.flatnonzero(found.predictions.task.told(name, found.predictions.y_true))
    alone = Outcome(
        predictions=found.predictions.of_part(name),
        assessment=found.assessment.parts[name],
        mistakes=(),
        data=found.data,
        abstentions=None if found.abstentions is None else found.abstentions.of_part(name, rows),
        referral=None if found.referral is None else found.referral.parts[name],
    )
    return _with_mistakes(alone, lambda chosen: [seen.parts[name] for seen in read(rows[chosen].tolist())])
