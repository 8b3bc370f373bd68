"""Invented persons: paths and columns that name them, and columns that name nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Random = np.random.Generator
NAMES = (
    "Aleksandra Nowak", "Anna Kowalska", "Ayşe Öztürk", "Bjarne Nilsen", "Chidi Okonkwo", "Deepak Chaudhary",
    "Eszter Nagy", "Fatoumata Diallo", "Giorgos Papadopoulos", "Haruka Tanaka", "Iñaki Etxeberria", "Jiří Dvořák",
    "Kateryna Shevchenko", "Kwame Mensah", "Lakshmi Venkataraman", "Lieke de Vries", "Malgorzata Wisniewska",
    "Minh Nguyen", "Nikolaos Georgiou", "Oluwaseun Adeyemi", "Paolo Bianchi", "Priyanka Iyer", "Rosa Hernandez",
    "Sari Korhonen", "Siobhan Murphy", "Tariq Al-Masri", "Thandiwe Dlamini", "Wei Zhang", "Xochitl Ramirez",
    "Yuki Watanabe", "Zsofia Szabo", "John Miller",
)  # fmt: skip


def path_of_a_person(random: Random) -> str:
    """A folder and a file, without an ending, as somebody calls them who thinks of the patient."""
    given, surname = NAMES[random.integers(len(NAMES))].split(" ", 1)
    number = random.integers(1, 40)
    return (
        f"{given} {surname}/{number:03d}",
        f"{surname}_{given}/image{number}",
        f"{surname.upper()}-{given.upper()}_{number}",
        f"scan {given.lower()}.{surname.lower()} {number}",
        f"{given}{surname}_{number}",
        f"{surname.upper()}^{given.upper()}/IM{number:04d}",
    )[random.integers(6)]


def _digits(random: Random, count: int) -> str:
    return "".join(map(str, random.integers(0, 10, count)))


def _date(random: Random) -> str:
    return f"{random.integers(1930, 2005)}-{random.integers(1, 13):02d}-{random.integers(1, 29):02d}"


def _name(random: Random) -> str:
    return NAMES[random.integers(len(NAMES))]


Make = Callable[[Random], str]
IDENTIFYING: Mapping[str, Make] = {
    "patient_name": _name,
    "Nachname": lambda random: _name(random).split(" ", 1)[1],
    "DOB": _date,
    "fecha de nacimiento": _date,
    "phone": lambda random: f"+49 {_digits(random, 3)} {_digits(random, 7)}",
    "e-mail": lambda random: f"{_name(random).split()[0].lower()}@example.org",
    "adresse": lambda random: f"{_name(random).split()[1]}straße {random.integers(1, 99)}, {_digits(random, 5)} Halle",
    "insurance_no": lambda random: f"A{_digits(random, 9)}",
    "MRN": lambda random: _digits(random, 8),
    "SSN": lambda random: f"{_digits(random, 3)}-{_digits(random, 2)}-{_digits(random, 4)}",
    # By what the values look like alone.
    "col7": _name,
    "kontakt": lambda random: f"{_name(random).split()[0].lower()}@example.org",
}
ORDINARY: Mapping[str, Make] = {
    "age": lambda random: str(random.integers(1, 95)),
    "sex": lambda random: "MF"[random.integers(2)],
    "view": lambda random: ("AP", "PA", "LL")[random.integers(3)],
    "scanner": lambda random: ("Siemens Avanto", "Philips Ingenia", "GE Discovery")[random.integers(3)],
    "site_name": lambda random: ("North Hospital", "St. Mary", "University Clinic")[random.integers(3)],
    "diagnosis_name": lambda random: ("Graves disease", "Hashimoto", "Crohn", "none")[random.integers(4)],
    "study_date": lambda random: f"20{random.integers(10, 24)}-{random.integers(1, 13):02d}-03",
    "lesion_id": lambda random: f"HAM_{_digits(random, 7)}",
    "birth_weight_g": lambda random: str(random.integers(700, 4500)),
    "slice": lambda random: str(random.integers(1, 200)),
}
