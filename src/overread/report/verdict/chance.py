"""Whether a result can be told from chance, in plain words."""

from __future__ import annotations

from overread.evaluation import Assessment
from overread.words import level_of

_BY_CHANCE = {"auc": 0.5, "quadratic_kappa": 0.0}


def near_chance(assessment: Assessment) -> tuple[str, ...]:
    """A sentence for each task whose figure may be one of guessing, by its interval; none where all are above it."""
    return tuple(
        said
        for name, part in (assessment.parts or {"": assessment}).items()
        for said in _of_one(part, f"{name}: " if name else "")
    )


def _of_one(assessment: Assessment, before: str) -> tuple[str, ...]:
    name = "quadratic_kappa" if assessment.task.ordered else "auc"
    found, chance = assessment[name], _BY_CHANCE[name]
    if found.metric.reason or found.interval.reason or found.interval.low > chance:
        return ()
    level, label = level_of(assessment.options.level), assessment.evaluation.labels[name]
    if found.interval.high < chance:
        return (f"{before}This is worse than guessing ({label} below {chance:g}): see whether labels are mixed up.",)
    return (
        f"{before}This result is no better than chance, as far as it can tell: the {level} interval of the {label} "
        f"includes {chance:g}, which guessing would give. Nothing should be concluded from it but that these data do "
        "not show that the reader can do this.",
    )
