"""Cases from a table of labels whose rows name files."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from overread.cases.case import Case
from overread.cases.exams.of_rows import exams_of, said_of_rows
from overread.cases.labelling.facts import Roles, facts_of, said_of_roles
from overread.cases.labelling.files import Files
from overread.cases.labelling.matched import Matched
from overread.cases.labelling.understand import Understood
from overread.cases.posing.told import Found
from overread.cases.rows import cite, differ_in, require_one_exam, rows_about
from overread.cases.shown.words import Worded, put_in_words, together
from overread.cases.source import Source
from overread.errors import InvalidData
from overread.words import count

# The share of images whose rows may give other labels by mistake; more have a row for every finding.
_MOST_SLIPS = 0.1
# Of fewer patients all images may show the same by chance.
_FEWEST_PATIENTS = 10


def cases_of(read: Understood, files: Files, source: Source, *, lists: Sequence[bool], named: Collection[int]) -> Found:
    """The cases of the files that rows name, and notes on what was understood.

    Rows without a label are left out and counted. Of several rows about one file the first counts, and the case knows
    what the others say, see `rows_about`; but a finding is shown where any of them shows it.

    Args:
        read: the table.
        files: that it names.
        source: that says how to understand it.
        lists: of each task, whether labels are lists of findings, even where no row has several.
        named: files that this or another table names.

    Raises:
        Undecided: a choice is open.
        InvalidOption: no row shows the finding that the source names.
        InvalidData: a row cannot be used, or rows put an image into different exams; the message cites them.
    """
    matched, roles, carried, of_image = read.matched, read.roles, read.carried, source.labels_of == "image"
    parts = [put_in_words(labels, source, lists=each) for labels, each in zip(read.labels, lists, strict=False)]
    given = together(parts)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row, label in enumerate(given):
        for at in matched.images.named_in(row) if label else ():
            rows_of[at].append(row)
    exams = (
        {} if roles.exam or of_image else exams_of(matched, files, [row for row, label in enumerate(given) if label])
    )
    _require_one_exam(rows_of, matched, roles)
    cases = []
    for at, rows in sorted(rows_of.items()):
        facts = [facts_of(matched, roles, carried, row) for row in rows]
        label, labels_told = _label_of([given[row] for row in rows], source.finding)
        stated = zip(labels_told, (f["patient_id"] for f in facts), (f["split"] for f in facts), strict=True)
        numbers = [matched.table.numbers[row] for row in rows]
        told = {**facts[0], "rows": rows_about(numbers, stated), "row": numbers[0], "exam": exams.get(at)}
        cases.append(Case(path=files.paths[at], name=files.names[at], label=label, **told))
    _require_one_finding(cases, matched.table.name)
    patients = len({case.patient_id for case in cases} - {None})
    notes = [
        matched.images.sentence(matched.table, files, named),
        *(note for part in parts for note in (f"the label is {part.sentence}", *part.notes)),
        said_of_roles(matched, roles, carried, patients),
        *([] if roles.exam else said_of_rows(matched, exams, of_image=of_image)),
        *([] if exams else _of_patients(cases, parts)),
        *_left_out(matched, given),
    ]
    return Found(cases, notes, tuple(part.told for part in parts))


def _require_one_exam(rows_of: Mapping[int, Sequence[int]], matched: Matched, roles: Roles) -> None:
    if roles.exam is not None:
        cells, numbers = matched.table[roles.exam], matched.table.numbers
        named = (([numbers[row] for row in rows], [cells[row] for row in rows]) for rows in rows_of.values())
        require_one_exam(named, matched.table.name)


def _of_patients(cases: Sequence[Case], parts: Sequence[Worded]) -> list[str]:
    """Say so where findings may be known of patients only, since all images of each have the same."""
    labels_of: dict[str, set[str]] = defaultdict(set)
    images = Counter(case.patient_id for case in cases if case.patient_id)
    for case in cases:
        if case.patient_id and images[case.patient_id] > 1:
            labels_of[case.patient_id].add(case.label)
    is_alike = all(len(labels) == 1 for labels in labels_of.values()) and len(labels_of) >= _FEWEST_PATIENTS
    if not (is_alike and any(part.told.lists for part in parts)):
        return []
    return [
        f"the images of each patient have the same findings, for all {len(labels_of):,} patients with several: if they "
        "are of the patient and not of every image, some images are wrongly labelled"
    ]


def _require_one_finding(cases: Sequence[Case], table: str) -> None:
    """Refuse a table with a row for every finding, of which one is to be chosen; slips are few, and the audit's."""
    differing = [case.rows for case in cases if "label" in differ_in(case.rows)]
    if len(differing) <= _MOST_SLIPS * len(cases):
        return
    first, second = differing[0]["label"][:2]
    raise InvalidData(
        f"{cite(differing[0])} of {table} give one image two labels, {first} and {second}, and {len(differing):,} of "
        f"{len(cases):,} images have several: keep one of each, or count one with --finding {shlex.quote(first)} where "
        "any row says so"
    )


def _label_of(given: Sequence[str], finding: str | None) -> tuple[str, list[str]]:
    """The label of an image, and what each of its rows says of it."""
    if finding is None:
        return given[0], list(given)
    shown = next((label for label in given if not label.startswith("no ")), given[0])
    return shown, [shown] * len(given)


def _left_out(matched: Matched, given: Sequence[str]) -> list[str]:
    table, notes = matched.table, []
    if blank := sum(not label for label in given):
        are = "has no label and is" if blank == 1 else "have no label and are"
        notes.append(f"{count(blank, 'row')} of {table.name} {are} left out (--map '=NAME' gives them one)")
    if table.encoding:
        notes.append(
            f"{table.name} is no UTF-8 and is read as {table.encoding}: save it as 'CSV UTF-8' if that is wrong"
        )
    return notes
