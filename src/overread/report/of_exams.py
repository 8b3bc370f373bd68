"""A report of exams: what is said of images in a report of images is said of exams."""

from __future__ import annotations

import dataclasses
import re

from overread.report.document import FigureItem, ReportContext, Section, Table

# As a word by itself: neither in the name of a file, nor in a rate such as images/s.
_IMAGE = re.compile(r"(?<![\w/.-])([Ii]mage)(s?)(?![\w/-]|\.\w)")
# What names exams knows which of the two it means.
_KNOWS = re.compile(r"\b[Ee]xams?\b")
# Where an image is meant, or words of the user stand.
_AS_THEY_ARE = ("Reproducibility", "Training", "Exams")


def in_exams(text: str) -> str:
    """A text of cases that are exams, line by line; a line that speaks of exams already is left as it is."""
    lines = text.split("\n")
    return "\n".join(line if _KNOWS.search(line) else _IMAGE.sub(_exam, line) for line in lines)


def report_of_exams(context: ReportContext) -> ReportContext:
    """A report that was composed as one of images."""
    return ReportContext(
        title=in_exams(context.title),
        verdict=tuple(map(in_exams, context.verdict)),
        sections=tuple(map(_section, context.sections)),
        leading=context.leading,
    )


def _exam(match: re.Match[str]) -> str:
    return ("Exam" if match[1][0].isupper() else "exam") + match[2]


def _section(section: Section) -> Section:
    if section.heading in _AS_THEY_ARE:
        return section
    return Section(
        heading=section.heading,
        paragraphs=tuple(map(in_exams, section.paragraphs)),
        items=tuple(map(_item, section.items)),
        warnings=tuple(map(in_exams, section.warnings)),
    )


def _item(item: Table | FigureItem) -> Table | FigureItem:
    if isinstance(item, FigureItem):
        return dataclasses.replace(item, caption=in_exams(item.caption), alt=in_exams(item.alt))
    return dataclasses.replace(
        item,
        caption=in_exams(item.caption),
        header=tuple(map(in_exams, item.header)),
        rows=tuple(tuple(map(in_exams, row)) for row in item.rows),
    )
