"""What the networks of a study say of images that they never saw, and what that is worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from overread.bundle import Bundle
from overread.cases import pseudonym
from overread.evaluation import Assessment, AssessmentOptions, Predictions, assess
from overread.run import RunFolder
from overread.test_side.outcome import Outcome

if TYPE_CHECKING:
    from overread.training.make_bundle import Fitted


def judge_unseen(fitted: Sequence[Fitted], bundle: Bundle, folder: RunFolder, options: AssessmentOptions) -> Assessment:
    """Judge the out-of-fold readings by which a bundle was calibrated, and write them as an evaluation.

    Args:
        fitted: the networks, each with a validation side that no other has.
        bundle: as `write_bundle` made it of them.
        folder: of the run.
        options: what to ask; groups of cases are left to the test side.
    """
    data_set, references = fitted[0].data_set, bundle.references()
    positions = [i for each in fitted for i in each.data_set.manifest.select("val")]
    cases = [data_set.manifest.cases[i] for i in positions]
    predictions = Predictions(
        cases=[case.full_name for case in cases],
        y_true=np.concatenate([found.labels for found in references]),
        y_prob=np.concatenate([found.scores for found in references]),
        task=bundle.task,
        thresholds=bundle.thresholds,
        patients=[pseudonym(case.patient_id) for case in cases],
    )
    assessment = assess(predictions, dataclasses.replace(options, by=()))
    content = data_set.content_fingerprint(positions)
    Outcome(predictions=predictions, assessment=assessment, mistakes=(), data=content).write(folder.out_of_fold.path)
    return assessment
