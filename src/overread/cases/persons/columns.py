"""The columns of a table that tell who the patients are: found, counted and left out where the table is read."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from overread.cases.case import Case
from overread.cases.persons.headings import ADDRESS, BIRTH, MAIL, NAME, NUMBER, PHONE, meaning_of
from overread.cases.persons.looks import fits, is_filled, shows, year_of

# Different cells that are looked at, and the least of which something is concluded without a heading that says it.
_MOST_LOOKED_AT, _FEWEST = 1000, 3
_MOSTLY, _NEARLY_ALL = 0.5, 0.9
# Days of examinations are younger and lie closer together: years before today, and between a tenth and nine tenths.
_YEARS_AGO, _YEARS_APART, _FEWEST_DATES = 25, 20, 10
_OTHER_DATES = re.compile(
    r"stud|exam|acqui|scan|visit|image|imaging|diagnos|series|content|creat|modif|report|admi|death|follow|surg|treat",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class PersonalColumn:
    """A column that tells who the patients are, without what it says of them.

    Args:
        heading: of the column.
        kind: what it holds, such as "dates of birth".
        images: of how many images it says something.
    """

    heading: str
    kind: str
    images: int


def leave_out_personal(cases: Sequence[Case]) -> tuple[list[Case], tuple[PersonalColumn, ...]]:
    """The cases without the further columns that tell who the patients are, and which these were."""
    found = []
    for heading in dict.fromkeys(heading for case in cases for heading in case.extra):
        cells = [case.extra.get(heading, "") for case in cases]
        if kind := personal_kind(heading, cells, [case.patient_id for case in cases]):
            found.append(PersonalColumn(heading=heading, kind=kind, images=sum(map(is_filled, cells))))
    personal = {column.heading for column in found}
    if not personal:
        return list(cases), ()
    kept = ({name: cell for name, cell in case.extra.items() if name not in personal} for case in cases)
    return [dataclasses.replace(case, extra=extra) for case, extra in zip(cases, kept, strict=True)], tuple(found)


def personal_kind(heading: str, cells: Sequence[str], patients: Sequence[str | None] | None = None) -> str | None:
    """What a column holds of persons, by its heading and by what its cells look like; None for nothing.

    Args:
        heading: of the column.
        cells: of each row.
        patients: of each row, where they are known.
    """
    different = list(itertools.islice(filter(is_filled, dict.fromkeys(cells)), _MOST_LOOKED_AT))
    if not different:
        return None
    meaning = meaning_of(heading)
    if meaning is not None:
        test = shows if meaning.is_vague and meaning.kind != BIRTH else fits
        if sum(test(meaning.kind, cell) for cell in different) >= _MOSTLY * len(different):
            return meaning.kind
    if len(different) >= _FEWEST:
        for kind in (MAIL, PHONE, NUMBER, ADDRESS, NAME):
            least = _NEARLY_ALL if kind == NUMBER else _MOSTLY
            if sum(shows(kind, cell) for cell in different) >= least * len(different):
                return kind
    are_dates = len(list(_years(different))) >= _NEARLY_ALL * len(different) and not _OTHER_DATES.search(heading)
    return BIRTH if are_dates and _are_births(cells, patients) else None


def _are_births(cells: Sequence[str], patients: Sequence[str | None] | None) -> bool:
    """Whether cells are days of long ago, far apart, one a patient and hardly two of them alike."""
    different = len(set(filter(is_filled, cells)))
    if different < _FEWEST_DATES:
        return False
    whose = [None] * len(cells) if patients is None else patients
    pairs = {(who or row, cell) for row, (who, cell) in enumerate(zip(whose, cells, strict=True)) if is_filled(cell)}
    persons = {who for who, _ in pairs}
    years = sorted(_years(cell for _, cell in pairs))
    if len(years) < _NEARLY_ALL * len(pairs) or len(pairs) * _NEARLY_ALL > len(persons):
        return False
    middle, tenth = years[len(years) // 2], len(years) // 10
    are_old = middle <= datetime.date.today().year - _YEARS_AGO
    return are_old and years[-1 - tenth] - years[tenth] >= _YEARS_APART and different >= _MOSTLY * len(persons)


def _years(cells: Iterable[str]) -> Iterator[int]:
    return (year for cell in cells if (year := year_of(cell)) is not None)
