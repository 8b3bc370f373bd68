"""Kill every command at every moment that matters, and look whether a second try ends as if nothing had happened.

    python -m kills                       in the folder fuzz/: one moment of each kind, of every stage
    python -m kills train --every         each moment
    python -m kills train --random 20     killed after random times

Exit status 1 where something was other than without a kill; `--keep` keeps the folder with all logs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kills.moments import HANGS, keep_moments, random_moments, run_in_fork
from kills.same import described, opened
from kills.stages import MADE, STAGES, Stage

_PICTURES = re.compile(r"(figures|explained)/.*")
_MOST_OPENINGS = 2


def main() -> int:
    """Kill the stages that are named, or all; 1 where something was wrong after any kill."""
    parser = argparse.ArgumentParser(prog="kills", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}; all of them by default")
    parser.add_argument("--every", action="store_true", help="each moment, in place of one of each kind")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="kill N times after random times instead")
    parser.add_argument("--only", default="", metavar="REGEX", help="moments whose names hold this")
    parser.add_argument("--seed", type=int, default=0, help="of the random times")
    parser.add_argument("--keep", type=Path, help="work in this folder and keep it")
    given = parser.parse_args()
    if unknown := [name for name in given.stages if name not in STAGES]:
        parser.error(f"{unknown[0]} is none of the stages {', '.join(STAGES)}")
    stages = {name: STAGES[name] for name in given.stages or STAGES}
    load(trains=any("train" in stage.command or "made}/run" in stage.command for stage in stages.values()))
    with tempfile.TemporaryDirectory(prefix="overread-kills-") as temporary:
        place = Place((given.keep or Path(temporary)).absolute())
        place.make()
        wrong = [_kill(place, name, stage, given) for name, stage in stages.items()]
    return int(any(wrong))


def load(*, trains: bool) -> None:
    """Import what the commands do, so that each is a copy of a process that begins at once; none computes yet."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from matplotlib.figure import Figure

    import overread.cli
    import overread.monitoring.monitor
    import overread.scoring.archive
    import overread.study.audit

    def blank(figure: Figure, file: Any, **options: Any) -> None:
        Image.new("L", (4, 4)).save(file, "png")

    Figure.savefig = blank  # most of the time, and none of the moments
    if trains:
        import overread.study.crossvalidate
        import overread.study.in_time.left_out
        import overread.study.in_time.work
        import overread.training.make_bundle

        overread.study.in_time.left_out.FOLDS = 2


class Place:
    """The folder in which commands run: `made` for all, and `desk` for each anew, always at the same path.

    Args:
        folder: empty, or that of an earlier time.
    """

    def __init__(self, folder: Path) -> None:
        self.made, self.desk, self.log = folder / "made", folder / "desk", folder / "log.txt"
        self.moments = folder / "moments"

    def make(self) -> None:
        """Make images."""
        for name, count in (("Normal", 20), ("Disease", 16)):
            rng, brighter = np.random.default_rng(len(name)), 60 * (name == "Disease")
            (self.made / "images" / name).mkdir(parents=True, exist_ok=True)
            for i in range(count):
                pixels = rng.integers(0, 120, (40, 40), dtype=np.uint8) + np.uint8(brighter)
                Image.fromarray(pixels).save(self.made / "images" / name / f"{name[0]}{i // 2:03d}_{i % 2}.png")

    def provide(self, stage: Stage) -> None:
        """Make what a stage needs, by the commands of others."""
        for name, maker in MADE.items():
            is_needed = name in stage.holds or f"{{made}}/{name}" in stage.command
            if maker is not stage and is_needed and not (self.made / name).exists():
                self.provide(maker)
                status = run_in_fork(self.command(maker.words(self.desk, self.made)), self.log)
                assert status in (0, 1), f"{name}: {self.log.read_text()}"

    def clean(self, stage: Stage) -> None:
        """Clear the desk, and put on it what a stage finds there."""
        shutil.rmtree(self.desk, ignore_errors=True)
        for name in ("state", "store"):
            (self.desk / name).mkdir(parents=True)
        for name in stage.holds:
            shutil.copytree(self.made / name, self.desk / name)

    def command(self, words: list[str], before: Callable[[], None] = lambda: None) -> Callable[[], None]:
        """A command of the program, with all that it keeps on the desk."""

        def work() -> None:
            from overread.cli import main as overread

            os.environ["OVERREAD_STORE"], os.environ["XDG_STATE_HOME"] = (
                str(self.desk / name) for name in ("store", "state")
            )
            sys.argv = ["overread", *words]
            before()
            overread()

        return work


def _kill(place: Place, name: str, stage: Stage, given: argparse.Namespace) -> int:
    """Kill one stage, and print what came of it; gives how often something was wrong."""
    words, again = (stage.words(place.desk, place.made, again=is_again) for is_again in (False, True))
    shutil.rmtree(place.moments, ignore_errors=True)
    place.provide(stage)
    place.clean(stage)
    start, seen = time.monotonic(), set()

    def is_kept(number: int, moment: str) -> bool:
        kind = re.sub(r"[0-9a-f]{8}-\d+|\d+", "N", _PICTURES.sub(r"\1", moment))
        is_new = kind not in seen
        seen.add(kind)
        return not given.random and (is_new or given.every) and re.search(given.only, moment) is not None

    hook = lambda: keep_moments(place.desk, place.moments, is_kept)  # noqa: E731
    status = run_in_fork(place.command(words, hook), place.log)
    took, whole, most = time.monotonic() - start, described(place.desk), opened(place.desk)
    assert status in (0, 1), f"{name}: {place.log.read_text()}"
    tried, wrong = 0, 0
    for moment in _random(place, stage, words, took, given) if given.random else _kept(place):
        tried += 1
        ended = run_in_fork(place.command(again), place.log)
        said = [*differences(whole, described(place.desk)), *_of_status(ended, status, place)]
        if not most <= (counted := opened(place.desk)) <= most * _MOST_OPENINGS:
            said.append(f"the ledger counts {counted} openings, and {most} without a kill")
        if said:
            wrong += 1
            print(f"  {name}, {moment}: {'; '.join(said)}", flush=True)
    print(f"{name:14} {tried:4} kills {wrong:4} wrong {time.monotonic() - start:6.0f} s", flush=True)
    return wrong


def _kept(place: Place) -> Iterator[str]:
    """Put the desk into the state of each moment that was kept, and give the name of it."""
    for copy in sorted(place.moments.glob("*")):
        shutil.rmtree(place.desk)
        (copy / "desk").rename(place.desk)
        yield f"before {(copy / 'moment').read_text()} ({copy.name})"


def _random(place: Place, stage: Stage, words: list[str], seconds: float, given: argparse.Namespace) -> Iterator[str]:
    """Run the stage and kill it, again and again, and give when."""
    for moment in random_moments(given.random, seconds, given.seed):
        place.clean(stage)
        run_in_fork(place.command(words), place.log, kill_after_s=moment)
        yield f"after {moment:.2f} s"


def differences(whole: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """What is other on a desk than it was, as `described` has it."""
    for name in sorted({*whole, *found}):
        if name not in found:
            yield f"{name} is missing"
        elif name not in whole:
            yield f"{name} should not be there"
        elif whole[name] != found[name]:
            yield f"{name} differs"


def _of_status(ended: int, expected: int, place: Place) -> Iterator[str]:
    log = place.log.read_text(errors="replace")
    if ended == HANGS:
        yield "the second try hangs"
    elif ended != expected or "Traceback" in log:
        lines = log.strip().splitlines() or ["nothing"]
        yield f"exit status {ended}, and without a kill {expected}: {lines[-1][:300]}"


if __name__ == "__main__":
    sys.exit(main())
