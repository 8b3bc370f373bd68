"""Where a result comes from: the run's record of recipe, data, command, machine and versions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import shlex
import sys
import uuid
from pathlib import Path
from typing import Any

from overread.bundle import now
from overread.cases import Split
from overread.errors import InvalidOption, MissingExtra
from overread.images import DataSet
from overread.machine.files import RUN_FILE, write_json
from overread.recipe import Recipe


def start_run(
    out: Path, recipe: Recipe, split: Split, data_set: DataSet, study_id: str | None = None
) -> dict[str, Any]:
    """Record what this run is; one that is resumed must be the same.

    Raises:
        InvalidOption: the folder holds a run of another recipe or other data.
    """
    study = study_id or new_study_id()
    data = {"fingerprint": data_set.fingerprint, "images": split.counts(), "patients": split.patients(), "study": study}
    left_out = dict(data_set.failures)
    run = {"recipe": recipe.to_dict(), "data": data, "left_out": left_out, "command": command(), **environment()}
    run["started"] = now()
    if (out / RUN_FILE).exists():
        former = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))
        changed = [name for name, value in run["recipe"].items() if former["recipe"].get(name) != value]
        changed += ["the images or their split"] * (former["data"]["fingerprint"] != data["fingerprint"])
        if changed:
            raise InvalidOption(
                f"{out} holds a run that differs in {', '.join(changed)}: resume it with the same options and data, or "
                "give another --out"
            )
        data["study"], run["started"] = former["data"]["study"], former["started"]
    write_json(out / RUN_FILE, run)
    split.manifest.write_csv(out / "manifest.csv")
    return run


def new_study_id() -> str:
    """A name for a study, which its runs and bundles carry."""
    return uuid.uuid4().hex


def command() -> str:
    """The command line that runs now, or that there is none."""
    called = Path(sys.argv[0]).name == "overread"
    return shlex.join(["overread", *sys.argv[1:]]) if called else "from Python"


def environment() -> dict[str, Any]:
    """Versions of what computes, and the kind of machine."""
    versions = {"python": platform.python_version()}
    for name in ("overread", "keras", "tensorflow", "tensorflow-cpu", "jax", "torch", "onnxruntime", "numpy", "pillow"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"versions": versions, "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"}


def require_extra(extra: str, modules: tuple[str, ...]) -> None:
    """Refuse to begin without the libraries of an extra.

    Raises:
        MissingExtra: one of the modules is not installed.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingExtra(f"this needs {module}, which is not installed: pip install 'overread[{extra}]'")
