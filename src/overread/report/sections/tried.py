"""What was tried in the time that a run was given, what each was worth, and what more time would bring."""

from __future__ import annotations

from overread.report.document import Section, Table
from overread.run.trials import TimeRecord, Trial
from overread.words import count, duration


def tried_section(record: TimeRecord, networks: int) -> Section:
    """List the trials in their order, and say which was chosen.

    Args:
        record: of a run that has chosen.
        networks: that the bundle holds.
    """
    chosen = next(trial for trial in record.trials if trial.number == record.chosen)
    text = (
        f"The run was given {duration(record.given_s)}. Each candidate was trained without the validation patients and "
        f"judged by them; {chosen} had the least log loss, {chosen.loss:.4f}, and was chosen. The bundle holds "
        f"{count(networks, 'network')} of it. The figures flatter a little, for the best of several was chosen by "
        "them; the test side was opened after that."
    )
    header = ("Tried", "How it ended", "Log loss", "AUC", "Epochs", "Time")
    rows = tuple(_row(trial, record.chosen) for trial in record.trials)
    return Section("What was tried", paragraphs=(text, record.outlook), items=(Table("Trials", header, rows),))


def _row(trial: Trial, chosen: int | None) -> tuple[str, ...]:
    epochs = f"{trial.epochs_done} of {trial.epochs}" if trial.epochs else ""
    name = f"{trial} (chosen)" if trial.number == chosen else str(trial)
    return (name, trial.state, *trial.figures, epochs, duration(trial.seconds))
