"""Which names of classes say that nothing is there."""

from __future__ import annotations

import re
import unicodedata

_NEGATIVE = re.compile(
    "normals?|healthy|negatives?|neg|benign|controls?|ctrl|ctl|hc|nc|cn|absent|absence|clear|none|nil|no|n|false|wnl|nad|well"
    "|unremarkable|unaffected|uninfected|uninvolved|uninjured|undiseased|unruptured|unfractured|saine?s?|gesund|san[oa]|gezond"
    "|normale|negati[vf]o?|normalbefund|unauffallig|正常|健康|阴性|陰性|норма"
)
# A name may end or begin with what does not change it: `Healthy control`, `normal lung`, `0_normal`, `class 0`.
_CARRIERS = frozenset({"class", "label", "grade", "stage", "group", "type", "level", "category"})
_BEFORE = re.compile(
    r"no|non|not|without|sans|ohne|kein|keine|keinen|sin|senza|geen|zonder|absence of|free of|free from"
)
# `no` and what it denies as one word, which must not be a nodule or a nose.
_DENIED = (
    "tumou?rs?|findings?|diseased?|cancer(ous)?|dr|lesions?|pneumonia|fractures?|h(a)?emorrhage|bleed(ing)?|mass|"
    "abnormalit(y|ies)|covid(19)?|glaucoma|malaria|infection|infected|stroke|nodules?|polyps?|patholog(y|ical)|defects?|"
    "melanoma|metastas[ei]s|effusion|o?edema|cataract|dement(ed|ia)|diabet(ic|es)|malignan(t|cy)|tb|tuberculosis|"
    "pneumothorax|epilep(sy|tic)|sick|affected|autis(m|tic)|ad|pd|asd|mi|ich|referable|referr?ed|signs?|symptoms?|"
    "abnormal|injur(y|ed)|caries|retinopathy|plaque|stenosis|calcification|embol(ism|us)|rupture|aneurysm|cyst|ulcer|"
    "leuka?emia|parasites?|parasitized|seizures?"
)
_GLUED = re.compile(f"(no|non|not)({_DENIED})")
# Diseases that are called by what they are not, and names that say that nobody knows.
_NOT_DENIED = re.compile(
    r"(specific|proliferative|hodgkins?|small|union|st|stemi|exudative|alcoholic|ischa?emic|valvular|convulsive|melanoma|"
    r"seminoma|keratini[sz]ing|obstructive|neovascular|tuberculous|accidental|palpable|rheumatic|"
    r"sure|known|specified|available|applicable|done|graded|diagnosed|determined|visible|readable|assessable|\d+)"
)
_AFFLICTED = re.compile(r"(?!controlled|resolved|treated|healed|differentiated|classified).*ed")
_FALSELY_NEGATIVE = frozenset({"triple", "gram", "false", "rh", "double"})


def reads_as_negative(name: str) -> bool:
    """True where a class is called Normal, Healthy, Negative, No finding, NonCOVID, uninfected or the like."""
    words = words_of_name(name)
    if not words:
        return name.strip() == "-"
    named = [word for word in words if word not in _CARRIERS] or words
    # A number beside a name is its rank in a folder; alone it is the class.
    bare = [word for word in named if not word.isdecimal()]
    named = bare if len("".join(bare)) > 1 else named
    if not any(word.strip("0") for word in named):
        return True
    text = " ".join(named)
    if _NEGATIVE.fullmatch(text) or (len(named) > 1 and named[-1] in ("control", "controls")):
        return True
    if (denied := _denied_by(named)) is not None:
        return not _NOT_DENIED.match(denied) and not reads_as_negative(denied)
    if named[-1] in ("negative", "neg", "absent", "free"):
        return not _FALSELY_NEGATIVE & set(named)
    return named[0] in ("normal", "healthy", "benign") or _GLUED.fullmatch("".join(named)) is not None


def denies(name: str, other: str) -> bool:
    """True where a name is another with `no`, `non`, `not`, `without` or `un` before it, in any spelling.

    `un` denies an affliction, as in uninfected; what is uncontrolled or unstable is not the better of two.
    """
    plain, denied = "".join(words_of_name(name)), "".join(words_of_name(other))
    if len(denied) < 2 or reads_as_negative(other):
        return False
    prefixes = "no|non|not|without|absenceof|freeof" + ("|un" if _AFFLICTED.fullmatch(denied) else "")
    return re.fullmatch(f"({prefixes}){re.escape(denied)}", plain) is not None


def own_parts(one: str, other: str) -> tuple[str, str]:
    """Two names without the words that both begin with: of CT_COVID and CT_NonCOVID, what tells them apart."""
    ones, others = words_of_name(one), words_of_name(other)
    shared = next((at for at, pair in enumerate(zip(ones, others, strict=False)) if pair[0] != pair[1]), 0)
    return " ".join(ones[shared:]), " ".join(others[shared:])


def _denied_by(words: list[str]) -> str | None:
    """What words after a `no`, `non` or `without` say; None where they begin with none."""
    for length in (2, 1):
        if len(words) > length and _BEFORE.fullmatch(" ".join(words[:length])):
            return " ".join(words[length:])
    return None


def words_of_name(name: str) -> list[str]:
    """The words of a name in lower case, without accents: `NonCOVID-19` has three."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])", " ", bare)
    return re.findall(r"[^\W_]+", parted.lower())
