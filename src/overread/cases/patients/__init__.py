"""Patients that file names name: a pattern applied, and one suggested where the names and the data bear it out."""

from overread.cases.patients.numbering import Numbering, compare_numbering
from overread.cases.patients.pattern import PatientPattern, match_patients
from overread.cases.patients.suggest import suggest_patients, suggest_sources

__all__ = ["Numbering", "PatientPattern", "compare_numbering", "match_patients", "suggest_patients", "suggest_sources"]
