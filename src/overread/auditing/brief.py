"""What an audit found, a line a finding, for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from overread.auditing.audit import Audit
from overread.auditing.finding import Finding, Severity
from overread.auditing.rule import Rule
from overread.auditing.rules import every_rule
from overread.auditing.wording import say_exams
from overread.words import count, listed

_SAID = {"block": "blocks", "warn": "warns", "info": "for information"}


class Line(NamedTuple):
    """A finding in one line, and how grave it is."""

    severity: Severity
    text: str


def brief_lines(audit: Audit, *, rules: Sequence[Rule] = ()) -> list[Line]:
    """Say each finding that blocks or warns in a line, and in a last one how many others there are.

    Args:
        audit: what was found.
        rules: a user's own that were asked.
    """
    kinds = [kind for rule in every_rule(rules) for kind in rule.kinds]
    meanings = {kind.code: kind.meaning_for(audit.task) if audit.task else kind.meaning for kind in kinds}
    if audit.of_exams:
        meanings = {code: say_exams(meaning) for code, meaning in meanings.items()}
    lines = [
        Line(found.severity, f"{gravity(found, audit)}: {found.code} ({found.count:,}): {meanings[found.code]}")
        for found in audit.findings
        if found.severity != "info"
    ]
    rest = len(audit.findings) - len(lines)
    return [*lines, *([Line("info", f"{count(rest, 'more finding')} for information")] if rest else [])]


def gravity(found: Finding, audit: Audit) -> str:
    """Say how grave a finding is, or that it was accepted."""
    return "accepted" if found.severity == "block" and found.code in audit.accepted else _SAID[found.severity]


def totals(audit: Audit) -> str:
    """Say how many images were looked at, and how many findings there are of each gravity."""
    numbers = Counter(_SAID[found.severity] for found in audit.findings)
    said = [f"{number} {word.removesuffix('s') if number > 1 else word}" for word, number in numbers.items()]
    cases = count(audit.n, "exam" if audit.of_exams else "image")
    if not said:
        return f"{cases}: nothing was found"
    return f"{cases}, {count(len(audit.findings), 'finding')}: {listed(said)}"
