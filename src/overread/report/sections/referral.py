"""Referral: whether prediction sets keep their promise, who is referred, and what it saves."""

from __future__ import annotations

from collections.abc import Mapping

from overread.decision import Referral
from overread.evaluation import ALL, Estimate, ReferralAssessment
from overread.evaluation.wording import in_cell, in_words
from overread.report.document import Section, Table
from overread.report.tables import metrics_table
from overread.words import level_of, listed, percent

_TEXT = (
    "An image is referred to a human where it is uncertain or unfamiliar. It is uncertain where its prediction set, "
    "the classes that cannot be ruled out, is not exactly the class decided on: it holds several classes, or none, "
    "which happens to images that are usual for no class. It is unfamiliar where what the network pools from it "
    "or its coarse look lies further from the training images than in all but 1 % of the {chosen_on}."
)
_PROMISE = (
    "The sets hold the true class as often as asked where new images are drawn as the {chosen_on} were; another "
    "hospital, device or year may differ. That an image is familiar does not show that the reading is right. A higher "
    "coverage does not always refer more: sets that are empty at a low one hold one class, then several."
)


def referral_section(found: ReferralAssessment | None, asked: Referral, *, level: float, chosen_on: str) -> Section:
    """Say how often the reader abstains, and what that is worth.

    Args:
        found: on the test images; None where they were read without it.
        asked: of the bundle.
        level: of the intervals.
        chosen_on: the images that set the thresholds, in words.
    """
    if found is None:
        return Section("Referral", paragraphs=("Nothing is known of referrals in this evaluation.",))
    return Section(
        "Referral",
        paragraphs=(_rates(found), _TEXT.format(chosen_on=chosen_on), _PROMISE.format(chosen_on=chosen_on)),
        items=(
            metrics_table(
                f"Share of images whose prediction set holds the true class; {level_of(asked.coverage)} was asked for",
                found.coverage,
                level=level,
            ),
            _sizes(found),
            metrics_table(
                "Share of images that are referred, by reason", _named(found.referred, _REASONS), level=level
            ),
            metrics_table("Share of wrong decisions", _named(found.errors, _AMONG), level=level),
            _tradeoffs(found, asked, level, chosen_on),
        ),
        warnings=(*_missed(found, asked, chosen_on), *_never_ruled_out(asked, chosen_on)),
    )


_REASONS = {"uncertain": "Uncertain", "unfamiliar": "Unfamiliar", "referred": "Referred, for either"}
_AMONG = {ALL: "All images", "read": "Images that are read", "referred": "Images that are referred"}


def _named(estimates: Mapping[str, Estimate], names: Mapping[str, str]) -> dict[str, Estimate]:
    return {label: estimates[name] for name, label in names.items()}


def _rates(found: ReferralAssessment) -> str:
    referred, errors = found.referred["referred"], found.errors
    text = f"The reader refers {in_words(referred, as_share=True)} of the test images to a human."
    if errors["read"].metric.reason:
        return text
    return (
        f"{text} Of those that it reads, {in_words(errors['read'], as_share=True, with_level=False)} are decided "
        f"wrongly; without referral it is {in_words(errors[ALL], as_share=True, with_level=False)} of all."
    )


def _sizes(found: ReferralAssessment) -> Table:
    n = sum(found.set_sizes)
    rows = tuple(
        ("none" if not size else "1 class" if size == 1 else f"{size} classes", f"{images:,}", percent(images / n))
        for size, images in enumerate(found.set_sizes)
    )
    return Table("Size of the prediction sets", ("Set", "Images", "Share"), rows)


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


def _missed(found: ReferralAssessment, asked: Referral, chosen_on: str) -> tuple[str, ...]:
    """Say where the interval of the coverage lies below what was asked."""
    short = [
        f"{name} with {in_words(estimate, as_share=True, with_level=False)}"
        for name, estimate in found.coverage.items()
        if estimate.interval.reason is None and estimate.interval.high < asked.coverage
    ]
    if not short:
        return ()
    return (
        f"the prediction sets hold the true class less often than the {level_of(asked.coverage)} asked for: "
        f"{listed(short)}; the test images are not drawn as the {chosen_on} were.",
    )


def _never_ruled_out(asked: Referral, chosen_on: str) -> tuple[str, ...]:
    return tuple(
        f"among the {chosen_on} are {asked.counts[name]:,} of {name}, too few to rule it out at a coverage of "
        f"{level_of(asked.coverage)}: it is in every prediction set."
        for name in asked.always
    )
