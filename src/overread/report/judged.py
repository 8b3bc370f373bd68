"""What sections share that speak of each judged class, finding or cut."""

from __future__ import annotations

from overread.decision.task import Task
from overread.evaluation import Assessment


def figure_name(stem: str, name: str, task: Task) -> str:
    """Name the file, without suffix, of the figure of one judged class: numbered where there are several."""
    return stem if name == task.positive else f"{stem}_{task.judged.index(name) + 1}"


def operating_points_of(assessment: Assessment) -> dict[str, float]:
    """The thresholds that decide on what stands for itself: a positive class, each finding, each cut."""
    decide = assessment.evaluation.thresholds
    if not assessment.task.questions or decide:
        return dict(decide)
    found = {name: at.evaluation.threshold for name, at in assessment.at_class_points.items()}
    return {name: threshold for name, threshold in found.items() if threshold is not None}


def each_of(task: Task) -> str:
    """Head a table with a row for each that is judged."""
    return f"Each {task.judged_noun[0]}{'' if task.questions else ' against the rest'}"


def sized(name: str, assessment: Assessment) -> str:
    """Name what is judged with how many images show it; of how many, where that is not known of all."""
    positive, known = assessment.evaluation.positives(name)
    of = "" if known == assessment.evaluation.n else f" of {known:,}"
    return f"{name} (n = {positive:,}{of})"
