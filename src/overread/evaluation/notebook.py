"""How an assessment shows itself in a notebook."""

from __future__ import annotations

import html

from overread.evaluation.assessment import Assessment
from overread.evaluation.wording import in_cell
from overread.words import count, level_of


def assessment_html(assessment: Assessment) -> str:
    """A table of the metrics with their intervals."""
    evaluation = assessment.evaluation
    counts = f"{count(evaluation.n, 'image')} of {count(assessment.n_patients, 'patient')}"
    caption = f"{counts}, {level_of(assessment.options.level)} intervals"
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(in_cell(assessment[name]))}</td></tr>"
        for name in evaluation.metrics
    )
    return f"<table><caption>{caption}</caption>{rows}</table>"
