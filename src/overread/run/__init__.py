"""What a run is, and where each file of its folder lies; every room that writes or reads a run asks here.

Names are loaded on first use: a bundle asks for the folder alone.
"""

from typing import TYPE_CHECKING

from overread.lazy import on_first_use

_HOMES = {
    "StudyRequest": "overread.run.request",
    "ComparisonRun": "overread.run.record",
    "CrossValidationRun": "overread.run.record",
    "EvaluationRun": "overread.run.record",
    "Existing": "overread.run.folder",
    "ExplanationRun": "overread.run.record",
    "FinishedTraining": "overread.run.record",
    "MonitoringRun": "overread.run.record",
    "Run": "overread.run.record",
    "RunFolder": "overread.run.folder",
    "TrainingRun": "overread.run.record",
    "new_study_id": "overread.run.record",
}
__all__ = [*_HOMES]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.run.folder import Existing as Existing
    from overread.run.folder import RunFolder as RunFolder
    from overread.run.record import ComparisonRun as ComparisonRun
    from overread.run.record import CrossValidationRun as CrossValidationRun
    from overread.run.record import EvaluationRun as EvaluationRun
    from overread.run.record import ExplanationRun as ExplanationRun
    from overread.run.record import FinishedTraining as FinishedTraining
    from overread.run.record import MonitoringRun as MonitoringRun
    from overread.run.record import Run as Run
    from overread.run.record import TrainingRun as TrainingRun
    from overread.run.record import new_study_id as new_study_id
    from overread.run.request import StudyRequest as StudyRequest
