"""The result at a glance: the tables that the terminal shows too."""

from __future__ import annotations

from overread.evaluation import Assessment
from overread.evaluation.summary import summarise
from overread.report.document import Section, Table


def result_section(assessment: Assessment) -> Section:
    """Say how good the reader is, before anything is told of how that was found."""
    summary = summarise(assessment)
    return Section("Result", paragraphs=summary.notes, items=tuple(Table(*table) for table in summary.tables))
