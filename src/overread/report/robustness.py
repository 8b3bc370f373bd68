"""How a reader bears up when images change, in the sentences and the table that report and documents share."""

from __future__ import annotations

import math

from overread.evaluation import LABELS, Difference
from overread.evaluation.robustness import Change, Robustness
from overread.evaluation.wording import ends_of, value_of
from overread.report.document import Table
from overread.words import clause, count, level_of, percent


def worst_sentence(found: Robustness) -> str:
    """Say which change costs most, and how much."""
    worst, kinds = found.worst, len({each.change.name for each in found.changes})
    lost = worst.differences["balanced_accuracy"]
    if math.isnan(lost.difference):
        return f"What images from another scanner would cost is not known ({clause(lost.interval.reason)})."
    balanced, auc = (_from_to(name, worst.differences[name]) for name in ("balanced_accuracy", "auc"))
    tried = (
        f"Of {kinds} ways in which another scanner or technician may change images, each in two strengths, on "
        f"{found.n:,} {found.images}"
    )
    if lost.difference >= 0:
        return f"{tried} none lowers the balanced accuracy; it is {lost.first:.3f} on the unchanged ones."
    before, after = (percent(shares["referred"].metric.value) for shares in (found.unchanged, worst.shares))
    return (
        f"{tried} this costs most: {change_in_words(worst.change)}. The {balanced}, the "
        f"{auc}, and the share that is referred goes from {before} to {after}."
    )


def robustness_table(found: Robustness) -> Table:
    """Lay out AUC and balanced accuracy after each change, and how far they are from those of unchanged images."""
    ranked = ("auc", "balanced_accuracy")
    rows = [
        (
            f"{each.change.label}, {each.change.strength}",
            each.change.amount,
            *(
                cell
                for name in ranked
                for cell in (value_after(each.differences[name]), difference_in_cell(each.differences[name]))
            ),
        )
        for each in found.changes
    ]
    clean = ("as they are", "", *(cell for name in ranked for cell in (value_of(found.unchanged[name].metric), "")))
    header = ("Change", "What was done", *(cell for name in ranked for cell in (LABELS[name], "Difference")))
    method = found.worst.differences["balanced_accuracy"].interval.method
    return Table(
        f"{found.n:,} {found.images} of {count(found.n_patients, 'patient')}, the change that costs most "
        f"first; in brackets {level_of(found.level)} intervals (differences: {method})",
        header,
        (clean, *rows),
    )


def change_in_words(change: Change) -> str:
    """Name a change, its strength and its amount."""
    return f"{change.label}, {change.strength} ({change.amount})"


def value_after(found: Difference) -> str:
    """Give the metric of the changed images, or "undefined"."""
    return "undefined" if math.isnan(found.second) else f"{found.second:.3f}"


def difference_in_cell(found: Difference) -> str:
    """Give a difference with its interval, or the reason why either is missing."""
    if math.isnan(found.difference):
        return f"undefined: {found.interval.reason}"
    ends = f"no interval: {found.interval.reason}" if found.interval.reason else ends_of(found.interval, "+.3f")
    return f"{found.difference:+.3f} ({ends})"


def _from_to(name: str, found: Difference) -> str:
    what = clause(LABELS[name])
    if math.isnan(found.difference):
        return f"{what} is undefined ({clause(found.interval.reason)})"
    ends = (
        f"no interval: {clause(found.interval.reason)}"
        if found.interval.reason
        else f"{level_of(found.interval.level)} interval of the difference {ends_of(found.interval, '+.3f')}"
    )
    return f"{what} goes from {found.first:.3f} to {found.second:.3f} ({ends})"
