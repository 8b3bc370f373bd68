"""Work as tasks of Ray, which places them, and runs them anew where a worker or a node is lost."""

from __future__ import annotations

import dataclasses
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
        cpus: that each item has for itself.
        gpus: likewise; a fraction where several share one.
    """

    cpus: float = 1
    gpus: float = 0

    def __post_init__(self) -> None:
        if self.cpus <= 0 or self.gpus < 0:
            raise InvalidOption(f"cpus={self.cpus}, gpus={self.gpus}: give a number above 0 of CPUs and 0 or more GPUs")

    def map(self, function: Callable[[Item], Result], items: Iterable[Item], /) -> Iterator[Result]:
        """The result of each item, in the order of the items; an error of the function is raised as it is.

        All items begin as soon as there is room. The first error ends those that still run.

        Raises:
            InvalidOption: no node has as many CPUs or GPUs as an item asks for.
            OverreadError: an item was lost again and again, or took more memory than its node has.
        """
        import ray
        from ray.exceptions import RayError, RayTaskError

        self._require_room()
        task: Any = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=_RETRIES)(_done)
        waiting = [task.remote(function, item) for item in items]
        try:
            for reference in waiting:
                yield ray.get(reference)
        except RayTaskError as error:
            raise (error.cause if isinstance(error.cause, OverreadError) else error) from None
        except RayError as error:
            raise OverreadError(
                f"the cluster lost a piece of work {_RETRIES} times ({type(error).__name__}): see to its nodes' memory "
                "and logs, then run the same command with --resume"
            ) from None
        finally:
            for reference in waiting:
                ray.cancel(reference, force=True)

    def _require_room(self) -> None:
        import ray

        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(node.get("CPU", 0) >= self.cpus and node.get("GPU", 0) >= self.gpus for node in nodes):
            most = max((node.get("CPU", 0) for node in nodes), default=0)
            raise InvalidOption(
                f"no node of the cluster has {self.cpus:g} CPUs and {self.gpus:g} GPUs (the largest has {most:g} CPUs): "
                "ask for fewer"
            )


def _done(function: Callable[[Item], Result], item: Item) -> Result:
    return function(item)
