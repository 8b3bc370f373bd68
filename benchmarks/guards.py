"""What do the guards against damaged and hostile files cost: reading 624 radiographs, and an epoch of training?

    git worktree add /tmp/before COMMIT && python benchmarks/guards.py --before /tmp/before

One process has the source of before, another that of this tree; they work by turns, so that a change of the machine's
load meets both, and each ratio is of a pair. Seconds are of processor time, which others on the machine disturb least:
a guard computes, and waits for nothing.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from table import Row, data_folder, options, report

HERE = Path(__file__).resolve().parents[1]
NETWORK = "compact"
# A small picture: the smaller the network, the more a guard weighs.
SIZE = 128
WORKS = {"predict": "Reading 624 radiographs", "epoch": "An epoch of training"}


def main() -> None:
    if sys.argv[1:2] == ["work"]:
        {"predict": predict, "epoch": epochs}[sys.argv[2]](Path(sys.argv[3]), int(sys.argv[4]))
        return
    parser = options(__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, required=True, help="a tree of overread to compare with")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--only", choices=WORKS, help="one of the two")
    chosen = parser.parse_args()
    rows = []
    for work, what in WORKS.items():
        if chosen.only not in (None, work):
            continue
        with tempfile.TemporaryDirectory() as folder:
            pairs = by_turns(work, {"before": chosen.before, "now": HERE}, chosen.turns, Path(folder))
        before, now = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratios = sorted(second / first for first, second in pairs)
        row = Row(
            what=f"{what}, median of {len(pairs)} pairs ({ratios[0]:.2f} to {ratios[-1]:.2f})",
            ours=f"{now:.2f} s",
            other=f"before {before:.2f} s",
            ratio=statistics.median(ratios),
            target=1.03,
            at_most=True,
        )
        rows.append(row)
    report("The cost of the guards", rows, chosen.json)


def by_turns(work: str, trees: dict[str, Path], turns: int, folder: Path) -> list[tuple[float, float]]:
    """The seconds of each pair, the first one, in which caches and graphs are made, left out."""
    workers = [start(work, tree, folder / name, turns) for name, tree in trees.items()]
    pairs = []
    for turn in range(turns + 1):
        # The one that comes first comes second next time.
        order = workers if turn % 2 else workers[::-1]
        seconds = {id(worker): ask(worker) for worker in order}
        pairs.append((seconds[id(workers[0])], seconds[id(workers[1])]))
    for worker in workers:
        worker.kill()
        worker.wait()
    return pairs[1:]


def start(work: str, tree: Path, folder: Path, turns: int) -> subprocess.Popen[str]:
    """A process that imports overread from a tree and works when it is told to."""
    folder.mkdir()
    path = os.pathsep.join([str(tree / "src"), str(HERE / "benchmarks")])
    own = {"PYTHONPATH": path, "OVERREAD_STORE": str(folder / "store"), "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.Popen(
        [sys.executable, __file__, "work", work, str(folder), str(turns)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **own},
    )


def ask(worker: subprocess.Popen[str]) -> float:
    """Have a process work once, and give its seconds."""
    if worker.stdin and worker.stdout:
        worker.stdin.write("\n")
        worker.stdin.flush()
        for line in worker.stdout:
            if line.startswith("seconds "):
                return float(line.split()[1])
    raise SystemExit("a process ended before its time: see what it says above")


def predict(folder: Path, turns: int) -> None:
    """Read the test side again and again."""
    from prediction import hand_over

    from overread import Reader

    images = sorted((data_folder() / "test").rglob("*.jpeg"))
    hand_over(NETWORK, folder)
    reader = Reader.load(folder / "bundle")
    serve(lambda: [None for _ in reader.read_many(images)])


def epochs(folder: Path, turns: int) -> None:
    """Train on the test side, whose size is handy, and wait before each epoch."""
    import keras

    from overread import Recipe, Source, train

    class Waiting(keras.callbacks.Callback):
        began = 0.0

        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            if epoch:  # with what was saved after the former
                print(f"seconds {processor_s() - self.began}", flush=True)
            sys.stdin.readline()
            self.began = processor_s()

    recipe = Recipe(network=NETWORK, size=SIZE, epochs=turns + 3, patience=turns + 3, precision="float32")
    source = Source(data=str(data_folder() / "test"), ignore_sides=True)
    train(source, folder / "run", recipe, callbacks=[Waiting()])


def processor_s() -> float:
    """Processor time of this process, its threads and the processes that it has waited for."""
    return sum(os.times()[:4])


def serve(work: Callable[[], object]) -> None:
    """Work once for each line, and print how long it took."""
    for _ in lines():
        start = processor_s()
        work()
        print(f"seconds {processor_s() - start}", flush=True)


def lines() -> Iterator[str]:
    """The lines of standard input, as they come."""
    while line := sys.stdin.readline():
        yield line


if __name__ == "__main__":
    main()
