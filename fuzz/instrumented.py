"""The process that `fuzz/run.py` starts: one target under atheris, with the parsers instrumented for coverage."""

from __future__ import annotations

import hashlib
import importlib
import logging
import re
import resource
import sys
import traceback
import warnings
from pathlib import Path

import atheris

_INSTRUMENTED = ["overread", "pydicom", "PIL", "zipfile", "csv", "json", "python_multipart", "openpyxl"]


def main() -> None:
    """Fuzz the target of the first argument; the others are libFuzzer's."""
    name, *options = sys.argv[1:]
    here = Path(__file__).parent
    sys.path[:0] = [str(here), str(here.parent / "tests")]
    with atheris.instrument_imports(include=_INSTRUMENTED):
        target = importlib.import_module(f"targets.{name}")
    warnings.simplefilter("ignore")
    logging.disable()
    target.one_input(b"")  # what is loaded late is no memory of an input
    options = [_with_base(option) for option in options]
    if tokens := getattr(target, "TOKENS", ()):
        options.append(f"-dict={_write_dictionary(name, tokens)}")
    defects = Path(next(option for option in options if option.startswith("-artifact_prefix=")).partition("=")[2])
    known: set[str] = set()

    def one_input(data: bytes) -> None:
        try:
            target.one_input(data)
        except Exception as error:  # noqa: BLE001 - each kind is saved once, and the hunt goes on
            kind = _kind(error)
            if kind not in known:
                known.add(kind)
                _save(defects, kind, data)

    atheris.Setup([sys.argv[0], *options], one_input)
    atheris.Fuzz()


def _with_base(option: str) -> str:
    """The limit of memory counts from what the process has when it begins."""
    name, _, value = option.partition("=")
    if name != "-rss_limit_mb":
        return option
    return f"{name}={int(value) + resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}"


def _kind(error: Exception) -> str:
    """What was raised, and the innermost line of overread on the way there."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "overread" in Path(frame.filename).parts]
    places = {f"{Path(frame.filename).name}:{frame.lineno}": None for frame in (*ours[-1:], frames[-1])}
    return f"{type(error).__name__} at {' '.join(places)}"


def _save(defects: Path, kind: str, data: bytes) -> None:
    name = re.sub(r"[^\w.:-]+", "_", kind)
    if not any(defects.glob(f"{name}-*")):  # an earlier process may have found it
        (defects / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)


def _write_dictionary(name: str, tokens: tuple[bytes, ...]) -> Path:
    path = Path(".fuzz", name, "tokens.txt")
    path.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in tokens))
    return path


if __name__ == "__main__":
    main()
