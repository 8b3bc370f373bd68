"""What a column is for, as its name and its cells tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from overread.cases.case import SPLIT_ALIASES

if TYPE_CHECKING:
    from overread.cases.tables.table import Table

# Who outranks whom: a lesion or a case is of one patient.
_WHO = ("patient|pat|pid|mrn", "subject|participant|person|individual|animal", "case", "lesion")
_ID = "(id|ids|no|nr|num|number|name|code|key|uid|index|identifier|pseudonym)?"
_PATIENT = [re.compile(f"(anon|anonymi[sz]ed|unique|de_?identified)?({who}){_ID}") for who in _WHO]
_PERHAPS_PATIENT = re.compile(
    r"(?!class|label|categ|rad|read|annot|observ|site|cent|device|scanner|model)((.*_)?(id|uid|number|code)|(accession|exam|study).*)"
)
_LABEL = re.compile(
    "labels?|class(es|name|label)?|categor(y|ies)|diagnos[ie]s|dx|targets?|y|findings?|findinglabels?|pathology|diseases?"
    "|condition|grade|level|severity|outcome|result|group|groundtruth|gt|truth|annotation|image(label|class)|labelname"
)
# What is known of many images and is seldom what is to be told apart.
_ABOUT = re.compile(
    r"(age|sex|gender|male|female|left|right|race|ethnicity|view|viewposition|position|projection|side|laterality|eye|hand|handedness|site"
    r"|hospital|center|centre|institution|scanner|manufacturer|model|vendor|modality|device|camera|date|time|year|month|visit"
    r"|delay|followup|xmin|xmax|ymin|ymax|width|height|rows|cols|columns|bytes|size|filesize|md5|sha1|sha256|hash"
    r"|fold|usage|dxtype|quality|weight|education|educ|ses|url|source|comment|comments|remark|remarks|notes?)"
    r"|(patient|subject|image|img|original)(age|sex|gender|male|female|left|right|race|orientation|width|height|size|format|quality|position)"
    r"|.*(localization|localisation|location|anatom(y|ic)?|anatomsite.*|agegroup|ageapprox|spacing[xyz]?|pixelspacing.*)"
)
_SECOND = re.compile(r" \(\d+\)$")
# What people call the exam.
_EXAM = re.compile(
    r"(study|exam|examination|series|accession|visit|scan|session|acquisition|procedure)"
    r"((instance)?(id|ids|uid|no|nr|num|number|name|key|code|identifier)|folder|dir|path)?"
)
# What columns may differ in that name the views of one exam; others may be masks or crops beside the image.
_VIEW = re.compile(
    r"left|right|l|r|od|os|ou|cc|mlo|[lr]cc|[lr]mlo|ap|pa|lat|lateral|frontal|front|back|side|axial|sagittal|coronal|first"
    r"|second|third|one|two|three|[a-d]|\d+|t1|t1c|t1ce|t1gd|t2|flair|dwi|adc|pre|post|before|after"
)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_UNNAMED = re.compile(r"(column|unnamed|index|x)?\d*")
_MOST_CLASSES = 50


def plain(name: str) -> str:
    """The name of a column by its letters and digits alone."""
    return re.sub(r"[\W_]+", "", name.lower())


def is_index(table: Table, column: str) -> bool:
    """True for a column without a name of its own that counts the rows, as programs write one."""
    if not _UNNAMED.fullmatch(plain(column)):
        return False
    cells = table[column]
    return any(cells == [str(number) for number in range(first, first + len(cells))] for first in (0, 1))


def is_patient(column: str) -> bool:
    """True where the name of a column says that it tells whose the image is."""
    return any(pattern.fullmatch(plain(column)) for pattern in _PATIENT)


def patient_columns(table: Table, columns: Sequence[str]) -> list[str]:
    """The columns whose name says that they tell whose the image is, the best first."""
    ranked = [
        (rank, column)
        for rank, pattern in enumerate(_PATIENT)
        for column in columns
        if pattern.fullmatch(plain(column)) and len(set(table[column]) - {""}) > 1
    ]
    return [column for _, column in sorted(ranked, key=lambda pair: pair[0])]


def perhaps_patient(table: Table, columns: Sequence[str]) -> list[str]:
    """The columns that may tell whose the image is, by their name and since many of their cells recur."""
    found = []
    for column in columns:
        cells = [cell for cell in table[column] if cell]
        recurring = 0.01 * len(cells) < len(set(cells)) < 0.95 * len(cells)
        named = _PERHAPS_PATIENT.fullmatch(column.lower().replace(" ", "_")) and not is_label(column)
        if recurring and named and not is_about(column):
            found.append(column)
    return found


def is_called_exam(column: str) -> bool:
    """True where the name of a column says that it may tell the exam."""
    return _EXAM.fullmatch(plain(column)) is not None


def are_views(columns: Sequence[str]) -> bool:
    """Whether names of columns differ by a side, a view or a number alone, as Left-Fundus and Right-Fundus do."""
    words = [{word.lower() for word in _WORD.findall(column)} for column in columns]
    common = set.intersection(*words)
    return all(all(_VIEW.fullmatch(word) for word in own - common) for own in words)


def split_columns(table: Table, columns: Sequence[str]) -> list[str]:
    """The columns whose cells all name sides of a split, one named `split` alone if there is one."""
    found = [column for column in columns if tells_sides(table[column])]
    named = [column for column in found if plain(column) == "split"]
    return named or found


def tells_sides(cells: Sequence[str]) -> bool:
    """True where all cells name sides of a split, and more than one."""
    said = {cell.lower() for cell in cells if cell}
    return said <= SPLIT_ALIASES.keys() and len({SPLIT_ALIASES[cell] for cell in said}) > 1


def is_label(column: str) -> bool:
    """True where the name of a column says that it holds the label."""
    return _LABEL.fullmatch(plain(_SECOND.sub("", column))) is not None


def column_named(column: str) -> str:
    """A column as a sentence has it: "column dx", and "column 2" where it has no name."""
    return column if column.startswith("column ") else f"column {column}"


def is_about(column: str) -> bool:
    """True where the name of a column says that it describes the image or its patient otherwise."""
    return _ABOUT.fullmatch(plain(column)) is not None


def tells_classes(cells: Sequence[str], *, named: bool) -> bool:
    """True for a few values that recur, and are no measurement.

    Args:
        cells: of a column.
        named: its name says that it is the label, so that a class may be of one image.
    """
    counts = Counter(cell for cell in cells if cell)
    several = 2 <= len(counts) <= min(_MOST_CLASSES, counts.total() if named else max(2, counts.total() // 2))
    numbers = [number for value in counts if (number := as_number(value)) is not None]
    if len(numbers) < len(counts):
        return several
    return several and len(numbers) <= 12 and all(number * 2 == int(number * 2) for number in numbers)


def as_number(cell: str) -> float | None:
    """The number that a cell holds, if it holds one."""
    try:
        number = float(cell.replace(",", "."))
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None
