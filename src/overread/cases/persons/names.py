"""Words that are names of persons."""

from __future__ import annotations

import re

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


def names_person(text: str) -> bool:
    """Whether a given name stands as a word of its own, or begins one such as "JohnSmith", and not beside a place."""
    if _CARET_NAME.search(text):
        return True
    words = []
    for chunk in re.split(r"[\W_]+", text):
        if match := _WORDS.fullmatch(chunk):
            parts = _CAMEL.findall(match[1])
            words += [part.lower() for part in (parts if "".join(parts) == match[1] else [match[1]])]
    return any(
        word in _GIVEN_NAMES and _PLACES.isdisjoint(words[max(0, i - 1) : i + 2]) for i, word in enumerate(words)
    )
