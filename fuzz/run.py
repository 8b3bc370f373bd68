"""Feed a parser with changed input, guided by the code that it reaches: `python fuzz/run.py multipart --seconds 60`.

Needs atheris (`pip install 'overread[fuzz]'`). What is found lies in `.fuzz/TARGET/`; see fuzz/README.md.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from pathlib import Path

FUZZ = Path(__file__).parent
_TIMEOUT_S, _MEMORY_MB = 5, 1024


def main() -> int:
    """Fuzz the targets that are named, or all; 1 where there was a defect."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="a file of fuzz/targets; all of them by default")
    parser.add_argument("--runs", type=int, default=-1, help="inputs for each; as many as the time allows by default")
    parser.add_argument("--seconds", type=float, default=3600, help="for each, at most")
    given = parser.parse_args()
    known = sorted(path.stem for path in (FUZZ / "targets").glob("*.py"))
    if unknown := [name for name in given.targets if name not in known]:
        parser.error(f"{unknown[0]} is none of the targets {', '.join(known)}")
    defects = [fuzz(name, given.runs, given.seconds) for name in given.targets or known]
    return int(any(defects))


def fuzz(target: str, runs: int, seconds: float) -> int:
    """Fuzz one target, over the death of its process too, and print what came of it; give the number of defects."""
    found = Path(".fuzz", target)
    for folder in ("corpus", "defects"):
        (found / folder).mkdir(parents=True, exist_ok=True)
    before = set((found / "defects").iterdir())
    start, done = time.monotonic(), 0
    while (left_s := seconds - (time.monotonic() - start)) > 1 and (runs < 0 or done < runs):
        count = _one_process(target, found, runs - done if runs >= 0 else -1, left_s)
        if not count:
            break
        done += count
    took = time.monotonic() - start
    new = sorted(set((found / "defects").iterdir()) - before)
    print(f"{target:12} {done:>10,} inputs {took:8.0f} s {done / took:8.0f}/s {len(new):3} defects", flush=True)
    for path in new:
        print(f"  {path}")
    return len(new)


def _one_process(target: str, found: Path, runs: int, seconds: float) -> int:
    """Fuzz until the end or until the process dies, and give the number of inputs."""
    log = found / "log.txt"
    command = [
        sys.executable,
        str(FUZZ / "instrumented.py"),
        target,
        f"-runs={runs}",
        f"-max_total_time={max(1, int(seconds))}",
        f"-timeout={_TIMEOUT_S}",
        f"-rss_limit_mb={_MEMORY_MB}",
        f"-artifact_prefix={found / 'defects'}/",
        "-print_final_stats=1",
        "-use_value_profile=1",
        str(found / "corpus"),
        str(FUZZ / "corpus" / target),
    ]
    with log.open("w", encoding="utf-8") as stream:
        ended = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, check=False)
    text = log.read_text(encoding="utf-8", errors="replace")
    counts = [int(number) for number in re.findall(r"^#(\d+)", text, re.MULTILINE)]
    if not counts:
        sys.exit(f"{target} did not begin (status {ended.returncode}):\n{text[-2000:]}")
    return max(counts)


if __name__ == "__main__":
    sys.exit(main())
