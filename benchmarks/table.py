"""What the benchmarks share: the real images, runs made in turn, and a table of ratios against targets."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table.

    Args:
        what: the question.
        ours: what overread took, with its unit, such as `232 images/s`.
        other: what it is held against, named, with its unit.
        ratio: how many times as good as the other overread is; a bare figure where there is no other.
        target: the least ratio wanted, or with `at_most` the most; None where there is none.
        at_most: the ratio should be low.
    """

    what: str
    ours: str
    other: str
    ratio: float
    target: float | None = None
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """`met`, `missed` or nothing."""
        if self.target is None:
            return ""
        return "met" if (self.ratio <= self.target if self.at_most else self.ratio >= self.target) else "missed"

    def cells(self) -> tuple[str, ...]:
        """The line as text."""
        wanted = "" if self.target is None else f"{'<=' if self.at_most else '>='} {self.target:g}"
        return self.what, self.ours, self.other, f"{self.ratio:.3g}", wanted, self.verdict


def data_folder(name: str = "chest_xray") -> Path:
    """A folder of real images, through OVERREAD_DATA as for the tests."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("OVERREAD_DATA", default)) / name
    if not folder.is_dir():
        raise SystemExit(f"no real images: set OVERREAD_DATA to the folder that holds {name}/")
    return folder


def interleaved(runs: Mapping[str, Callable[[], object]], repetitions: int, *, warm_up: int = 1) -> dict[str, float]:
    """The median seconds of each run; all are run in turn, so that a change of the machine's load meets every one."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(warm_up + repetitions):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times[warm_up:]) for name, times in seconds.items()}


def options(description: str) -> argparse.ArgumentParser:
    """A parser with the option that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, help="write the rows to this file too")
    return parser


def report(title: str, rows: list[Row], json_file: Path | None = None) -> None:
    """Print the table, as Markdown, and write it as JSON where asked."""
    lines = [("", "overread", "against", "ratio", "target", ""), ("---",) * 6, *(row.cells() for row in rows)]
    print(f"\n## {title}\n")
    print("\n".join(f"| {' | '.join(line)} |" for line in lines))
    if json_file is not None:
        content = {"title": title, "rows": [{**dataclasses.asdict(row), "verdict": row.verdict} for row in rows]}
        json_file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
