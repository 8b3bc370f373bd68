"""Damage each file that a command has left, in each way, type the command again, and look what it says.

    python -m kills.damage                    in the folder fuzz/: all stages that go on with what they find
    python -m kills.damage train --files run.json --ways deep pipe

It may end as if nothing had happened, or in one sentence with status 1 or 2; never in a traceback, an error that nobody
foresaw, another result, or not at all.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from kills.__main__ import Place, differences, load
from kills.moments import HANGS, run_in_fork
from kills.same import described
from kills.stages import STAGES, Stage

_STAGES = ("train", "train-folds", "train-time", "crossvalidate", "predict-out")
# Pictures and what TensorBoard reads are written and never read.
_LEFT_OUT = (".png", ".html")
_LIMIT_S = 600


def main() -> int:
    """Damage what the stages that are named have left; 1 where any answer was wrong."""
    parser = argparse.ArgumentParser(prog="kills.damage", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(_STAGES)}; all of them by default")
    parser.add_argument("--files", nargs="*", default=["*"], metavar="PATTERN", help="of names of files")
    parser.add_argument("--ways", nargs="*", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it")
    given = parser.parse_args()
    load(trains=True)
    with tempfile.TemporaryDirectory(prefix="overread-damage-") as temporary:
        place = Place((given.keep or Path(temporary)).absolute())
        place.make()
        wrong = [_damage(place, name, STAGES[name], given) for name in given.stages or _STAGES]
    return int(any(wrong))


def _flip(path: Path) -> None:
    content, drawn = bytearray(path.read_bytes()), random.Random(path.name)
    for _ in range(4):
        content[drawn.randrange(len(content))] ^= 1 << drawn.randrange(8)
    path.write_bytes(content)


def _by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


def _by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


WAYS: dict[str, Callable[[Path], object]] = {
    "flip": _flip,
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "deep": lambda path: path.write_bytes(b"[" * 10_000 + b"]" * 10_000),
    "other": lambda path: path.write_bytes(b'{"a": [1e999, null, "\\ud800"]}'),
    "huge": lambda path: path.write_bytes(b"[" + b"9" * 6000 + b"]"),
    "nulls": lambda path: path.write_bytes(b"\0" * 1000),
    "folder": _by_folder,
    "pipe": _by_pipe,
    "gone": Path.unlink,
}


def _damage(place: Place, name: str, stage: Stage, given: argparse.Namespace) -> int:
    words, again = (stage.words(place.desk, place.made, again=is_again) for is_again in (False, True))
    place.provide(stage)
    place.clean(stage)
    assert run_in_fork(place.command(words), place.log) == 0, f"{name}: {place.log.read_text()}"
    whole, left = described(place.desk), place.desk.with_name("left")
    shutil.rmtree(left, ignore_errors=True)
    place.desk.rename(left)
    tried, wrong, said = 0, 0, 0
    for file in _files(left, given.files):
        for way in given.ways:
            shutil.rmtree(place.desk, ignore_errors=True)
            shutil.copytree(left, place.desk)
            WAYS[way](place.desk / file)
            tried += 1
            status = run_in_fork(place.command(again), place.log, limit_s=_LIMIT_S)
            said += status in (1, 2)
            if found := [*_wrong_with(status, place, whole)]:
                wrong += 1
                print(f"  {name}, {file} {way}: {'; '.join(found)}", flush=True)
    print(f"{name:14} {tried:4} damaged {said:4} told {tried - said - wrong:4} as before {wrong:4} wrong", flush=True)
    return wrong


def _files(left: Path, patterns: list[str]) -> list[Path]:
    files = (path for path in sorted(left.rglob("*")) if path.is_file() and path.stat().st_size)
    names = (path.relative_to(left) for path in files if path.suffix not in _LEFT_OUT and "tfevents" not in path.name)
    return [name for name in names if name.parts[0] != "store" and any(map(name.match, patterns))]


def _wrong_with(status: int, place: Place, whole: dict[str, object]) -> Iterator[str]:
    log = place.log.read_text(errors="replace")
    last = (log.strip().splitlines() or ["nothing"])[-1]
    if status == HANGS:
        yield "it hangs"
    elif status not in (0, 1, 2) or "Traceback" in log or "not foreseen" in log:
        yield f"exit status {status}: {last[:300]}"
    elif status == 0:
        yield from differences(whole, described(place.desk))


if __name__ == "__main__":
    sys.exit(main())
