"""overread: a second reading of medical images, from one folder to a result that a reviewer accepts.

    from overread import Manifest, Reader, Recipe, train

    study = train(Manifest.from_folder("larynx"), "runs/larynx", Recipe(network="efficientnet-lite0"))
    reading = Reader.load("runs/larynx/bundle").read("new.png")

Names are loaded on first use: `import overread` costs nothing, and reading never loads TensorFlow.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from overread.lazy import on_first_use

# ONNX Runtime from 1.29 on sends telemetry otherwise; it looks when it is loaded, in this process or one begun by it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__version__ = "0.1.0"

_HOMES = {
    "Abstentions": "overread.decision.referral",
    "Answers": "overread.reading.answers",
    "Assessment": "overread.evaluation.assessment",
    "AssessmentOptions": "overread.evaluation.assessment",
    "Audit": "overread.auditing.audit",
    "Augmentation": "overread.networks.augmentation",
    "Bundle": "overread.bundle.bundle",
    "Case": "overread.cases.case",
    "ClassMetric": "overread.evaluation.metrics.definition",
    "Comparison": "overread.evaluation.compare",
    "CrossValidation": "overread.study.crossvalidation",
    "DataSet": "overread.images.data_set",
    "Difference": "overread.evaluation.compare",
    "Engine": "overread.scale.engine",
    "Estimate": "overread.evaluation.estimates",
    "Evaluation": "overread.evaluation.compute_metrics",
    "Exam": "overread.cases.exams.exam",
    "ExamFormat": "overread.formats.exams.frames",
    "ExamPixels": "overread.images.exam_pixels",
    "Explanation": "overread.reading.explanation",
    "Failure": "overread.reading.reading",
    "Finding": "overread.auditing.finding",
    "FindingKind": "overread.auditing.finding",
    "Format": "overread.formats.registry",
    "Frame": "overread.reading.exams.frame",
    "Frames": "overread.formats.exams.frames",
    "Gathering": "overread.cases.exams.gathering",
    "Header": "overread.formats.header",
    "History": "overread.training.history",
    "Instance": "overread.formats.exams.frames",
    "Interval": "overread.evaluation.uncertainty.interval",
    "Look": "overread.reading.exams.look",
    "Manifest": "overread.cases.manifest",
    "Material": "overread.auditing.material",
    "Metric": "overread.evaluation.metrics.definition",
    "Monitoring": "overread.monitoring.watch",
    "Network": "overread.networks.registry",
    "OperatingPoint": "overread.decision.operating_point",
    "OrderedGrades": "overread.decision.tasks.grades",
    "Origin": "overread.formats.exams.frames",
    "OverreadError": "overread.errors",
    "OwnMetric": "overread.evaluation.metrics.own",
    "PersonalColumn": "overread.cases.persons.columns",
    "Picture": "overread.formats.picture",
    "Predictions": "overread.evaluation.predictions",
    "Preprocessing": "overread.images.prepare",
    "Question": "overread.reading.question",
    "Reader": "overread.reading.reader",
    "Reading": "overread.reading.reading",
    "Recipe": "overread.recipe",
    "Rule": "overread.auditing.rule",
    "SeveralFindings": "overread.decision.tasks.findings",
    "SeveralTasks": "overread.decision.tasks.several_tasks",
    "Source": "overread.cases.source",
    "Split": "overread.cases.split",
    "Study": "overread.study.train",
    "Task": "overread.decision.task",
    "View": "overread.formats.exams.view",
    "audit": "overread.study.audit",
    "compare": "overread.study.compare",
    "crossvalidate": "overread.study.crossvalidate",
    "evaluate": "overread.study.evaluate",
    "explain": "overread.reading.explanation",
    "monitor": "overread.monitoring.monitor",
    "predict": "overread.reading.prediction",
    "register_format": "overread.formats.registry",
    "register_network": "overread.networks.registry",
    "to_frame": "overread.reading.output",
    "train": "overread.study.train",
}
__all__ = [*_HOMES]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.auditing.audit import Audit as Audit
    from overread.auditing.finding import Finding as Finding
    from overread.auditing.finding import FindingKind as FindingKind
    from overread.auditing.material import Material as Material
    from overread.auditing.rule import Rule as Rule
    from overread.bundle.bundle import Bundle as Bundle
    from overread.cases.case import Case as Case
    from overread.cases.exams.exam import Exam as Exam
    from overread.cases.exams.gathering import Gathering as Gathering
    from overread.cases.manifest import Manifest as Manifest
    from overread.cases.persons.columns import PersonalColumn as PersonalColumn
    from overread.cases.source import Source as Source
    from overread.cases.split import Split as Split
    from overread.decision.operating_point import OperatingPoint as OperatingPoint
    from overread.decision.referral import Abstentions as Abstentions
    from overread.decision.task import Task as Task
    from overread.decision.tasks.findings import SeveralFindings as SeveralFindings
    from overread.decision.tasks.grades import OrderedGrades as OrderedGrades
    from overread.decision.tasks.several_tasks import SeveralTasks as SeveralTasks
    from overread.errors import OverreadError as OverreadError
    from overread.evaluation.assessment import Assessment as Assessment
    from overread.evaluation.assessment import AssessmentOptions as AssessmentOptions
    from overread.evaluation.compare import Comparison as Comparison
    from overread.evaluation.compare import Difference as Difference
    from overread.evaluation.compute_metrics import Evaluation as Evaluation
    from overread.evaluation.estimates import Estimate as Estimate
    from overread.evaluation.metrics.definition import ClassMetric as ClassMetric
    from overread.evaluation.metrics.definition import Metric as Metric
    from overread.evaluation.metrics.own import OwnMetric as OwnMetric
    from overread.evaluation.predictions import Predictions as Predictions
    from overread.evaluation.uncertainty.interval import Interval as Interval
    from overread.formats.exams.frames import ExamFormat as ExamFormat
    from overread.formats.exams.frames import Frames as Frames
    from overread.formats.exams.frames import Instance as Instance
    from overread.formats.exams.frames import Origin as Origin
    from overread.formats.exams.view import View as View
    from overread.formats.header import Header as Header
    from overread.formats.picture import Picture as Picture
    from overread.formats.registry import Format as Format
    from overread.formats.registry import register_format as register_format
    from overread.images.data_set import DataSet as DataSet
    from overread.images.exam_pixels import ExamPixels as ExamPixels
    from overread.images.prepare import Preprocessing as Preprocessing
    from overread.monitoring.monitor import monitor as monitor
    from overread.monitoring.watch import Monitoring as Monitoring
    from overread.networks.augmentation import Augmentation as Augmentation
    from overread.networks.registry import Network as Network
    from overread.networks.registry import register_network as register_network
    from overread.reading.answers import Answers as Answers
    from overread.reading.exams.frame import Frame as Frame
    from overread.reading.exams.look import Look as Look
    from overread.reading.explanation import Explanation as Explanation
    from overread.reading.explanation import explain as explain
    from overread.reading.output import to_frame as to_frame
    from overread.reading.prediction import predict as predict
    from overread.reading.question import Question as Question
    from overread.reading.reader import Reader as Reader
    from overread.reading.reading import Failure as Failure
    from overread.reading.reading import Reading as Reading
    from overread.recipe import Recipe as Recipe
    from overread.scale.engine import Engine as Engine
    from overread.study.audit import audit as audit
    from overread.study.compare import compare as compare
    from overread.study.crossvalidate import crossvalidate as crossvalidate
    from overread.study.crossvalidation import CrossValidation as CrossValidation
    from overread.study.evaluate import evaluate as evaluate
    from overread.study.train import Study as Study
    from overread.study.train import train as train
    from overread.training.history import History as History
