"""Provenance: how often the test set was opened, and what it takes to get the result again."""

from __future__ import annotations

from collections.abc import Sequence

from overread.bundle import Bundle, Opening
from overread.evaluation import AssessmentOptions
from overread.report.calibrations import calibration_sentences
from overread.report.document import Section, Table
from overread.run import EvaluationRun, TrainingRun
from overread.words import count, level_of, moment, paired

_UNSEALED = "but an older one, as this is, does not seal it: its last line could have been changed or taken away."


def lock_section(openings: Sequence[Opening], data: str, warnings: tuple[str, ...], *, sealed: bool) -> Section:
    """Say how often this test set was opened with this bundle, and with which result.

    Args:
        openings: of the bundle, oldest first, this one among them.
        data: SHA-256 of this test set.
        warnings: of earlier openings by others, or that this one could not be recorded.
        sealed: whether the bundle's record is.
    """
    here = [opening for opening in openings if opening.data == data]
    elsewhere = len(openings) - len(here)
    first = here[0].result if here else ""
    rows = tuple(
        (
            f"{number}",
            moment(opening.time),
            f"{opening.n:,}",
            opening.result[:12] or "none, its metrics failed",
            "first" if number == 1 else "the same" if opening.result == first else "another",
        )
        for number, opening in enumerate(here, start=1)
    )
    header = ("Opening", "Time (UTC)", "Images", "Result (SHA-256)", "Against the first")
    others = f" {count(elsewhere, 'evaluation')} with this bundle opened other sets." if elsewhere else ""
    purpose = (
        "A test set is worth what nobody has learnt from it: whoever reads it, changes something and reads it again "
        "fits to it. The bundle therefore keeps a chained record of each evaluation, "
        + ("in which no byte can be changed unnoticed." if sealed else _UNSEALED)
    )
    tables = (Table("Openings of this test set with this bundle", header, rows),) if rows else ()
    return Section("Test lock", paragraphs=(f"{_times(here)}{others}", purpose), items=tables, warnings=warnings)


def reproducibility_section(bundle: Bundle, run: TrainingRun | EvaluationRun, options: AssessmentOptions) -> Section:
    """Say what it takes to get this result again.

    Args:
        bundle: that was evaluated.
        run: in which it was read.
        options: of the assessment.
    """
    data = "data evaluated" if isinstance(run, EvaluationRun) else "data with sides and patients"
    facts = (
        ("Command", run.command),
        ("Seed of the training", str(bundle.recipe["seed"])),
        ("Intervals", f"{level_of(options.level)}, {options.resamples:,} resamples, seed {options.seed}"),
        ("Machine", run.machine),
        *_trained_on(run),
        ("Versions here", paired(run.versions)),
        ("Versions that trained it", paired(bundle.versions)),
        ("Bundle made", bundle.created),
        *((f"Calibration {number}", text) for number, text in enumerate(_calibrations(bundle), start=1)),
    )
    hashes = (
        ("bundle", bundle.fingerprint),
        (data, run.fingerprint),
        *sorted(bundle.files.items()),
    )
    return Section(
        "Reproducibility",
        paragraphs=(
            "What it takes to get this result again, and to tell whether it is the same bundle and the same data.",
        ),
        items=(Table("This result", ("What", "Value"), facts), Table("Hashes", ("What", "SHA-256"), hashes)),
    )


def _trained_on(run: TrainingRun | EvaluationRun) -> tuple[tuple[str, str], ...]:
    if not isinstance(run, TrainingRun):
        return ()
    return (("Trained with", f"Keras on {run.backend}, on {count(run.hosts, 'host')}"),)


def _times(here: Sequence[Opening]) -> str:
    if not here:
        return "The bundle holds no record that this test set was opened with it."
    if len(here) == 1:
        return f"This test set was opened once with this bundle, for this result ({moment(here[0].time)} UTC)."
    same = "every time with the same result"
    if len({opening.result for opening in here}) > 1:
        same = "not always with the same result"
    return f"This test set was opened {len(here)} times with this bundle, {same}."


def _calibrations(bundle: Bundle) -> tuple[str, ...]:
    return calibration_sentences([member.calibration for member in bundle.members])
