"""How estimates show themselves in a notebook."""

from __future__ import annotations

import html
from collections.abc import Mapping

from overread.evaluation.estimates import Estimate
from overread.evaluation.wording import in_cell


def estimates_html(estimates: Mapping[str, Estimate], *, caption: str) -> str:
    """A table of metrics, by name, with their intervals."""
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(in_cell(estimate))}</td></tr>"
        for name, estimate in estimates.items()
    )
    return f"<table><caption>{html.escape(caption)}</caption>{rows}</table>"
