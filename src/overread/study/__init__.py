"""A study, a verb a file: audit, train, evaluate, compare, crossvalidate."""

from overread.study.audit import audit
from overread.study.compare import compare
from overread.study.crossvalidate import crossvalidate
from overread.study.crossvalidation import CrossValidation
from overread.study.data import read_manifest
from overread.study.evaluate import evaluate
from overread.study.train import Study, train

__all__ = [
    "CrossValidation",
    "Study",
    "audit",
    "compare",
    "crossvalidate",
    "evaluate",
    "read_manifest",
    "train",
]
