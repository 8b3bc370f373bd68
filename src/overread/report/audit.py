"""What a report says of the audit: each finding with its evidence, copies side by side, and a sheet of each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from overread.auditing import Audit, Finding, Material, without_names
from overread.auditing.wording import told_as
from overread.cases import PublicNames
from overread.report.document import IMAGE_NUMBERS, FigureItem, ReportContext, Section, Table
from overread.report.figures import draw_image_rows
from overread.report.figures.fonts import said_of
from overread.report.html import write_report
from overread.run import Run, RunFolder
from overread.words import count, listed, paired

_GROUPS_SHOWN, _IMAGES_SHOWN = 8, 6
_SHEET_ROWS, _SHEET_COLUMNS = 5, 8
_IN_WORDS = {"block": "blocks", "warn": "warning", "info": "for information"}


def write_audit_report(out: Path, audit: Audit, material: Material, *, run: Run, names: PublicNames) -> Path:
    """Write `report.html` of an audit; its figures are drawn into `figures/`.

    Args:
        out: its folder.
        audit: what was found.
        material: what was looked at.
        run: in which it was made.
        names: what images go by.
    """
    audit, task = without_names(audit, names), material.manifest.task
    folder = RunFolder(out).figures
    folder.mkdir(parents=True, exist_ok=True)
    made = (
        audit_section(audit),
        *(
            _finding_section(found, material, folder / f"finding_{number}", names)
            for number, found in enumerate(audit.findings, start=1)
        ),
        _sheets(material, folder),
        _reproducibility(material, run),
    )
    told = f"{len(task.classes):,} {task.noun[1]}"
    if task.exclusive or task.parts:
        told = " / ".join(task.parts or task.classes)
    title = f"{told}: audit of {count(audit.n, 'exam' if audit.of_exams else 'image')}"
    return write_report(RunFolder(out).report, ReportContext(title, audit_verdict(audit), made))


def audit_verdict(audit: Audit) -> tuple[str, ...]:
    """Say whether the data may be trained on."""
    numbers = [
        (sum(found.severity == severity for found in audit.findings), noun)
        for severity, noun in (("warn", "warning"), ("info", "note"))
    ]
    rest = " and ".join(count(number, noun) for number, noun in numbers if number)
    besides = f" Besides, there {'is' if rest.startswith('1 ') else 'are'} {rest}." if rest else ""
    if audit.blocking:
        reasons = " ".join(found.sentence for found in audit.blocking)
        return (f"These data may not be trained on as they are. {reasons}{besides}",)
    accepted = f" (accepted: {', '.join(audit.accepted)})" if audit.accepted else ""
    return (f"Nothing was found that forbids training on these data{accepted}.{besides}",)


def audit_section(audit: Audit) -> Section:
    """Lay out every finding in one table."""
    rows = tuple(
        (
            found.code,
            "accepted" if found.severity == "block" and found.code in audit.accepted else _IN_WORDS[found.severity],
            found.sentence,
            found.fix,
        )
        for found in audit.findings
    )
    warnings = tuple(
        f"a finding that blocks was accepted ({found.code}): {found.sentence}"
        for found in audit.findings
        if found.severity == "block" and found.code in audit.accepted
    )
    # Of several tasks each may be warned of by the same code.
    if warned := dict.fromkeys(found.code for found in audit.findings if found.severity == "warn"):
        warnings += (f"the audit warns of {listed([*warned])}; the table below says what each means for the result.",)
    if not rows:
        return Section("Audit", paragraphs=("Nothing was found.",))
    text = (
        "What was looked for and found before training: what blocks, what weakens the result, and what to know. "
        f"{IMAGE_NUMBERS}"
    )
    table = Table("Findings", ("Code", "Gravity", "What was found", "What to do"), rows)
    return Section("Audit", paragraphs=(text,), items=(table,), warnings=warnings)


def _finding_section(found: Finding, material: Material, path: Path, names: PublicNames) -> Section:
    items: list[Table | FigureItem] = []
    if found.evidence:
        header = tuple(dict.fromkeys(name for row in found.evidence for name in row))
        rows = tuple(tuple(row.get(name, "") for name in header) for row in found.evidence)
        shown = f"The first {len(rows)} of {found.count:,}" if found.count > len(rows) else "Evidence"
        items.append(Table(shown, tuple(_heading(name, material) for name in header), rows))
    picture = _groups(found, material, path, names)
    return Section(
        f"{found.code} ({_IN_WORDS[found.severity]})",
        paragraphs=(found.sentence, found.fix),
        items=(*items, *([picture] if picture else [])),
    )


def _heading(name: str, material: Material) -> str:
    """The heading of a column of evidence; that of the labels as the task has it."""
    task = material.manifest.task
    label = task.noun[0] if task.exclusive else task.heading
    return (label if name == "class" else name).capitalize()


def _groups(found: Finding, material: Material, path: Path, names: PublicNames) -> FigureItem | None:
    """Images that belong together, a row a group."""
    row_of = {int(position): row for row, position in enumerate(material.readable)}
    groups = [[i for i in group if i in row_of] for group in found.groups]
    groups = [group for group in groups if group][:_GROUPS_SHOWN]
    if not groups:
        return None
    of_larger = f"; of larger groups the first {_IMAGES_SHOWN}" if len(max(groups, key=len)) > _IMAGES_SHOWN else ""
    groups = [group[:_IMAGES_SHOWN] for group in groups]
    cases = material.manifest.cases
    rows = [material.data_set.pixels([row_of[i] for i in group]) for group in groups]
    titles = [" | ".join(f"{cases[i].label}, {cases[i].split or 'no side'}" for i in group) for group in groups]
    shown = "; ".join(" beside ".join(names.of(cases[i].full_name) for i in group) for group in groups)
    return FigureItem(
        draw_image_rows(rows, titles, path=path),
        f"{count(len(groups), 'group')} of {len(found.groups):,}, a row each: "
        f"{_heading('class', material).lower()} and side of each image{of_larger}",
        f"Images of {found.code}, a row a group: {shown}.",
    )


def _sheets(material: Material, folder: Path) -> Section:
    """Images of each class or finding, drawn at random: what no rule looks for, an eye may find."""
    random, manifest = np.random.default_rng(0), material.data_set.manifest
    items = []
    sheets = [(told_as(manifest.task, name), manifest.of_class(name)) for name in manifest.classes]
    # Where an image may show several findings, some show none.
    sheets.append(("no finding", [i for i, shown in enumerate(manifest.shown) if not shown]))
    for number, (name, positions) in enumerate(sheets):
        members = np.array(positions)
        if not members.size:
            continue
        chosen = np.sort(random.choice(members, min(_SHEET_ROWS * _SHEET_COLUMNS, members.size), replace=False))
        pixels = material.data_set.pixels(chosen.tolist())
        rows = [pixels[start : start + _SHEET_COLUMNS] for start in range(0, len(pixels), _SHEET_COLUMNS)]
        titles = [f"{name} (n = {members.size:,})", *[""] * (len(rows) - 1)]
        caption = f"{count(len(chosen), 'exam' if material.is_of_exams else 'image')} of {name}, drawn at random"
        items.append(FigureItem(draw_image_rows(rows, titles, path=folder / f"sheet_{number}"), caption, caption))
    text = "Look for what no rule can: wrong organs, other devices, writing, rulers, images that do not belong."
    return Section("Contact sheets", paragraphs=(text, *said_of(manifest.classes)), items=tuple(items))


def _reproducibility(material: Material, run: Run) -> Section:
    facts = (
        ("Command", run.command),
        ("Data (SHA-256)", material.data_set.fingerprint),
        ("Machine", run.machine),
        ("Versions", paired(run.versions)),
    )
    return Section("Reproducibility", items=(Table("This audit", ("What", "Value"), facts),))
