"""Robustness: what a reading is worth when another scanner or technician made the image."""

from __future__ import annotations

import math
from pathlib import Path

from overread.evaluation import LABELS
from overread.evaluation.robustness import Robustness, UnderChange
from overread.evaluation.wording import in_cell, in_words, share_in_cell
from overread.report.document import FigureItem, Section, Table
from overread.report.figures import draw_robustness
from overread.report.robustness import (
    change_in_words,
    difference_in_cell,
    robustness_table,
    value_after,
    worst_sentence,
)
from overread.words import level_of

# Of balanced accuracy; so much less after a mild change is a warning where the interval leaves out 0, too.
_MUCH = 0.05
_HOW = (
    "Every image was read as it is and again after each change, by networks that had never seen it, and decided at the "
    "frozen operating points. Classes were taken as alike in number as there are images, so shares of all images are "
    "not those of the clinic. What is wrong and referred is seen by a human; what is wrong and not referred is seen "
    "by nobody."
)
_LIMITS = (
    "The changes are made by a computer, one at a time, to the pixels that the network gets. Another scanner changes "
    "several things at once, so these figures warn, and only images from there tell."
)

_NOT_MEASURED = (
    "What changed images cost was not measured: of exams every frame would be read under every change. Only exams from "
    "another place tell how the network bears up there."
)


def robustness_section(found: Robustness | None, folder: Path) -> Section:
    """Say what changed images cost, the worst change first.

    Args:
        found: on validation images; None where that was not measured.
        folder: of the figures.
    """
    if found is None:
        return Section("Robustness", paragraphs=(_NOT_MEASURED,))
    return Section(
        "Robustness",
        paragraphs=(worst_sentence(found), _means(found), _HOW, _LIMITS),
        items=(_figure(found, folder), robustness_table(found), _decisions(found)),
        warnings=tuple(
            f"a mild change costs much: {change_in_words(each.change)} changes the balanced accuracy by "
            f"{difference_in_cell(each.differences['balanced_accuracy'])}."
            for each in found.changes
            if _costs_much(each)
        ),
    )


def _means(found: Robustness) -> str:
    ranked = ("auc", "balanced_accuracy")
    auc, balanced = (in_words(found.unchanged[name], with_level=False) for name in ranked)
    means = (found.mean_change(name) for name in ranked)
    mean_auc, mean_balanced = ("an undefined amount" if math.isnan(mean) else f"{mean:+.3f}" for mean in means)
    tried = len(found.changes)
    by_chance = f"{tried * (1 - found.level) / 2:.1f}"
    return (
        f"As they are, these images give an AUC of {auc} and a balanced accuracy of {balanced}. On the mean of all "
        f"changes the AUC differs by {mean_auc} and the balanced accuracy by {mean_balanced}. Nothing corrects for how "
        f"many changes are looked at: of {tried} intervals about {by_chance} would lie below 0 by chance alone, and "
        "the worst of many looks worse than it is."
    )


def _decisions(found: Robustness) -> Table:
    rates, shares = ("sensitivity", "specificity"), ("referred", "unnoticed")
    clean = (
        "as they are",
        *(in_cell(found.unchanged[name]) for name in rates),
        *(share_in_cell(found.unchanged[name]) for name in shares),
    )
    rows = [
        (
            f"{each.change.label}, {each.change.strength}",
            *(value_after(each.differences[name]) for name in rates),
            *(share_in_cell(each.shares[name]) for name in shares),
        )
        for each in found.changes
    ]
    header = ("Change", *(LABELS[name] for name in rates), "Referred", "Wrong, not referred")
    caption = f"Decisions and referrals on the same images; in brackets {level_of(found.level)} intervals"
    return Table(caption, header, (clean, *rows))


def _costs_much(found: UnderChange) -> bool:
    lost = found.differences["balanced_accuracy"]
    surely = lost.interval.reason is None and lost.interval.high < 0
    return found.change.strength == "mild" and surely and lost.difference <= -_MUCH


def _figure(found: Robustness, folder: Path) -> FigureItem:
    said = "; ".join(
        f"{each.change.label}, {each.change.strength}: AUC {value_after(each.differences['auc'])}, balanced accuracy "
        f"{value_after(each.differences['balanced_accuracy'])}, referred {share_in_cell(each.shares['referred'])}"
        for each in found.changes
    )
    return FigureItem(
        draw_robustness(found, path=folder / "robustness"),
        f"What each change costs, with {level_of(found.level)} intervals; the dashed line stands for unchanged images",
        f"Dot plot of every change in two strengths. {said}.",
    )
