"""How soon does a second training on the same images take its first step, beyond importing TensorFlow?"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import Row, data_folder, options, report

# Both end without a farewell: taking TensorFlow down takes a second that no start waits for.
_IMPORT = "import os, tensorflow, keras; os._exit(0)"
_START = """
import os, sys
from pathlib import Path
import overread
from overread.study import read_manifest

def stop_after_first_step():
    import keras
    from overread.training.progress import ShowProgress
    class Stop(ShowProgress):
        def on_train_batch_end(self, batch, logs=None):
            os._exit(0)
    import overread.training.train_network
    overread.training.train_network.ShowProgress = Stop

data, out, store = map(Path, sys.argv[1:])
require = overread.study.require_training
def require_training(*given):
    require(*given)
    stop_after_first_step()
overread.study.require_training = require_training
overread.train(read_manifest(data), out, overread.Recipe(network="compact"), store=store)
"""


def _seconds(code: str, *arguments: str) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return seconds


def main() -> None:
    parser = options("Time to the first training step, of a process that starts cold.")
    parser.add_argument("--repetitions", type=int, default=3)
    chosen = parser.parse_args()
    data = str(data_folder())
    with tempfile.TemporaryDirectory() as folder:

        def start(run: str) -> float:
            return _seconds(_START, data, str(Path(folder, run)), str(Path(folder, "store")))

        _seconds(_IMPORT)  # the files of TensorFlow come from the disk once
        first = start("first")
        imports, starts = [], []
        for number in range(chosen.repetitions):
            imports.append(_seconds(_IMPORT))
            starts.append(start(f"second{number}"))
    importing, starting = statistics.median(imports), statistics.median(starts)
    against = f"import tensorflow, keras: {importing:.1f} s"
    rows = [
        Row(
            what="second start to first step, seconds beyond the import",
            ours=f"{starting:.1f} s",
            other=against,
            ratio=starting - importing,
            target=5,
            at_most=True,
        ),
        Row(
            what="first start to first step, with decoding, audit and measuring, seconds beyond the import",
            ours=f"{first:.1f} s",
            other=against,
            ratio=first - importing,
        ),
    ]
    report("From the start of the program to the first training step, chest_xray", rows, chosen.json)


if __name__ == "__main__":
    main()
