"""What a new user meets: `audit` and `train --out` on many layouts and real sets, with no further option.

    python benchmarks/first_contact.py --quick
    python benchmarks/first_contact.py --only chest_xray head_ct --epochs 3

Layouts are made in code, by the same functions that the tests use; real sets are found through OVERREAD_DATA. Where the
program refuses and its message names the option that makes it go on, it is given, and that counts as a second try.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from table import data_folder

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from support.layouts import LAYOUTS, Expected, shortcomings

REAL: Mapping[str, Mapping[str, str]] = {
    "chest_xray": {},
    "head_ct": {},
    "blood_cells": {},
    "idrid_grades": {"--label-column": "Retinopathy grade"},
    "nih_multilabel": {"--finding": "Effusion", "--labels": "Data_Entry_2017.csv"},
    "kather_tiles": {},
}
TINY = ("--size", "32", "--epochs", "1", "--network", "compact", "--no-pretrained")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Try:
    """One run of the program."""

    status: int
    seconds: float
    said: str
    options: str = ""

    @property
    def last(self) -> str:
        """The last line said: of a refusal, the refusal."""
        return self.said.strip().splitlines()[-1] if self.said.strip() else ""


def run(verb: str, arguments: Iterable[str], home: Path, options: str = "") -> Try:
    """Run the program as on a new machine: nothing is remembered but what this layout's own runs left in its home."""
    folders = {name: str(home / name.lower()) for name in ("OVERREAD_STORE", "XDG_STATE_HOME", "XDG_CACHE_HOME")}
    command = [sys.executable, "-m", "overread.cli", verb, *arguments]
    start = time.perf_counter()
    done = subprocess.run(
        command, capture_output=True, env={**os.environ, **folders}, stdin=subprocess.DEVNULL, check=False
    )
    seconds = time.perf_counter() - start
    said = done.stderr.decode(errors="backslashreplace")
    return Try(status=done.returncode, seconds=seconds, said=said, options=options)


def tries(verb: str, expected: Expected, folder: Path, home: Path, recipe: Iterable[str]) -> Iterator[Try]:
    """The first try, and further ones while the refusal names options that make it right."""
    more = ["--out", str(home / "run"), *recipe] if verb == "train" else []
    named: dict[str, str] = {}
    while True:
        latest = run(verb, [*expected.arguments(folder, named), *more], home, " ".join(named))
        yield latest
        new = expected.named_in(latest.last).items() - named.items()
        if not new or not latest.last.startswith("overread: "):
            return
        named.update(new)


def verdict(expected: Expected, folder: Path, done: list[Try]) -> str:
    """`yes`, or what was not as a stranger may expect."""
    wrong = ["a traceback"] if any("Traceback" in one.said for one in done) else shortcomings(folder, expected)
    blocked = done[0].status == 3
    if not wrong and expected.audit_blocks not in (None, blocked):
        wrong = ["blocked" if blocked else "not blocked"]
    return wrong[0].split(":")[0] if wrong else "yes"


def cell(one: Try, hidden: str) -> str:
    """The first lines said and the last one, as a cell of a table has them."""
    lines = [line.strip().replace(hidden, "...") for line in one.said.splitlines() if line.strip()]
    shown = [
        line if len(line) < 300 else f"{line[:300]} ..."
        for line in (lines if len(lines) < 5 else [*lines[:3], lines[-1]])
    ]
    return " / ".join(shown).replace("|", "\\|")


def real_set(name: str, folder: Path) -> None:
    """A copy of a real set, as it is downloaded: chest_xray comes without images.csv."""

    def link(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)

    kept_back = shutil.ignore_patterns("images.csv", "SHA256SUMS") if name == "chest_xray" else None
    shutil.copytree(data_folder(name), folder, copy_function=link, ignore=kept_back)


def rows(names: Iterable[str], verbs: Iterable[str], recipe: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """A row for each verb on each layout."""
    for name in names:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / name
            if name in REAL:
                real_set(name, folder)
                expected = None
            else:
                folder.mkdir()
                expected = LAYOUTS[name](folder)
            for verb in verbs:
                home = Path(temporary) / f"home of {verb}"
                done = list(tries(verb, expected or Expected(options=REAL[name]), folder, home, recipe))
                seconds = " + ".join(f"{one.seconds:.0f}" for one in done)
                status = ", then ".join(f"{one.status} {one.options}".strip() for one in done)
                judged = "" if expected is None else verdict(expected, folder, done)
                yield name, verb, status, f"{seconds} s", judged, cell(done[-1], temporary)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="train made layouts with a tiny recipe")
    parser.add_argument("--epochs", type=int, help="train the real sets for so many")
    parser.add_argument("--verbs", nargs="+", choices=("audit", "train"), default=("audit", "train"))
    parser.add_argument("--only", nargs="+", choices=(*REAL, *LAYOUTS), metavar="NAME", help="of layouts and sets")
    arguments = parser.parse_args()
    print("| data | verb | exit status | took | as expected | said |\n| --- | --- | --- | --- | --- | --- |")
    for name in arguments.only or (*REAL, *LAYOUTS):
        recipe = ("--epochs", str(arguments.epochs)) if arguments.epochs else ()
        if arguments.quick and name not in REAL:
            recipe = TINY
        for row in rows([name], arguments.verbs, recipe):
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
