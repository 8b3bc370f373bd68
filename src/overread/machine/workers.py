"""Work on many images in threads, in order and with a bounded number under way."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import threadpoolctl

CHUNK = 32
# Called with what is done and of how much.
Progress = Callable[[int, int], None]

Item = TypeVar("Item")
Result = TypeVar("Result")

# A decorator: within the function numpy's linear algebra has one thread in each of ours. Its own wait for one another
# in a loop: looking for copies among 5,856 radiographs took 63 s with them, 22 s without (November 2026).
one_blas_thread = threadpoolctl.threadpool_limits.wrap(limits=1, user_api="blas")


def in_chunks(
    function: Callable[[range], list[Result]], count: int, workers: int, most: int = CHUNK
) -> Iterator[Result]:
    """Map chunks of the numbers below `count`, each a task: threads that meet for every image get in one another's way.

    Few images make small chunks, so that all threads have work until the end.
    """
    size = max(1, min(CHUNK, most, count // (8 * workers)))
    chunks = (range(start, min(start + size, count)) for start in range(0, count, size))
    for results in in_order(function, chunks, workers):
        yield from results


def in_order(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Map in threads, in order, with a bounded number of items under way."""
    with ThreadPoolExecutor(workers) as pool:
        pending: deque[Future[Result]] = deque()
        try:
            for item in items:
                pending.append(pool.submit(function, item))
                if len(pending) >= 4 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()
