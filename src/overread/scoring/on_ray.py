"""Parts read by a Ray cluster: Ray Data hands them to a pool of readers, and again where a worker or node is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from overread.errors import OverreadError
from overread.reading import Reader
from overread.scoring.folder import ScoringFolder
from overread.scoring.part import Outcome, read_part

# The memory of what hands parts out grows with blocks: of more parts than these, several go together.
_MOST_BLOCKS = 10_000
# Lost workers and nodes that one block survives.
_RETRIES = 10


def read_on_ray(
    reader: Reader, folder: ScoringFolder, numbers: Sequence[int], working_folder: str | None
) -> Iterator[Outcome]:
    """Read parts with a reader on each core of the cluster that is connected; gives each as it ends, in any order.

    A block of parts that fails for good is left out: its parts are missing afterwards.

    Raises:
        OverreadError: the cluster lost what hands the parts out.
    """
    import ray

    # In a list, so that it is not fetched with the arguments.
    stored = [ray.put(reader)]
    # Ray Data needs a driver in the cluster, and one that joined by ray://HOST:PORT is none (Ray 2.60).
    # On the head, for Ray Data ends with the node that it runs on, and a cluster may lose any other.
    on_head = ray.remote(num_cpus=0, resources={"node:__internal_head__": 0.001})
    hands_out: Any = on_head(_HandsOut).remote(stored, folder, list(numbers), working_folder)
    try:
        outcome: Outcome | None
        while (outcome := ray.get(hands_out.next.remote())) is not None:
            yield outcome
    except ray.exceptions.RayError:
        raise OverreadError(
            "the cluster lost the process that hands the parts out: run the same command to go on"
        ) from None


class _HandsOut:
    """Runs Ray Data in the cluster."""

    def __init__(
        self, stored: list[Any], folder: ScoringFolder, numbers: list[int], working_folder: str | None
    ) -> None:
        import ray
        from ray.data import ActorPoolStrategy, DataContext, from_items

        DataContext.get_current().max_errored_blocks = -1
        readers = max(1, min(int(ray.cluster_resources().get("CPU", 1)), len(numbers)))
        outcomes = from_items(numbers, override_num_blocks=min(len(numbers), _MOST_BLOCKS)).map_batches(
            _ReadsParts,
            fn_constructor_args=(stored, folder, working_folder),
            batch_size=1,
            batch_format="numpy",
            compute=ActorPoolStrategy(min_size=1, max_size=readers, initial_size=readers),
            num_cpus=1,
            ray_remote_args_fn=lambda: {"max_task_retries": _RETRIES},
        )
        self._rows = iter(outcomes.iter_rows())

    def next(self) -> Outcome | None:
        """What became of one more part; None after the last."""
        row = next(self._rows, None)
        if row is None:
            return None
        return Outcome(number=int(row["number"]), images=int(row["images"]), error=str(row["error"]))


class _ReadsParts:
    """A reader on one core of the cluster."""

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
