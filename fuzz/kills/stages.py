"""The commands that are killed, each with how it is typed again; `{desk}` is the folder of all that it writes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

_SMALL = "--network compact --size 32 --batch-size 8 --precision float32 --positive Disease --patient-pattern ^\\w\\d+"
_STUDY = f"{_SMALL} --epochs 2"


@dataclasses.dataclass(frozen=True)
class Stage:
    """A command, what is typed besides after a kill, and what of `{made}` lies on the desk before."""

    command: str
    again: str = ""
    holds: tuple[str, ...] = ()

    def words(self, desk: Path, made: Path, *, again: bool = False) -> list[str]:
        """As it is typed, with made as the folder of images and of what was made of them before."""
        typed = f"{self.command} {self.again if again else ''}"
        return [word.format(desk=desk, made=made) for word in typed.split()]


# In this order, for each may need what those before have made.
MADE = {
    "run": Stage(f"train {{made}}/images --out {{made}}/run {_STUDY}"),
    "evaluation": Stage("evaluate {made}/run {made}/images --out {made}/evaluation"),
    "readings": Stage("predict {made}/run {made}/images --out {made}/readings --parts csv --part-images 8"),
}
STAGES = {
    "train": Stage(f"train {{made}}/images --out {{desk}}/run {_STUDY}", "--resume"),
    "train-folds": Stage(f"train {{made}}/images --out {{desk}}/run --folds 2 {_STUDY}", "--resume"),
    "train-time": Stage(f"train {{made}}/images --out {{desk}}/run --time 30m {_STUDY}", "--resume"),
    "train-force": Stage(f"train {{made}}/images --out {{desk}}/run --force {_STUDY}", holds=("run",)),
    "crossvalidate": Stage(
        f"crossvalidate {{made}}/images --out {{desk}}/run --folds 2 --keep-ensemble {_STUDY}", "--resume"
    ),
    "audit": Stage("audit {made}/images --out {desk}/audit --fix {desk}/cleaned.csv", "--force"),
    "evaluate": Stage("evaluate {desk}/run {made}/images --out {desk}/evaluation", "--force", holds=("run",)),
    "compare": Stage(
        "compare {made}/evaluation {desk}/evaluation --out {desk}/compared", "--force", holds=("evaluation",)
    ),
    "explain": Stage("explain {made}/run {made}/images --out {desk}/explained", "--force"),
    "predict-csv": Stage("predict {made}/run {made}/images --csv {desk}/readings.csv"),
    "predict-out": Stage("predict {made}/run {made}/images --out {desk}/readings --parts csv --part-images 8"),
    "monitor": Stage("monitor {made}/readings --bundle {made}/run --out {desk}/monitored", "--force"),
}
