"""Patients: who stands on two sides of the split, and which ids are missing or cannot be right."""

from overread.auditing.rules.patients.findings import RULE, find_patient_problems

__all__ = ["RULE", "find_patient_problems"]
