"""Exams: frames that several have in common, masks among volumes, planes that differ."""

from overread.auditing.rules.exams.findings import RULE, find_exam_problems

__all__ = ["RULE", "find_exam_problems"]
