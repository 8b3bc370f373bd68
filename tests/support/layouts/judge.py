"""Whether the program reads a layout as a stranger may expect: by the first try, or by a second that it asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from overread.cases import Manifest
from overread.errors import OverreadError
from overread.study.data import read_cases
from support.layouts.expected import Expected


def shortcomings(folder: Path, expected: Expected) -> list[str]:
    """What is wrong with how a layout is read; nothing where all is right."""
    manifest, said = _read(folder, expected, {})
    if manifest is None and expected.refused:
        return [f"the refusal does not say {word}: {said}" for word in unsaid(expected.refused, said)]
    if manifest is not None and (expected.asks or not expected.classes):
        return [f"it is not {'asked' if expected.asks else 'refused'}: {_described(manifest)}"]
    wrong = [f"it is refused: {said}"] if manifest is None else _differences(manifest, said, expected)
    named = expected.named_in(said)
    while wrong and named:
        manifest, more = _read(folder, expected, named)
        said = f"{said}\n{more}"
        if manifest is not None:
            return _differences(manifest, said, expected)
        wrong = [f"the try with {' and '.join(named)} is refused: {more}"]
        known, named = named, expected.named_in(said)
        if known == named:
            return wrong
    return wrong


def _read(folder: Path, expected: Expected, options: Mapping[str, str]) -> tuple[Manifest | None, str]:
    """The cases, and the notes on them; or nothing, and the refusal."""
    try:
        manifest = read_cases(expected.source(folder, options))
    except OverreadError as refusal:
        return None, str(refusal)
    except (OSError, UnicodeError) as error:
        return None, f"no sentence but {type(error).__name__}: {error}"
    return manifest, "\n".join(manifest.notes)


def unsaid(patterns: Iterable[str], text: str) -> list[str]:
    """The patterns that a text does not match."""
    return [pattern for pattern in patterns if not re.search(pattern, text, re.IGNORECASE)]


def _described(manifest: Manifest) -> str:
    counts = Counter(case.label for case in manifest.cases)
    return f"{dict(counts)}; {'; '.join(manifest.notes)}"


def _differences(manifest: Manifest, said: str, expected: Expected) -> list[str]:
    counts = Counter(case.label for case in manifest.cases)
    alike = counts == expected.classes if expected.exact_names else _sizes(counts) == _sizes(expected.classes)
    wrong = [] if alike else [f"read as {_described(manifest)}"]
    if alike and expected.positive is not None:
        found = manifest.positive if expected.exact_names else counts.get(manifest.positive or "")
        if found != (expected.positive if expected.exact_names else expected.classes[expected.positive]):
            wrong.append(f"the positive class is {manifest.positive}")
    sides = Counter(case.split for case in manifest.cases if case.split)
    if expected.sides not in (None, sides):
        wrong.append(f"the sides are {dict(sides)}")
    patients = len({case.patient_id for case in manifest.cases})
    if expected.patients not in (None, patients):
        wrong.append(f"there are {patients} patients")
    return wrong + [f"not said: {word}, only: {said}" for word in unsaid(expected.says, said)]


def _sizes(counts: Mapping[str, int]) -> list[int]:
    return sorted(counts.values())
