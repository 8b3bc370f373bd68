"""What the path of an image seems to hold: the name of a person, a date, a number by which a patient can be traced."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from overread.cases import Case

NAME, BIRTH, NATIONAL = "the name of a person", "a date of birth", "a number in the form of a national one"
DATE, NUMBER = "a date", "a number of 7 digits or more"
NAMING_KINDS = frozenset({NAME, BIRTH, NATIONAL})
# Images in files are younger, so that an earlier date is one of birth.
_FIRST_IMAGES = 1990
_YEAR, _MONTH, _DAY = r"(?:19\d\d|20[0-2]\d)", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_START, _END = r"(?<![^\W_])", r"(?![^\W_])"
_SPACED_DATE = re.compile(
    rf"{_START}(?:(?P<first>{_YEAR})([-. _]){_MONTH}\2{_DAY}|{_DAY}([-. _]){_MONTH}\3(?P<last>{_YEAR})){_END}"
)
_EIGHT_DIGITS = re.compile(rf"{_START}\d{{8}}{_END}")
_COMPACT_DATE = re.compile(rf"(?P<first>{_YEAR}){_MONTH}{_DAY}|{_DAY}{_MONTH}(?P<last>{_YEAR})")
_BIRTH = re.compile(r"(?<![a-z])(dob|birth|born|geboren|geb|naissance|nacimiento|nascita)[^a-z\d]*\d", re.IGNORECASE)
# The forms of the United States, and of Denmark and Sweden, which have a date in front.
_NATIONAL = re.compile(rf"{_START}(?:\d{{3}}-\d\d-\d{{4}}|{_DAY}{_MONTH}\d\d-\d{{4}}|\d\d{_MONTH}{_DAY}-\d{{4}}){_END}")
# A leading zero is a counter's, and a dot after a digit joins the components of a DICOM UID.
_LONG_NUMBER = re.compile(r"(?<![^\W_])(?<!\d\.)(?:mrn|pid|id|patient|pat|case)?([1-9]\d{6,})(?![^\W_])", re.IGNORECASE)
_CARET_NAME = re.compile(r"[^\W\d_]{2,}\^[^\W\d_]+")
_WORDS = re.compile(r"([^\W\d_]{2,})\d{0,4}")
_CAMEL = re.compile(r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+")
# Given names that are no word of English, medicine or imaging; of four letters or more, for shorter ones are acronyms.
_GIVEN_NAMES = frozenset(
    """
    aaron abdul adam adrian agnes ahmad ahmed albert alberto alejandro alessandro alexander alexandra alfred alice
    alicia allison amanda amelia amina amir amit andrea andreas andrew angela angelika anita anjali anna anne annette
    anthony antonio arjun arthur ashley astrid barbara beatrice benjamin bernard bernd bettina birgit bjorn brandon
    brenda brian brigitte camille carla carlos carmen caroline catherine charles charlotte chiara christina christine
    christopher claire claudia claus cornelia cristina cynthia daniel daniela danielle david deborah dennis diana diego
    dieter dietmar dimitri dmitri dominik donald donna doris dorothy eduardo edward elena elisabeth elizabeth ellen
    emily emma enrique erika ernst esther eugene evelyn fatima federico felipe fernando florian francesca francesco
    francisco francois frederik friedrich gabriel gabriela gary george gerald gerhard giovanni giulia giuseppe gloria
    gregory guido guillermo hannah hans harald harold hassan heather heidi heike heinrich heinz helen helena helga
    helmut henrik henry herbert hiroshi holger hussein ibrahim ingrid irina isabel isabella ivan jacob jacqueline jakob
    james jamila janet janine javier jean jeffrey jennifer jeremy jerry jessica joachim johan johann johanna john jonas
    jonathan jorge joseph joshua juan juergen julia julian julie julius jurgen karen karin karl katharina katherine
    kathleen kathrin katja keith kelly kenneth kevin khalid klaus kristin larry laura lauren lars laurent leonardo
    linda lisa lorenzo louis louise lucas lucia ludwig luigi luis lukas magdalena mahmoud manfred manuel marco marcus
    margaret maria marianne marie mario marion markus marta martha martina mary mateusz matthew matthias maurice megan
    melanie melissa michael michel michelle miguel mohamed mohammad mohammed monika muhammad mustafa nadia nancy natalia
    natalie natasha nathan nicholas nicole nikolai olga oliver olivia omar pablo pamela patricia patrick paul paula
    pauline pedro peter petra philip philippe pierre pietro priya rachel rafael rahul rainer ralf ramesh ramon raymond
    rebecca renate ricardo richard robert roberto roger roland ronald rosa rudolf ruth ryan sabine samantha samuel
    sandra sanjay sara sarah scott sebastian sergei sergio sharon silvia simon simone sofia sophie stefan stefanie
    stephanie stephen steven sunita susan susanne suzanne svetlana takeshi tatiana teresa thomas timothy tobias ulrich
    ursula valentina valerie vanessa veronica vincent vladimir walter wanda werner wilhelm william wolfgang xavier
    yolanda yusuf yvonne
    """.split()  # noqa: SIM905
)
# Next to one of these a given name is that of a place, a collection or a disease.
_PLACES = frozenset(
    """
    archive center centre clinic collection college database dataset disease foundation general hospital institute
    klinik klinikum royal saint san santa school sign st syndrome trial university
    """.split()  # noqa: SIM905
)


def kinds_in_paths(cases: Sequence[Case]) -> list[frozenset[str]]:
    """What each case's path seems to hold; the folders named as classes are left out."""
    labels = {case.label for case in cases}
    parts = []
    for case in cases:
        path = PurePosixPath(case.name)
        parts.append([*(part for part in path.parts[:-1] if part not in labels), path.stem])
    distinct = {part for own in parts for part in own}
    # One in 27 of the numbers from 19000000 to 20299999 is a date by chance: only a habit makes them dates.
    numbers = [number for part in distinct for number in _EIGHT_DIGITS.findall(part)]
    has_dates = 2 * sum(bool(_COMPACT_DATE.fullmatch(number)) for number in numbers) >= len(numbers)
    kinds = {part: _kinds(part, has_dates) for part in distinct}
    return [frozenset().union(*(kinds[part] for part in own)) for own in parts]


def _kinds(text: str, has_dates: bool) -> frozenset[str]:
    numbers = _EIGHT_DIGITS.findall(text) if has_dates else []
    compact = [match for number in numbers if (match := _COMPACT_DATE.fullmatch(number))]
    dates = [*_SPACED_DATE.finditer(text), *compact]
    dated = {match.group() for match in compact}
    found = set()
    if any(int(match["first"] or match["last"]) < _FIRST_IMAGES for match in dates) or _BIRTH.search(text):
        found.add(BIRTH)
    elif dates:
        found.add(DATE)
    if _NATIONAL.search(text):
        found.add(NATIONAL)
    if any(number not in dated for number in _LONG_NUMBER.findall(text)):
        found.add(NUMBER)
    if _CARET_NAME.search(text) or _has_given_name(text):
        found.add(NAME)
    return frozenset(found)


def _has_given_name(text: str) -> bool:
    """Whether a given name stands as a word of its own, or begins one such as "JohnSmith", and not beside a place."""
    words = []
    for chunk in re.split(r"[\W_]+", text):
        if match := _WORDS.fullmatch(chunk):
            parts = _CAMEL.findall(match[1])
            words += [part.lower() for part in (parts if "".join(parts) == match[1] else [match[1]])]
    return any(
        word in _GIVEN_NAMES and _PLACES.isdisjoint(words[max(0, i - 1) : i + 2]) for i, word in enumerate(words)
    )
