"""Parts read by a Ray cluster: Ray Data hands them to a pool of readers, and again where a worker or node is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from overread.errors import OverreadError
from overread.reading import Reader
from overread.scoring.folder import ScoringFolder
from overread.scoring.part import Outcome, read_part

# The driver's memory grows with blocks: of more parts than these, several go together.
_MOST_BLOCKS = 10_000
# Lost workers and nodes that one block survives.
_RETRIES = 10


def read_on_ray(
    reader: Reader, folder: ScoringFolder, numbers: Sequence[int], working_folder: str | None
) -> Iterator[Outcome]:
    """Read parts with a reader on each core of the cluster that is connected; gives each as it ends, in any order.

    A block of parts that fails for good is left out: its parts are missing afterwards.
    """
    import ray
    from ray.data import ActorPoolStrategy, DataContext, from_items

    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = DataContext.get_current()
    context.max_errored_blocks = -1
    context.enable_progress_bars = False
    readers = max(1, min(int(ray.cluster_resources().get("CPU", 1)), len(numbers)))
    blocks = from_items(list(numbers), override_num_blocks=min(len(numbers), _MOST_BLOCKS))
    outcomes = blocks.map_batches(
        _PartReader,
        # In a list, so that each reader fetches it itself, once a node.
        fn_constructor_args=([ray.put(reader)], folder, working_folder),
        batch_size=1,
        batch_format="numpy",
        compute=ActorPoolStrategy(min_size=1, max_size=readers, initial_size=readers),
        num_cpus=1,
        ray_remote_args_fn=lambda: {"max_task_retries": _RETRIES},
    )
    for row in outcomes.iter_rows():
        yield Outcome(number=int(row["number"]), images=int(row["images"]), error=str(row["error"]))


class _PartReader:
    def __init__(self, stored: list[Any], folder: ScoringFolder, working_folder: str | None) -> None:
        import ray

        self._reader, self._folder = ray.get(stored[0]), folder
        if working_folder is not None:
            # A node that lacks the folder says of each image that it is not there.
            with contextlib.suppress(OSError):
                os.chdir(working_folder)

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, list]:
        number = int(batch["item"][0])
        try:
            outcome = read_part(self._reader, self._folder, number, workers=1)
        except OverreadError as error:
            outcome = Outcome(number=number, images=0, error=str(error))
        return {name: [value] for name, value in dataclasses.asdict(outcome).items()}
