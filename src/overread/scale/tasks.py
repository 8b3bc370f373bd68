"""Work as tasks of Ray, which places them, and runs them anew where a worker or a node is lost."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from overread.errors import InvalidOption, OverreadError
from overread.scale.engine import Item, Result

# Whole nodes may go again and again where they are lent by the hour.
_RETRIES = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class RayTasks:
    """An engine of the Ray that `cluster.connected` has made.

    Args:
        cpus: that each item has for itself; by default all of the smallest node, as it has on one machine.
        gpus: likewise, by default none; a fraction where several share one.
    """

    cpus: int | None = None
    gpus: float = 0

    def __post_init__(self) -> None:
        if (self.cpus is not None and self.cpus < 1) or self.gpus < 0:
            raise InvalidOption(f"cpus={self.cpus}, gpus={self.gpus}: give 1 CPU or more, and 0 GPUs or more")

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The result of each item, in the order of the items; an error of the function is raised as it is.

        All items begin as soon as there is room. The first error ends those that still run.

        Raises:
            InvalidOption: no node has as many CPUs or GPUs as an item asks for.
            OverreadError: an item was lost again and again, or took more memory than its node has.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        task: Any = ray.remote(max_retries=_RETRIES, **self._resources())(_done)
        waiting = [task.remote(function, item) for item in items]
        try:
            for reference in waiting:
                # Ray tells there of workers that it lost, and standard output is for data.
                with contextlib.redirect_stdout(sys.stderr):
                    result = ray.get(reference)
                yield result
        except RayTaskError as error:
            raise (error.cause if isinstance(error.cause, OverreadError) else error) from None
        except RayError as error:
            raise OverreadError(
                f"the cluster lost a piece of work {_RETRIES} times ({type(error).__name__}): see to its nodes' memory "
                "and logs, then run the same command with --resume"
            ) from None
        finally:
            # Of those that are done none: to cancel a task that has just ended takes the whole process down (Ray 2.60).
            _, running = ray.wait(waiting, num_returns=len(waiting), timeout=0) if waiting else ([], [])
            for reference in running:
                ray.cancel(reference)

    def _resources(self) -> dict[str, Any]:
        """What Ray is to reserve for an item, and the threads that TensorFlow may have where that is not all."""
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
        cpus = self.cpus or int(min((node["CPU"] for node in nodes), default=1))
        if not any(node["CPU"] >= cpus and node.get("GPU", 0) >= self.gpus for node in nodes):
            most = max((node["CPU"] for node in nodes), default=0)
            raise InvalidOption(
                f"no node of the cluster has {cpus} CPUs and {self.gpus:g} GPUs (the largest has {most:g} CPUs): ask "
                "for fewer"
            )
        threads = {} if self.cpus is None else {"env_vars": {"TF_NUM_INTRAOP_THREADS": str(cpus)}}
        return {"num_cpus": cpus, "num_gpus": self.gpus, "runtime_env": threads}


def _done(function: Callable[[Item], Result], item: Item) -> Result:
    return function(item)
