"""Compare two evaluations of the same cases."""

from __future__ import annotations

from pathlib import Path

from overread.evaluation import AssessmentOptions, Comparison
from overread.evaluation import compare as compare_predictions
from overread.machine.files import write_json
from overread.report.comparison import write_comparison_report
from overread.run import ComparisonRun, RunFolder
from overread.test_side.outcome import read_predictions


def compare(
    first: str | Path, second: str | Path, out: str | Path | None = None, *, options: AssessmentOptions | None = None
) -> Comparison:
    """Compare two evaluations of the same cases, metric by metric, with interval and p.

    Args:
        first: the folder of an evaluation or of a training run, whose test side is meant.
        second: the one in question: positive differences mean that it has more.
        out: a folder for `comparison.json` and `report.html`; nothing is written without it.
        options: level, resamples and seed.

    Raises:
        MissingPath: a folder holds no evaluation.
        InvalidData: the cases, their labels, classes or patients differ; the message counts them.
        OutputExists: out holds something.
    """
    options = options or AssessmentOptions()
    comparison = compare_predictions(
        read_predictions(first),
        read_predictions(second),
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
    )
    if out is not None:
        folder, run = RunFolder.open(out), ComparisonRun(first=str(first), second=str(second))
        folder.write(run)
        write_json(folder.comparison, comparison.to_dict())
        write_comparison_report(folder.path, comparison, run=run)
    return comparison
