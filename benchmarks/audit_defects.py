"""How much of what is wrong does the audit find: known defects planted into real sets, recall and false findings.

    python benchmarks/audit_defects.py [NAME ...] [--set NAME=FOLDER] [--each 20] [--only PATTERN]

The sets are those of `defects/sets.py`, without what is known to be wrong in them; further ones are taken to be clean.
Needs the real images (OVERREAD_DATA, else ../shared/data beside the checkout). Planted files lie in a temporary folder,
and a CSV names them together with the originals. Prints Markdown: recall and precision of each kind and set, what is
said of the clean sets, and which known defects are found without being told.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from defects.giveaways import DEALINGS, annotations, by_chance, columns, giveaways
from defects.planting import KINDS, plant, rounds
from defects.scoring import Score, false_findings, score
from defects.sets import RealSet, real_set, sources
from defects.spoilt import Spoilt
from defects.untold import untold
from table import data_folder

from overread.auditing import audit_manifest
from overread.cases import Case, Source


def main() -> None:
    """Plant, audit, print."""
    chosen = _options()
    data = data_folder("")
    known = sources(data)
    more = {name: (Source(data=folder), _patient) for name, _, folder in (text.partition("=") for text in chosen.sets)}
    every = {**known, **more}
    names = chosen.names or ([*more] if more else [*known])
    clean = []
    _print("set", "planted", "images", "recall", "precision")
    for name in names:
        start = time.perf_counter()
        real = real_set(name, *every[name])
        for found in _scores(real, chosen.each or max(4, min(20, len(real.manifest) // 4)), chosen.only):
            _print(name, *found.cells, heading=False)
        clean.append(_clean(real))
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    print()
    _print("clean set", "images", "false findings of images or pairs (bold: blocks)", "shortcuts told by chance")
    for row in clean:
        _print(*row, heading=False)
    if not (chosen.names or more):
        print()
        _print("set", "known defect, found untold", "found", "pairs found beside")
        with tempfile.TemporaryDirectory() as folder:
            for row in untold(data, Path(folder)):
                _print(*row, heading=False)


def _patient(case: Case) -> str:
    return case.patient_id or case.full_name


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="sets of the house; by default all of them")
    parser.add_argument("--set", dest="sets", action="append", default=[], metavar="NAME=FOLDER", help="a clean set")
    parser.add_argument("--each", type=int, help="planted of each kind; by default 20, fewer in small sets")
    parser.add_argument("--only", action="append", help="kinds whose names match, such as 'turned*'; may be repeated")
    return parser.parse_args()


def _scores(real: RealSet, each: int, only: Sequence[str] | None) -> Iterator[Score]:
    kinds = [kind for kind in KINDS if not only or any(fnmatch(kind.name, pattern) for pattern in only)]
    for together in rounds(kinds, len(real.manifest), each):
        with tempfile.TemporaryDirectory() as folder:
            spoilt = Spoilt(real, Path(folder))
            plant(spoilt, together, each)
            manifest = spoilt.read()
            result, _ = audit_manifest(manifest, folder=Path(folder) / "store")
            yield from (score(kind, spoilt, manifest, result) for kind in together)
    if not only:
        with tempfile.TemporaryDirectory() as folder:
            yield from giveaways(real, Path(folder))
            yield from annotations(real, Path(folder))
            yield columns(real, Path(folder))


def _clean(real: RealSet) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder:
        result, _ = audit_manifest(real.manifest, folder=Path(folder) / "store")
        scene = {case.full_name: name for case, name in zip(real.manifest.cases, real.scene, strict=True)}
        false = false_findings(result, real.manifest, scene)
        said = ", ".join(f"{code} {number}" for code, number in false.items()) or "none"
        chance = f"in {by_chance(real, Path(folder))} of {DEALINGS} dealings"
    return real.name, str(len(real.manifest)), said, chance


def _print(*cells: str, heading: bool = True) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)
    if heading:
        print(f"|{'---|' * len(cells)}", flush=True)


if __name__ == "__main__":
    main()
