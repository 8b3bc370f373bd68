"""What a run is, and where each file of its folder lies; every room that writes or reads a run asks here."""

from overread.run.asked import Asked, Source
from overread.run.folder import Existing, RunFolder
from overread.run.record import (
    ComparisonRun,
    CrossValidationRun,
    EvaluationRun,
    ExplanationRun,
    FinishedTraining,
    MonitoringRun,
    Run,
    TrainingRun,
    new_study_id,
)

__all__ = [
    "Asked",
    "ComparisonRun",
    "CrossValidationRun",
    "EvaluationRun",
    "Existing",
    "ExplanationRun",
    "FinishedTraining",
    "MonitoringRun",
    "Run",
    "RunFolder",
    "Source",
    "TrainingRun",
    "new_study_id",
]
