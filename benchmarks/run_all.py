"""Run every benchmark of speed, one after the other, and write what they print to RESULTS.md.

`accuracy.py`, which takes days, is run by itself; its section in RESULTS.md is kept.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
QUESTIONS = (
    "preparation", "second_start", "training", "efficientnet_lite", "time_to_auc", "prediction", "memory",
)  # fmt: skip
ACCURACY = "## Accuracy on real sets"
_LIBRARIES = ("tensorflow-cpu", "tensorflow", "keras", "onnxruntime", "pillow", "simplejpeg", "numpy")


def machine() -> str:
    """Processor, cores, system, Python and versions."""
    information = Path("/proc/cpuinfo")
    text = information.read_text(encoding="utf-8") if information.exists() else ""
    facts = dict(re.findall(r"^(model name|cpu family|model)\s*: (.+)$", text, re.MULTILINE))
    bf16 = [flag for flag in ("avx512_bf16", "amx_bf16") if flag in text]
    versions = []
    for name in _LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return (
        f"{facts.get('model name', platform.machine())}, family {facts.get('cpu family')}, model {facts.get('model')}, "
        f"bfloat16: {', '.join(bf16) or 'none'}; {os.cpu_count()} cores, {platform.system()}, "
        f"Python {platform.python_version()}; {', '.join(versions)}"
    )


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aucmedi-python", help="a Python that has AUCMEDI, in an environment of its own")
    parser.add_argument("--only", nargs="+", choices=QUESTIONS, default=QUESTIONS)
    arguments = parser.parse_args()
    parts, failed = [], []
    for question in arguments.only:
        command = [sys.executable, str(HERE / f"{question}.py")]
        if question == "training" and arguments.aucmedi_python:
            command += ["--aucmedi-python", arguments.aucmedi_python]
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
        seconds = time.perf_counter() - start
        table = done.stdout[done.stdout.find("\n## ") :].strip()
        print(f"\n{table}\n\n({seconds:.0f} s)", flush=True)
        parts.append(f"{table}\n\n`python benchmarks/{question}.py`, {seconds:.0f} s")
        if done.returncode:
            failed.append(question)
    heading = (
        f"# What was measured\n\n{datetime.date.today().isoformat()}, {machine()}.\nRatios come from runs made in turn."
    )
    if set(arguments.only) == set(QUESTIONS) and not failed:
        results = HERE / "RESULTS.md"
        _, found, accuracy = results.read_text(encoding="utf-8").partition(ACCURACY)
        kept = [found + accuracy.rstrip()] if found else []
        results.write_text("\n\n".join([heading, *parts, *kept]) + "\n", encoding="utf-8")
    if failed:
        raise SystemExit(f"these did not end well; run each by itself to see why: {', '.join(failed)}")


if __name__ == "__main__":
    main()
