"""What several requests ask for at the same moment, done in one go: rows of the log, images of the network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """Gathers what comes while it is busy; what comes to an idle one is done at once, and nothing waits for company.

    It belongs to one event loop.

    Args:
        work: gives an answer to each of the items, in their order; an answer that is an exception is raised to the one
            who asked, and what `work` itself raises to all of the go.
        executor: whose threads do it.
        goes: how many of them at the same time.
        most: items in one go.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Answer | Exception]],
        executor: Executor,
        *,
        goes: int,
        most: int,
    ) -> None:
        self._work, self._executor, self._free, self._most = work, executor, goes, most
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._going: set[asyncio.Task[None]] = set()

    async def ask(self, item: Item) -> Answer:
        """The answer to one item; where the one who asks is cancelled before its turn, it is not done."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, answer))
        self._start()
        return await answer

    def _start(self) -> None:
        while self._free and self._waiting:
            waiting = [(item, answer) for item, answer in self._waiting if not answer.done()]
            taken, self._waiting = waiting[: self._most], waiting[self._most :]
            if taken:
                self._free -= 1
                task = asyncio.get_running_loop().create_task(self._go(taken))
                self._going.add(task)
                task.add_done_callback(self._going.discard)

    async def _go(self, taken: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        items = [item for item, _ in taken]
        found: Sequence[Answer | Exception]
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._executor, self._work, items)
        except Exception as error:  # noqa: BLE001 - it is raised to those who asked
            found = [error] * len(items)
        finally:
            self._free += 1
            self._start()
        for (_, answer), one in zip(taken, found, strict=True):
            with contextlib.suppress(asyncio.InvalidStateError):  # cancelled meanwhile
                answer.set_exception(one) if isinstance(one, Exception) else answer.set_result(one)
