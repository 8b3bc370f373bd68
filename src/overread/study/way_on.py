"""How to go on where the audit stops a study: the command that mends the data, or the option that pools the sides."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Sequence
from pathlib import Path

from overread.auditing import Audit, Rule, mended_codes
from overread.cases import Source

# Sides that are carved anew keep patients and copies together.
_OF_SIDES = frozenset(
    {"duplicate-across-splits", "near-duplicate-across-splits", "patient-across-splits", "split-incomplete"}
)


def way_on(audit: Audit, rules: Sequence[Rule], source: Source | None, out: Path) -> str:
    """Say what to do about the findings that block, ending with one command where one mends them all.

    Args:
        audit: what was found.
        rules: a user's own that were asked.
        source: of the cases; None where they were given as a manifest.
        out: the folder of the run.
    """
    codes = {found.code for found in audit.blocking}
    accept = " ".join(f"--accept {code}" for code in sorted(codes))
    said = f"Look at it with overread audit DATA --out FOLDER, mend it, or accept it: {accept}"
    if source is None:
        return said
    if codes <= mended_codes(rules):
        pooled = " The sides that the data name can also be pooled and carved anew: --ignore-sides."
        pooled *= codes <= _OF_SIDES
        fix = f"overread audit {_words(source)} --fix cleaned.csv"
        # What a table of the program's own form does not say.
        again = _options(source, ("ordered", "grades", "cut", "positive"))
        train = shlex.join(["overread", "train", "cleaned.csv", "--out", str(out), *again])
        return f"{said}.{pooled} To go on with a cleaned table: {fix} && {train}"
    if codes <= _OF_SIDES:
        train = f"overread train {_words(dataclasses.replace(source, ignore_sides=True))} --out {shlex.quote(str(out))}"
        return f"{said}. To go on with sides that are carved anew: {train}"
    return said


def _words(source: Source) -> str:
    """What names a source on the command line."""
    return shlex.join([_near(source.data), *_options(source, [field.name for field in dataclasses.fields(source)[1:]])])


def _options(source: Source, names: Sequence[str]) -> list[str]:
    """The options of the command line that say what these fields of a source do."""
    defaults, words = Source(data=source.data), list[str]()
    for name in names:
        value, option = getattr(source, name), name.replace("_", "-")
        if value == getattr(defaults, name):
            continue
        if name == "mapping":
            words += ["--map", ",".join(f"{old}={new}" for old, new in value.items())]
        elif isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            for each in value if isinstance(value, tuple) else (value,):
                words += [f"--{option}", each]
    return words


def _near(path: str) -> str:
    """A path from where the user stands, where it lies below."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
