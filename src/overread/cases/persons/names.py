"""Names of persons in a path or a cell, of many origins and scripts, told from what else goes by such a word.

The list says of each word how far it is a given name and a surname; `benchmarks/person_names.py` makes it and measures
what it takes for a person. Eponyms, places, makers and English words count for less, or not at all.
"""

from __future__ import annotations

import dataclasses
import functools
import lzma
import re
import unicodedata
from collections.abc import Collection, Mapping
from pathlib import Path

from overread.machine.files import read_regular

# How far a word is a given name: 1 that is another word too, 2 no other, 3 that tells a person by itself; and how far
# it is a surname: 1 or 2.
Grades = tuple[int, int]
Known = Mapping[str, Grades]
_LIST = Path(__file__).with_name("names.xz")
_NONE, _CLEAR, _ALONE = (0, 0), 2, 3
# Of both names of a pair, in Latin letters.
_FEWEST_LETTERS = 6
_CARET = re.compile(r"([^\W\d_]{2,})\^([^\W\d_]+)")
_JOINED = re.compile(r"\b([OoDd])['\u2019](?=[^\W\d_]{3})")
_POSSESSIVE = re.compile(r"[^\W\d_]+['\u2019]s\b")
_CHUNKS = re.compile(r"[^\W_]+")
_WORD = re.compile(r"([^\W\d_]+)\d{0,4}")
_CAMEL = re.compile(r"[^\W\d_a-z][^\W\d_A-Z]+")
# Scripts that leave no blank between surname and given name.
_UNSPACED = re.compile(r"[\u3005\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]{2,6}")
_BARE = str.maketrans(
    {"\u0131": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"},
)
_PARTICLES = frozenset(
    """
    de van der den von zu la le las los da das do dos du di del della al el bin ben ibn bint abu mc mac st ter ten op
    thi y e of
    """.split()  # noqa: SIM905
)
# Next to one of these a name is that of a place, a collection, a disease, a test or a breed.
_CONTEXT = frozenset(
    """
    archive center centre clinic collection college database dataset foundation general hospital institute klinik
    klinikum royal saint san santa school st trial university street river disease syndrome sign palsy paralysis anomaly
    fever lymphoma sarcoma carcinoma tumor tumour cyst esophagus oesophagus hernia fracture shunt stain test score index
    projection view method filter lead catheter protocol breathing breed
    """.split()  # noqa: SIM905
)


@dataclasses.dataclass(frozen=True)
class FoundNames:
    """What a text holds of names.

    Args:
        is_sure: a person is named.
        perhaps: words that are names by themselves, which one such text alone does not tell.
    """

    is_sure: bool
    perhaps: frozenset[str] = frozenset()


def find_names(text: str, *, ignored: Collection[str] = (), known: Known | None = None) -> FoundNames:
    """Find a given name that tells a person by itself, or a given name beside a surname.

    Args:
        text: a cell, or the name of a file or folder.
        ignored: words as `words_in` gives them that name no person, such as those of classes.
        known: the names; by default those of the list.
    """
    known = _known() if known is None else known
    words = [word for word in words_in(text) if word not in _PARTICLES]
    grades = [
        _NONE if word in ignored or _is_beside(words, at) else known.get(word, _NONE) for at, word in enumerate(words)
    ]
    is_sure = (
        any(given == _ALONE for given, _ in grades)
        or any(_are_pair(*neighbours) for neighbours in zip(words, words[1:], grades, grades[1:], strict=False))
        or any(_is_dicom_name(last, first, known) for last, first in _CARET.findall(text))
        or any(_is_unspaced(one, known) for one in _UNSPACED.findall(text))
    )
    perhaps = (word for word, of in zip(words, grades, strict=True) if max(of) >= _CLEAR and len(word) > 3)
    return FoundNames(is_sure=is_sure, perhaps=frozenset(perhaps))


def words_in(text: str) -> list[str]:
    """The words of a text without accents and in one case, those of "JohnSmith" apart; "" for a code among them."""
    text = _POSSESSIVE.sub(" 0 ", _JOINED.sub(r"\1", text))
    words: list[str] = []
    for chunk in _CHUNKS.findall(text):
        match = _WORD.fullmatch(chunk)
        parts = _CAMEL.findall(match[1]) if match else [""]
        words += parts if not match or "".join(parts) == match[1] else [match[1]]
    return [plain(word) for word in words]


@functools.lru_cache(maxsize=65_536)
def plain(word: str) -> str:
    """A word without accents and in one case."""
    if word.isascii():
        return word.lower()
    parts = unicodedata.normalize("NFKD", word.casefold())
    bare = "".join(part for part in parts if unicodedata.category(part) != "Mn")
    return unicodedata.normalize("NFC", bare).translate(_BARE)


@functools.cache
def _known() -> Known:
    known: dict[str, Grades] = {}
    for line in lzma.decompress(read_regular(_LIST)).decode().splitlines():
        given, surname, *names = line.split()
        known |= dict.fromkeys(names, (int(given), int(surname)))
    return known


def _is_beside(words: list[str], at: int) -> bool:
    """Whether a word of the context stands before a word, or at most one word behind it."""
    return not _CONTEXT.isdisjoint(words[max(0, at - 1) : at + 3])


def _are_pair(one: str, other: str, first: Grades, second: Grades) -> bool:
    """Whether one is a given name and the other a surname, and at least one of them no other word."""
    is_long = len(one) + len(other) >= _FEWEST_LETTERS or not one.isascii()
    ways = ((first[0], second[1]), (second[0], first[1]))
    return is_long and any(given and last and given + last > _CLEAR for given, last in ways)


def _is_dicom_name(last: str, first: str, known: Known) -> bool:
    """Whether surname and given name stand in the words beside a caret, where scanners write a body part, too."""
    return known.get(plain(last), _NONE)[1] + known.get(plain(first), _NONE)[0] >= _CLEAR


def _is_unspaced(text: str, known: Known) -> bool:
    """Whether a surname of one to three characters and a given name are the whole text."""
    cuts = ((text[:cut], text[cut:]) for cut in (1, 2, 3) if cut < len(text))
    return any(known.get(last, _NONE)[1] and known.get(first, _NONE)[0] for last, first in cuts)
