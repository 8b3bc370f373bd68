"""From which of its states a training can go on: from one that is whole, as are the best weights until then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console

from overread.errors import InvalidData
from overread.machine.files import open_regular
from overread.machine.temporary import clear
from overread.machine.terminal import say
from overread.training.states.resume import Memory, best_file, saved_states


def drop_damaged(folder: Path, console: Console) -> None:
    """Remove the states after the newest that can be gone on from, and say so; what they held is trained again.

    Raises:
        InvalidData: there are states, and none can be gone on from.
    """
    damaged = []
    for path in saved_states(folder):
        memory = _memory_of(path)
        if memory is not None and (memory.is_amid_first or _is_whole(best_file(folder, memory.best_epoch))):
            break
        damaged.append(path)
    else:
        if damaged:
            raise InvalidData(
                f"no state of this training in {folder} is whole: bring back a copy of that folder, or begin anew with "
                "--force in place of --resume"
            )
    for path in damaged:
        clear(path)
        say(console, f"WARNING: {path.name} is damaged: training goes on from the state before it", "bold yellow")


def _is_whole(best: Path | None) -> bool:
    return best is not None and (best.suffix == ".h5" or _memory_of(best) is not None)


def _memory_of(path: Path) -> Memory | None:
    """What a state remembers; None where it is damaged, as its checksums tell."""
    try:
        with open_regular(path) as stream, np.load(stream, allow_pickle=False) as saved:
            for name in saved.files:
                _ = saved[name]
            return Memory.from_array(saved["memory"])
    except Exception:  # noqa: BLE001 - readers raise anything at what is damaged
        return None
