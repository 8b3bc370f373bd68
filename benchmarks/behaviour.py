"""Is it still the same program? Records what it gives on real data, and compares two such records.

    python benchmarks/behaviour.py record before            # with the code of before
    python benchmarks/behaviour.py record after --bundle before/train/bundle
    python benchmarks/behaviour.py compare before after     # exit status 1 if anything differs

A record holds what a user sees: CSV, JSON, exit status and what is printed of audit, train, evaluate, predict, explain,
compare and of the server's API, and hashes of trained weights and figures. Times, ids, paths of the record, versions
and hashes of ONNX graphs, whose nodes are named by chance, are taken out; what the graphs say is in the predictions.
Everything goes through the command line and HTTP, so that any layout of the code can be recorded. `--source DIR` runs
the code below another folder (a checkout of before) with this environment's packages.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from table import data_folder

ROOT = Path(__file__).parents[1]
# What is different in any two runs.
VOLATILE = {"created", "time", "started", "seconds", "latency_ms", "id", "command", "machine", "study", "versions"}
VOLATILE |= {"onnx_keras_difference", "network.onnx"}
MOVING = [
    (re.compile(r"(?m)^[WEI]0000 .*\n"), ""),  # TensorFlow's notices
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.+Z-]+"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)? ?(s|ms|seconds|min|images/s)\b"), "DURATION"),
    (re.compile(r"[ \t]+"), " "),
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    record = verbs.add_parser("record")
    record.add_argument("out", type=Path)
    record.add_argument("--bundle", type=Path, help="The bundle that reads; by default the one that is trained here.")
    record.add_argument("--source", type=Path, default=ROOT / "src", help="Folder of the package that is run.")
    compare = verbs.add_parser("compare")
    compare.add_argument("before", type=Path)
    compare.add_argument("after", type=Path)
    chosen = parser.parse_args()
    if chosen.verb == "compare":
        return report_differences(chosen.before / "record", chosen.after / "record")
    Recorder(chosen.out, chosen.source, chosen.bundle).record()
    return 0


class Recorder:
    """Runs the program's commands in a folder and keeps what they gave."""

    def __init__(self, out: Path, source: Path, bundle: Path | None) -> None:
        out.mkdir(parents=True)
        self.out, self.source = out.resolve(), source.resolve()
        self.bundle = bundle.resolve() if bundle else self.out / "train" / "bundle"
        self.data = data_folder("").resolve()
        (self.out / "record").mkdir()

    def record(self) -> None:
        chest = self.data / "chest_xray"
        self.audits(chest)
        self.trainings(chest)
        self.readings(chest)
        self.service(chest)

    def audits(self, chest: Path) -> None:
        self.run("audit-chest_xray", "audit", chest, "--json")
        self.run("audit-larynx", "audit", self.data / "larynx_vocalfolds", "--json")
        self.run("audit-dicom", "audit", self.two_classes("dicom"), "--json")

    def trainings(self, chest: Path) -> None:
        short = ["--network", "compact", "--size", 64, "--epochs", 2, "--precision", "float32"]
        short += ["--accept", "duplicate-across-splits"]
        self.run("train", "train", chest, "--out", self.out / "train", "--json", *short)
        self.keep_run("train")
        cells = self.data / "blood_cells" / "TEST_SIMPLE"
        self.run("train-cells", "train", cells, "--out", self.out / "train-cells", "--json", *short, "--batch-size", 8)
        self.keep_run("train-cells")

    def readings(self, chest: Path) -> None:
        test = chest / "test"
        self.run("predict-csv", "predict", self.bundle, test)
        self.run("predict-json", "predict", self.bundle, test, self.data / "dicom", "--json")
        some = sorted(test.rglob("*.jpeg"))[:12]
        self.run("explain", "explain", self.bundle, *some, "--out", self.out / "explained", "--json")
        self.keep_files("explained", "*.png")
        self.run("evaluate", "evaluate", self.bundle, chest, "--out", self.out / "evaluated", "--json")
        self.keep_files("evaluated", "metrics.json", "*.csv", "figures/*.png")
        self.run("compare", "compare", self.out / "evaluated", self.out / "train", "--json")

    def service(self, chest: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        log = self.out / "readings.sqlite"
        command = [
            sys.executable,
            "-m",
            "overread.cli",
            "serve",
            self.bundle,
            "--port",
            port,
            "--log-url",
            f"sqlite:///{log}",
        ]
        server = subprocess.Popen([*map(str, command)], env=self.environment(), stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            files = [
                *sorted((chest / "test").rglob("*.jpeg"))[:4],
                self.data / "dicom" / "RG1_J2KI.dcm",
                chest / "README.txt",
            ]
            for name, method, path, sent in (
                ("readings", "POST", "/v1/readings", files),
                ("explanations", "POST", "/v1/explanations", files[:1]),
                ("bundles", "GET", "/v1/bundles", None),
                ("openapi", "GET", "/openapi.json", None),
                ("healthz", "GET", "/healthz", None),
                ("missing", "GET", "/v1/readings/none", None),
                ("page", "GET", "/", None),
            ):
                self.keep(f"api-{name}", *ask(port, method, path, sent))
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)

    def two_classes(self, name: str) -> Path:
        """A CSV that deals the files of a folder to two classes, so that they can be audited."""
        table = self.out / f"{name}.csv"
        files = sorted(file for file in (self.data / name).iterdir() if file.suffix != ".txt")
        rows = [f"{file},{'ab'[i % 2]}" for i, file in enumerate(files)]
        table.write_text("\n".join(["path,label", *rows]) + "\n", encoding="utf-8")
        return table

    def environment(self) -> dict[str, str]:
        state = {"XDG_STATE_HOME": str(self.out / "state"), "XDG_CACHE_HOME": str(self.out / "cache")}
        return {**os.environ, **state, "PYTHONPATH": str(self.source), "COLUMNS": "200"}

    def run(self, name: str, *arguments: object) -> None:
        began = time.monotonic()
        command = [sys.executable, "-m", "overread.cli", *map(str, arguments)]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, cwd=self.out)
        self.keep(f"{name}.out", done.stdout)
        self.keep(f"{name}.err", f"{done.stderr}\nexit status {done.returncode}")
        print(f"{name}: exit status {done.returncode}, {time.monotonic() - began:.0f} s", flush=True)

    def keep(self, name: str, content: str, status: str = "") -> None:
        (self.out / "record" / name).write_text(f"{self.steady(content)}\n{status}", encoding="utf-8")

    def keep_run(self, name: str) -> None:
        self.keep_files(name, "test/metrics.json", "test/*.csv", "figures/*.png", "manifest.csv", "audit.json")
        self.keep_files(name, "bundle/*.weights.h5", "bundle/bundle.json", "bundle/reference.npz")
        self.keep_files(name, "test/figures/*.png", "test/figures/*.csv")

    def keep_files(self, folder: str, *patterns: str) -> None:
        for file in sorted({file for pattern in patterns for file in (self.out / folder).glob(pattern)}):
            name = f"{folder}--{'--'.join(file.relative_to(self.out / folder).parts)}"
            if file.suffix in (".json", ".csv"):
                self.keep(name, file.read_text(encoding="utf-8"))
            else:
                self.keep(name, hashlib.sha256(file.read_bytes()).hexdigest())

    def fingerprints(self) -> list[str]:
        """What stands for the bundles that read or were trained here."""
        folders = [self.bundle, self.out / "train" / "bundle", self.out / "train-cells" / "bundle"]
        files = [folder / "bundle.json" for folder in folders]
        return [json.loads(file.read_text(encoding="utf-8"))["sha256"] for file in files if file.exists()]

    def steady(self, content: str) -> str:
        """The text without what differs from run to run."""
        lines = [_steady_json(line) for line in ([content] if _is_json(content) else content.splitlines())]
        text = "\n".join(lines).replace(str(self.out), "OUT").replace(str(self.bundle), "BUNDLE")
        for fingerprint in self.fingerprints():
            text = text.replace(fingerprint, "FINGERPRINT").replace(fingerprint[:12], "FINGERPRINT")
        for pattern, word in MOVING:
            text = pattern.sub(word, text)
        return text


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


def _steady_json(text: str) -> str:
    return json.dumps(_without_volatile(json.loads(text)), indent=1, sort_keys=True) if _is_json(text) else text


def _without_volatile(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_volatile(part) for key, part in value.items() if key not in VOLATILE}
    return [_without_volatile(part) for part in value] if isinstance(value, list) else value


def wait_for(port: int) -> None:
    for _ in range(300):
        try:
            if ask(port, "GET", "/readyz")[1] == "200":
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not start within 30 s")


def ask(port: int, method: str, path: str, files: list[Path] | None = None) -> tuple[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    boundary, parts = "boundary-of-behaviour", b""
    for file in files or ():
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="{file.name}"\r\n\r\n'
        parts += head.encode() + file.read_bytes() + b"\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"} if files else {}
    connection.request(method, path, parts + f"--{boundary}--\r\n".encode() if files else None, headers)
    answer = connection.getresponse()
    body = answer.read()
    text = body.decode() if "png" not in answer.headers["Content-Type"] else hashlib.sha256(body).hexdigest()
    return text, str(answer.status)


def report_differences(before: Path, after: Path) -> int:
    names = sorted({file.name for folder in (before, after) for file in folder.iterdir()})
    differing = 0
    for name in names:
        texts = [
            (folder / name).read_text().splitlines() if (folder / name).exists() else [] for folder in (before, after)
        ]
        if texts[0] != texts[1]:
            differing += 1
            changed = list(difflib.unified_diff(*texts, "before", "after", lineterm="", n=0))
            print(f"--- {name}: {len(changed)} lines differ", *(line[:240] for line in changed[:12]), sep="\n  ")
    print(f"{len(names) - differing} of {len(names)} records are identical")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
