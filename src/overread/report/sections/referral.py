"""Referral: whether prediction sets keep their promise, who is referred, and what it saves."""

from __future__ import annotations

from collections.abc import Mapping

from overread.decision import Referral
from overread.decision.task import Task
from overread.evaluation import ALL, Estimate, ReferralAssessment
from overread.evaluation.wording import in_cell, in_words, share_in_cell
from overread.report.document import Section, Table
from overread.report.tables import metrics_table
from overread.words import first_of, level_of, percent

# Of classes there are mostly fewer, of answers to findings there may be dozens.
_MOST = 12
_TEXT = (
    "An image is referred to a human where it is uncertain or unfamiliar. {uncertain} "
    "It is unfamiliar where what the network pools from it "
    "or its coarse look lies further from the training images than in all but 1 % of the {chosen_on}."
)
_OF_CLASSES = (
    "It is uncertain where its prediction set, "
    "the {several} that cannot be ruled out, is not exactly the {one} decided on: it holds several {several}, or none, "
    "which happens to images that are usual for no {one}."
)
_OF_FINDINGS = (
    "It is uncertain where the reader is unsure of a finding: of its presence and its absence neither can be ruled "
    "out, or both, or just what was decided. A reading names these findings, and a human should look at them. A "
    "finding of which it can never be sure, for want of images, refers no image by itself."
)
_PROMISE = (
    "The sets hold the true {one} as often as asked where new images are drawn as the {chosen_on} were; another "
    "hospital, device or year may differ. That an image is familiar does not show that the reading is right. A higher "
    "coverage does not always refer more: sets that are empty at a low one hold one {one}, then several."
)


def referral_section(
    found: ReferralAssessment | None, asked: Referral, *, level: float, chosen_on: str, task: Task
) -> Section:
    """Say how often the reader abstains, and what that is worth.

    Args:
        found: on the test images; None where they were read without it.
        asked: of the bundle.
        level: of the intervals.
        chosen_on: the images that set the thresholds, in words.
        task: what is told apart.
    """
    if found is None:
        return Section("Referral", paragraphs=("Nothing is known of referrals in this evaluation.",))
    one, several = task.noun if task.exclusive else ("answer", "answers")
    uncertain = _OF_CLASSES.format(one=one, several=several) if task.exclusive else _OF_FINDINGS
    sets = _coverage(found, asked, level, one) if task.exclusive else _of_findings(found, asked, task, level)
    return Section(
        "Referral",
        paragraphs=(
            _rates(found, task),
            _TEXT.format(uncertain=uncertain, chosen_on=chosen_on),
            _PROMISE.format(one=one, chosen_on=chosen_on),
        ),
        items=(
            sets,
            _sizes(found, task),
            *_of_images(found, level, task),
            *([_of_cuts(found, task, level)] if task.ordered and found.questions else []),
            _tradeoffs(found, asked, level, chosen_on),
        ),
        warnings=(*_missed(found, asked, chosen_on, one), *_never_ruled_out(asked, chosen_on, task)),
    )


def referral_of_all_section(found: ReferralAssessment, task: Task, *, level: float) -> Section:
    """Say how often the reader abstains for any of several tasks.

    Args:
        found: on the test images.
        task: of all of them.
        level: of the intervals.
    """
    text = "An image is referred to a human where any of the tasks is uncertain of it, or where it is unfamiliar."
    return Section("Referral", paragraphs=(_rates(found, task), text), items=_of_images(found, level, task))


def _coverage(found: ReferralAssessment, asked: Referral, level: float, one: str) -> Table:
    caption = f"Share of images whose prediction set holds the true {one}; {level_of(asked.coverage)} was asked for"
    return metrics_table(caption, found.coverage, level=level)


def _of_findings(found: ReferralAssessment, asked: Referral, task: Task, level: float) -> Table:
    """How far each finding can be ruled in and out, how often it is unsure, and what the sure answers are worth."""
    present, absent = (task.answers[: len(task.classes)], task.answers[len(task.classes) :])
    rows = tuple(
        (
            name,
            *(share_in_cell(found.coverage[answer]) for answer in answers),
            share_in_cell(found.questions[name].unsure),
            *(share_in_cell(found.questions[name].errors[among]) for among in _SURE),
        )
        for name, *answers in zip(task.classes, present, absent, strict=True)
    )
    asked_for = level_of(asked.coverage)
    header = (task.noun[0].capitalize(), "Kept where present", "Kept where absent", "Unsure", *_SURE.values())
    caption = (
        f"Each {task.noun[0]}: how often the true answer is not ruled out ({asked_for} was asked for), how often the "
        f"reader is unsure, and the share of wrong answers; in brackets {level_of(level)} intervals"
    )
    return Table(caption, header, rows, is_dense=True)


def _of_cuts(found: ReferralAssessment, task: Task, level: float) -> Table:
    rows = tuple(
        (name, share_in_cell(one.unsure), *(share_in_cell(one.errors[among]) for among in _SURE))
        for name, one in found.questions.items()
    )
    caption = (
        f"Each {task.judged_noun[0]} at its operating point: how often the reader is unsure, and the share of wrong "
        f"answers; in brackets {level_of(level)} intervals"
    )
    return Table(caption, (task.judged_noun[0].capitalize(), "Unsure", *_SURE.values()), rows)


def _of_images(found: ReferralAssessment, level: float, task: Task) -> tuple[Table, ...]:
    wrong = "Share of wrong decisions" if task.exclusive else f"Share of images with a wrong {task.noun[0]}"
    tables = [
        metrics_table("Share of images that are referred, by reason", _named(found.referred, _REASONS), level=level),
        metrics_table(wrong, _named(found.errors, _AMONG), level=level),
    ]
    if found.far_errors:
        caption = f"Share of decisions that are off by more than one {task.noun[0]}"
        tables.append(metrics_table(caption, _named(found.far_errors, _AMONG), level=level))
    return tuple(tables)


_REASONS = {"uncertain": "Uncertain", "unfamiliar": "Unfamiliar", "referred": "Referred, for either"}
_SURE = {ALL: "Wrong", "sure": "Wrong where sure", "unsure": "Wrong where unsure"}
_AMONG = {ALL: "All images", "read": "Images that are read", "referred": "Images that are referred"}


def _named(estimates: Mapping[str, Estimate], names: Mapping[str, str]) -> dict[str, Estimate]:
    return {label: estimates[name] for name, label in names.items()}


def _rates(found: ReferralAssessment, task: Task) -> str:
    referred, errors = found.referred["referred"], found.errors
    text = f"The reader refers {in_words(referred, as_share=True)} of the test images to a human."
    if errors["read"].metric.reason:
        return text
    wrongly = "are decided wrongly" if task.exclusive else f"have a wrong {task.noun[0]}"
    return (
        f"{text} Of those that it reads, {in_words(errors['read'], as_share=True, with_level=False)} {wrongly}"
        f"; without referral it is {in_words(errors[ALL], as_share=True, with_level=False)} of all."
    )


def _sizes(found: ReferralAssessment, task: Task) -> Table:
    n, (one, several) = sum(found.set_sizes), task.noun
    # Of many findings few are unsure.
    most = max(size for size, images in enumerate(found.set_sizes) if images)
    sizes = found.set_sizes if task.exclusive else found.set_sizes[: most + 1]
    rows = tuple(
        ("none" if not size else f"1 {one}" if size == 1 else f"{size} {several}", f"{images:,}", percent(images / n))
        for size, images in enumerate(sizes)
    )
    caption = "Size of the prediction sets" if task.exclusive else f"How many {several} of an image are unsure"
    return Table(caption, ("Set" if task.exclusive else "Unsure", "Images", "Share"), rows)


def _tradeoffs(found: ReferralAssessment, asked: Referral, level: float, chosen_on: str) -> Table:
    rows = [
        (
            f"{level_of(at.coverage)}{' (chosen)' if at.coverage == asked.coverage else ''}",
            in_cell(at.read),
            in_cell(at.errors),
            f"{at.errors.metric.n:,}",
        )
        for at in found.tradeoffs
    ]
    caption = (
        f"Other coverages, with thresholds from the same {chosen_on}: share of images read and share of these "
        f"that are decided wrongly; in brackets {level_of(level)} intervals. To be read, not to choose by"
    )
    return Table(caption, ("Coverage", "Read", "Wrong among read", "n"), tuple(rows))


def _missed(found: ReferralAssessment, asked: Referral, chosen_on: str, one: str) -> tuple[str, ...]:
    """Say where the interval of the coverage lies below what was asked."""
    short = [
        f"{name} with {in_words(estimate, as_share=True, with_level=False)}"
        for name, estimate in found.coverage.items()
        if estimate.interval.reason is None and estimate.interval.high < asked.coverage
    ]
    if not short:
        return ()
    return (
        f"the prediction sets hold the true {one} less often than the {level_of(asked.coverage)} asked for: "
        f"{first_of(short, _MOST)}; the test images are not drawn as the {chosen_on} were.",
    )


def _never_ruled_out(asked: Referral, chosen_on: str, task: Task) -> tuple[str, ...]:
    if not task.exclusive and asked.always:  # they may be dozens
        return (
            f"among the {chosen_on} are too few of {first_of(asked.always)} to rule them out at a coverage of "
            f"{level_of(asked.coverage)}: the reader is never sure of them, which by itself refers no image.",
        )
    return tuple(
        f"among the {chosen_on} are {asked.counts[name]:,} of {name}, too few to rule it out at a coverage of "
        f"{level_of(asked.coverage)}: it is in every prediction set."
        for name in asked.always
    )
