"""Compare two evaluations of the same cases."""

from __future__ import annotations

from pathlib import Path

from overread.bundle import Bundle
from overread.errors import InvalidOption
from overread.evaluation import AssessmentOptions, Comparison
from overread.evaluation import compare as compare_predictions
from overread.machine.files import write_json
from overread.report.comparison import write_comparison_report
from overread.run import ComparisonRun, EvaluationRun, Existing, RunFolder
from overread.test_side import evaluation_in, read_predictions


def compare(
    first: str | Path,
    second: str | Path,
    out: str | Path | None = None,
    *,
    options: AssessmentOptions | None = None,
    existing: Existing = "refuse",
) -> Comparison:
    """Compare two evaluations of the same cases, metric by metric, with interval and p.

    Args:
        first: the folder of an evaluation or of a training run, whose test side is meant.
        second: the one in question: positive differences mean that it has more.
        out: a folder for `comparison.json` and `report.html`; nothing is written without it.
        options: level, resamples and seed.
        existing: what to do when out holds something: refuse or replace.

    Raises:
        MissingPath: a folder holds no evaluation.
        InvalidOption: both lead to the same evaluation.
        InvalidData: the cases, their labels, classes or patients differ; the message counts them.
        OutputExists: out holds something.
    """
    options = options or AssessmentOptions()
    _refuse_itself(first, second)
    comparison = compare_predictions(
        read_predictions(first),
        read_predictions(second),
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
    )
    if out is not None:
        run = ComparisonRun(first=_reader_of(first), second=_reader_of(second), folders=(str(first), str(second)))
        folder = RunFolder.open(out, existing)
        folder.write(run)
        write_json(folder.comparison, comparison.to_dict())
        write_comparison_report(folder.path, comparison, run=run)
    return comparison


def _refuse_itself(first: str | Path, second: str | Path) -> None:
    one, other = (evaluation_in(folder).predictions for folder in (first, second))
    if one.exists() and other.exists() and one.samefile(other):
        raise InvalidOption(
            f"{first} and {second} are the same evaluation, which says nothing: give those of two readers of the same "
            "cases"
        )


def _reader_of(folder: str | Path) -> str:
    """What read the cases of an evaluation: its folder is not told, for a path may name a person."""
    evaluated = evaluation_in(folder)
    if evaluated.is_ours:
        return f"bundle {evaluated.read(EvaluationRun).bundle[:12]}"
    trained = RunFolder(evaluated.path.parent)
    return f"bundle {Bundle.load(trained.path).fingerprint[:12]}" if trained.bundle.exists() else "an unknown bundle"
