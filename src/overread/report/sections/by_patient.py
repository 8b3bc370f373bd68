"""What the readings of images are worth of patients, beside what they are worth of images."""

from __future__ import annotations

from overread.evaluation import Assessment
from overread.evaluation.summary import said_of_patients, summarise
from overread.report.document import Section, Table
from overread.words import count


def by_patient_section(assessment: Assessment) -> tuple[Section, ...]:
    """Say how good the reader is of patients; nothing where that was not asked.

    Args:
        assessment: of the images, with that of their patients.
    """
    patients = assessment.by_patient
    if patients is None:
        return ()
    first, *others = said_of_patients(assessment, patients)
    read = count(assessment.evaluation.n, assessment.unit)
    beside = f"{read} are {count(patients.evaluation.n, 'patient')} here, each counted once."
    summary = summarise(patients)
    tables = tuple(Table(*table) for table in summary.tables)
    return (Section("By patient", paragraphs=(first, beside, *others, *summary.notes), items=tables),)
