"""What cells look like: dates, telephone numbers, addresses, names; and what only stands in for them."""

from __future__ import annotations

import datetime
import re

from overread.cases.persons.headings import ADDRESS, BIRTH, MAIL, NAME, NUMBER, PHONE
from overread.cases.persons.names import find_names

_NOTHING = frozenset(
    """
    anon anonym anonymous anonymised anonymized deidentified removed redacted withheld masked hidden none null nan na
    unknown unbekannt inconnu desconocido sconosciuto onbekend bilinmiyor nieznane true false yes no ja nein oui non si
    """.split()  # noqa: SIM905
)
# A code that cannot be turned back: a hash, a UUID, a DICOM UID, a pseudonym of this program.
_CODE = re.compile(r"(?:p-)?[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+(?:\.\d+){4,}", re.IGNORECASE)
_TIME = r"(?:[T ]\d\d?:\d\d.*)?"
_DAYS = (
    re.compile(rf"(?P<y>\d{{4}})([-/. ]?)(?P<m>\d\d)\2(?P<d>\d\d){_TIME}"),
    re.compile(rf"(?P<y>\d{{4}})([-/.])(?P<m>\d)\2(?P<d>\d\d?){_TIME}"),
    re.compile(rf"(?P<d>\d\d?)([-/. ])(?P<m>\d\d?)\2(?P<y>\d{{4}}){_TIME}"),
    re.compile(rf"(?P<m>\d\d?)([-/. ])(?P<d>\d\d?)\2(?P<y>\d{{4}}){_TIME}"),
    re.compile(r"(?P<y>\d{4})年(?P<m>\d\d?)月(?P<d>\d\d?)日"),
    re.compile(rf"(?P<d>\d{{1,2}})[. -]*[^\W\d_]{{3,9}}[., -]+(?P<y>\d{{4}}){_TIME}"),
    re.compile(rf"[^\W\d_]{{3,9}} (?P<d>\d{{1,2}}),? (?P<y>\d{{4}}){_TIME}"),
)
# Months of a year, years of two digits, and the days that a spreadsheet counts; believed only under a heading.
_LOOSE_DATE = re.compile(r"\d{4}-\d\d|\d\d?[/.]\d{4}|\d\d?([-/. ])\d\d?\1\d\d|[1-5]\d{4}(?:\.0)?")
_MAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[^\W\d_]{2,}")
_DIALLED = re.compile(r"\+?[\d() /.-]{6,24}(?:(?:ext|x)\.? ?\d+)?", re.IGNORECASE)
# With the code of a country or a place, as no count, no measure and no number of an image is written.
_SURELY_DIALLED = re.compile(
    r"(?:\+\d|00\d\d[ /-]|0[1-9]\d{0,3}[ /]|\(\d{2,5}\))[\d() /.-]{5,18}|0[1-9]\d{1,3}-[1-9]\d{4,8}"
    r"|\d{3}[-. ]\d{3}[-. ]\d{4}"
)
_DAY, _MONTH = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
# The forms of the United States, and of Denmark and Sweden, which have a date in front.
NATIONAL_NUMBER = rf"(?:\d{{3}}-\d\d-\d{{4}}|{_DAY}{_MONTH}\d\d-\d{{4}}|\d\d{_MONTH}{_DAY}-\d{{4}})"
_STREET = re.compile(
    r"\d+\w? [^\W\d_].* (?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|court|ct|boulevard|blvd|way|close|place)\b.*"
    r"|.*(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|straat|laan|gade|gatan) ?\d+.*"
    r"|(?:\d+,? ?(?:bis |ter )?)?(?:rue|avenue|calle|avenida|via|viale|piazza|rua|ul\.|ulica|улица|ул\.) .*\d*.*"
    r"|.*(?:sokak|caddesi|mahallesi)\b.*|.*[省市区县].*[路街巷号].*|.*[都道府県].*[市区町村].*\d.*",
    re.IGNORECASE,
)
# Longer cells are texts.
_LONGEST = 200
_SUFFIX = re.compile(r"\.[A-Za-z]\w{1,4}$")


def is_filled(cell: str) -> bool:
    """Whether a cell says anything: no placeholder, no yes or no, and no code that cannot be turned back."""
    letters = re.sub(r"[\W_]+", "", cell.casefold())
    return len(letters) > 1 and letters not in _NOTHING and len(set(letters)) > 1 and not _CODE.fullmatch(cell.strip())


def year_of(cell: str) -> int | None:
    """The year of a day, however it is written; None for what is no day from 1880 to today."""
    for order in _DAYS:
        if found := order.fullmatch(cell.strip()):
            parts = found.groupdict()
            year, month, day = int(parts["y"]), int(parts.get("m") or 1), int(parts.get("d") or 1)
            if 1880 <= year <= datetime.date.today().year and 1 <= month <= 12 and 1 <= day <= 31:
                return year
    return None


def fits(kind: str, cell: str) -> bool:
    """Whether a cell may be of a kind, where the heading says that it is."""
    digits, letters = sum(map(str.isdigit, cell)), sum(map(str.isalpha, cell))
    if kind == NAME:
        return letters > 1 and not digits and len(cell) <= 60 and not _SUFFIX.search(cell)
    if kind == BIRTH:
        return bool(year_of(cell) or _LOOSE_DATE.fullmatch(cell.strip()))
    if kind == PHONE:
        return digits >= 6 and bool(_DIALLED.fullmatch(cell.strip()))
    if kind == MAIL:
        return bool(_MAIL.fullmatch(cell.strip()))
    return digits + letters >= 4 if kind == ADDRESS else digits >= 4


def shows(kind: str, cell: str) -> bool:
    """Whether a cell is surely of a kind, whatever its heading; of dates of birth a cell alone does not tell."""
    text = cell.strip()
    if len(text) > _LONGEST:
        return False
    if kind == NAME:
        return fits(kind, text) and find_names(text).is_sure
    if kind == PHONE:
        return fits(kind, text) and year_of(text) is None and bool(_SURELY_DIALLED.fullmatch(text))
    if kind == NUMBER:
        return bool(re.fullmatch(NATIONAL_NUMBER, text))
    if kind == ADDRESS:
        return bool(_STREET.fullmatch(text)) and any(map(str.isdigit, text))
    return kind == MAIL and fits(kind, text)
