"""Rows: images that a table names more than once, with the same facts or with others."""

from __future__ import annotations

from collections import Counter

from overread.auditing.contradictions import contradict
from overread.auditing.finding import Finding, FindingKind, image_row
from overread.auditing.material import Material
from overread.auditing.rule import Rule
from overread.cases import Case, pseudonym
from overread.cases.rows import Rows, cite, differ_in
from overread.decision import Task
from overread.words import count, listed


def find_repeated_rows(material: Material) -> list[Finding]:
    """Find images of which several rows of a table say different things (block), or the same (info)."""
    cases, task = material.manifest.cases, material.manifest.task
    several = {i: case.rows for i, case in enumerate(cases) if case.rows}
    differing = {i: facts for i, rows in several.items() if (facts := _differing(task, rows))}
    alike = [i for i in several if i not in differing]
    found = []
    if differing:
        counts = Counter(what for one in differing.values() for what in one)
        way = " Where an image may show several findings, --finding NAME counts one wherever a row says so."
        way *= task.exclusive and "label" in counts
        said = listed([f"{count(number, 'image')} in the {what}" for what, number in counts.most_common()])
        found.append(
            Finding(
                code="rows-contradict",
                severity="block",
                sentence=f"The rows of the table differ on {count(len(differing), 'image')} that several of them name: "
                f"{said}. The first row of each was taken, which may be the wrong one.",
                fix="Find out which row is right, and keep that one only; a cleaned table leaves these images out."
                + way,
                count=len(differing),
                evidence=tuple(_row(cases[i]) for i in differing),
                groups=tuple((i,) for i in differing),
            )
        )
    if alike:
        found.append(
            Finding(
                code="rows-repeated",
                severity="info",
                sentence=f"{count(len(alike), 'image')} of {len(cases):,} stand in several rows of the "
                "table, which tell the same label, patient and side; each counts once.",
                fix="Nothing needs doing.",
                count=len(alike),
                evidence=tuple(_row(cases[i]) for i in alike),
            )
        )
    return found


RULE = Rule(
    name="rows",
    kinds=(
        FindingKind(
            "rows-contradict", "block", "an image of which rows of the table say different things", "leave-out"
        ),
        FindingKind("rows-repeated", "info", "an image that several rows of the table name"),
    ),
    find=find_repeated_rows,
)


def _differing(task: Task, rows: Rows) -> list[str]:
    """What rows contradict each other in; findings in another order, or that one of them does not know, are none."""
    return [what for what in differ_in(rows) if what != "label" or contradict(task, rows["label"])]


def _row(case: Case) -> dict[str, str]:
    told = {
        "labels": case.rows["label"],
        "patients": tuple(map(pseudonym, case.rows["patient"])),
        "sides": case.rows["side"],
    }
    return image_row(case, rows=cite(case.rows), **{what: " / ".join(said) for what, said in told.items()})
