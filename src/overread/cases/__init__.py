"""Which images: each case with its label, patient and side, read from folder or table, split by patient."""

from overread.cases.case import SPLITS, Case, counts_as, pseudonym
from overread.cases.folder import images_below
from overread.cases.manifest import Manifest
from overread.cases.split import Split, fold_cases, split_cases

__all__ = [
    "SPLITS",
    "Case",
    "Manifest",
    "Split",
    "counts_as",
    "fold_cases",
    "images_below",
    "pseudonym",
    "split_cases",
]
