"""Which names of classes are grades, and in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable

from overread.decision.negative_names import reads_as_negative, words_of_name

# Words in the name of a column of grades, or written close together in it.
_OF_GRADES = re.compile(
    r"grade[sd]?|grading|levels?|severity|stages?|staging|scores?|scale|risk|kl|kellgren|lawrence|birads|isup|degree|"
    r"density|grad|stufe|stadium|schweregrad|niveau|gravite|stade|grado|estadio|gravedad|severidad|nivel|gravita|stadio"
)
_GLUED = re.compile(
    r"(.+(grade|level|severity|stage|score|grad|stadium)s?|(bi|pi|ti|li|lung)rads.*|ki?l(grade|score)?\d?)"
)
# How severe, by rank; in English, German, French, Spanish and Italian.
_RANKS = (
    r"none|absent|no|nil|null|keine?|aucune?|ningun[oa]?|nessun[oa]?",
    r"minimal|trace|doubtful|questionable|very (mild|slight)|fraglich|minim[oae]",
    r"mild|slight|low|leicht|gering|leger|legere|leve|lieve",
    r"moderate|medium|intermediate|mittel|mittelgradig|mittelschwer|moderee?|moderad[oa]|moderat[oa]",
    r"severe|marked|advanced|high|schwer|severo|severa|severee?|grave",
    r"very severe|critical|preproliferative|end stage",
    r"proliferative|proliferate|proliferativ[ao]?|proliferante|pdr",
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}
_NUMBER = re.compile(r"(\d+(?:[.,]\d+)?)([a-d]?)")
# Numbers that stand for themselves beside these; beside other words they may count anything.
_CARRIER = re.compile(
    r"grade|stage|level|score|grad|stufe|stadium|stade|grado|degree|kl|isup|bi|pi|ti|li|rads|birads|who|dr|f|g|m|t"
)


def reads_as_graded(heading: str) -> bool:
    """True where a column is called Retinopathy grade, level, KL, BI-RADS, ISUP, severity, stage or the like."""
    words = words_of_name(heading)
    return any(map(_OF_GRADES.fullmatch, words)) or _GLUED.fullmatch("".join(words)) is not None


def order_of(names: Iterable[str], *, letters: bool = False) -> tuple[str, ...] | None:
    """Names from the lowest grade to the highest; None where nothing tells all of them apart.

    Numbers tell it, alone or as in `Grade 2`, `stage IV` and `BI-RADS 4a`, or words such as none, mild and severe.

    Args:
        names: of the classes.
        letters: A, B and C are grades, too.
    """
    found = sorted(set(names))
    for rank_of in (_by_number, _by_word, *((_by_letter,) if letters else ())):
        ranks = [rank_of(name) for name in found]
        if None not in ranks and len(set(ranks)) == len(found):
            return tuple(name for _, name in sorted(zip(ranks, found, strict=True)))
    return None


def counts_from_0(names: Iterable[str]) -> bool:
    """True for the whole numbers from 0 or 1 to 2 or more, with none left out."""
    numbers = sorted(int(name) if name.isascii() and name.isdecimal() else -1 for name in set(names))
    return len(numbers) > 2 and numbers[0] in (0, 1) and numbers == [*range(numbers[0], numbers[-1] + 1)]


def _by_number(name: str) -> tuple[float, str] | None:
    """Of `2`, `Grade 2`, `stage IV`, `4a`: the number and the letter behind it."""
    if number := _NUMBER.fullmatch(name.strip().casefold()):
        return float(number[1].replace(",", ".")), number[2]
    # Not known, or not gradable.
    if re.match(r"\s*-\s*\d", name):
        return None
    words = words_of_name(name)
    if words and words[-1] in _ROMAN and all(map(_CARRIER.fullmatch, words[:-1])):
        return _ROMAN[words[-1]], ""
    number = re.fullmatch(r"(\d+)([a-d]?)", "".join(word for word in words if not _CARRIER.fullmatch(word)))
    return (float(number[1]), number[2]) if number else None


def _by_word(name: str) -> tuple[float, str] | None:
    """Of `mild`, `Mild NPDR`, `3_severe`, `VeryMildDemented`: how severe; the most that any of its words says."""
    words = " ".join(word for word in words_of_name(name) if not word.isdecimal())
    text = re.sub(r"\bnon ?proliferative\b", "", words).replace("pre proliferative", "preproliferative")
    ranks = [rank for rank, pattern in enumerate(_RANKS) if rank and re.search(rf"\b({pattern})\b", text)]
    if re.search(r"\bvery (mild|slight)\b", text):
        ranks = [1]
    if ranks:
        return max(ranks), ""
    return (0, "") if re.fullmatch(_RANKS[0], words) or reads_as_negative(name) else None


def _by_letter(name: str) -> tuple[float, str] | None:
    words = [word for word in words_of_name(name) if not _CARRIER.fullmatch(word)]
    return (0, words[0]) if len(words) == 1 and re.fullmatch("[a-e]", words[0]) else None
