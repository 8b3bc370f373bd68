"""Cases gathered as those were that a bundle was trained on."""

from __future__ import annotations

from overread.bundle import Bundle
from overread.cases import Manifest, Source
from overread.cases.exams.gather import gather_exams
from overread.cases.exams.gathering import COLUMN, FILE, PATTERN
from overread.errors import InvalidData


def as_trained(manifest: Manifest, bundle: Bundle) -> Manifest:
    """Gather images into exams where the bundle reads exams and the data name none; say what else differs.

    Raises:
        InvalidData: the bundle reads exams that a table told, and the data do not.
    """
    gathering, one_by_one = bundle.exams, manifest.noun == "image"
    if gathering is None and not one_by_one:
        note = "the bundle was trained on images: what it says of an exam is the mean of its evidence over all frames"
        return manifest.replace(manifest.cases, note)
    if gathering is None or gathering.by == FILE or not one_by_one:
        return manifest
    if gathering.by == COLUMN:
        raise InvalidData(
            "the bundle reads exams of several images, which a table told, and these data name none: give a table with "
            "a column exam_id, or say what is one exam with --exams or --exam-pattern"
        )
    exams = None if gathering.by == PATTERN else gathering.by
    source = Source(data="given", exams=exams, exam_pattern=gathering.pattern)
    found = gather_exams(manifest, source)
    if found.noun == "image":
        raise InvalidData(
            f"the bundle reads exams, gathered by {gathering.by}, and by that each of these images is one by itself or "
            "their labels differ: say what is one exam with --exams or --exam-pattern, or give labels of exams"
        )
    return found.replace(found.cases, f"exams are gathered as those that the bundle was trained on: by {gathering.by}")
