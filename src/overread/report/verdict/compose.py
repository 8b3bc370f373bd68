"""The verdict: what was found in plain words, with the main numbers and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from overread.evaluation import Assessment
from overread.evaluation.summary import rare_classes
from overread.evaluation.wording import in_words
from overread.report.document import Section
from overread.report.verdict.classes import of_positive, of_several
from overread.report.verdict.findings import of_findings
from overread.report.verdict.grades import of_grades
from overread.words import count, level_of, listed, percent


def verdict(
    assessment: Assessment, patients: Sequence[str | None] | None, chosen_on: str = "validation images"
) -> tuple[str, ...]:
    """Say in a paragraph what the reader can do, of several tasks in one each, and in a last what the figures rest on.

    Args:
        assessment: of the test images.
        patients: of each image, None or "" for one that names none; None if no patient is known.
        chosen_on: the images that placed the threshold, in words.
    """
    said = [
        f"{name}: {found}" if name else found
        for name, part in (assessment.parts or {"": assessment}).items()
        for found in (_said(part, chosen_on),)
    ]
    return (*said, design(assessment, patients))


def _said(assessment: Assessment, chosen_on: str) -> str:
    task = assessment.task
    if task.positive is not None:
        return " ".join((of_positive(assessment, chosen_on), *_rare(assessment)))
    if task.ordered:
        return of_grades(assessment, chosen_on)
    if not task.exclusive:
        return of_findings(assessment, chosen_on)
    return " ".join((of_several(assessment), *_rare(assessment)))


def design(assessment: Assessment, patients: Sequence[str | None] | None) -> str:
    """Say what the intervals take for independent."""
    n, n_patients = assessment.evaluation.n, assessment.n_patients
    named = sum(bool(patient) for patient in patients or ())
    level = level_of(assessment.options.level)
    method = f"What stands in brackets are {level} intervals; the method of each stands beside it further down."
    if not named:
        return (
            "No image names its patient, so each counts as a patient of its own and the intervals take the images as "
            f"independent; where patients have several images, the intervals are too narrow. {method}"
        )
    unnamed = f", {count(n - named, 'image')} without a named patient counting as one each" if named < n else ""
    if n == n_patients:
        return (
            f"Each image comes from a patient of its own{unnamed}, so the intervals take the images as independent. "
            f"{method}"
        )
    return (
        f"The {n:,} images come from {count(n_patients, 'patient')}{unnamed}. Images of one patient resemble one "
        f"another, so the intervals take the patient, not the image, as the unit that chance draws. {method}"
    )


def caution(sections: Sequence[Section]) -> tuple[str, ...]:
    """Point from the verdict to the warnings further down."""
    warned = [section for section in sections if section.warnings]
    if not warned:
        return ()
    total = sum(len(section.warnings) for section in warned)
    where = listed([section.heading for section in warned])
    return (f"Read with this result the {count(total, 'warning')} under {where}.",)


def _rare(assessment: Assessment) -> Iterator[str]:
    """What AUC leaves out of rare classes."""
    estimates, positive = assessment.estimates, assessment.task.positive
    for name in rare_classes(assessment):
        found = estimates["average_precision"] if positive else estimates.of_class(name, "average_precision")
        if found.metric.reason is None:
            share = assessment.evaluation.class_counts[name] / assessment.evaluation.n
            yield (
                f"{name} is rare here, {percent(share)} of the images, and of a rare class the AUC tells too little: "
                f"the average precision, the share of right ones among those called, averaged over all thresholds, is "
                f"{in_words(found)}, where chance would give {share:.3f}."
            )
