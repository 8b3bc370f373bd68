"""What several requests ask for at the same moment, done in one go, as rows of the log in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Together(Generic[Item, Answer]):
    """Gathers what comes while it is busy; what comes to an idle one is done at once, and nothing waits for company.

    It belongs to one event loop.

    Args:
        work: gives an answer to each of the items, in their order. An answer that is an exception is raised to the one
            who asked, and what `work` itself raises to all who asked together.
        executor: whose threads do it.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Answer | Exception]], executor: Executor) -> None:
        self._work, self._executor = work, executor
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._busy: asyncio.Task[None] | None = None

    async def ask(self, item: Item) -> Answer:
        """The answer to one item; where the one who asks is cancelled before its turn, it is not done."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((item, answer))
        if self._busy is None:
            self._busy = loop.create_task(self._work_off())
        return await answer

    async def _work_off(self) -> None:
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, []
                await self._do([(item, answer) for item, answer in taken if not answer.done()])
        finally:
            self._busy = None

    async def _do(self, taken: Sequence[tuple[Item, asyncio.Future[Answer]]]) -> None:
        items = [item for item, _ in taken]
        found: Sequence[Answer | Exception]
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._executor, self._work, items) if items else []
        except Exception as error:  # noqa: BLE001 - it is raised to those who asked
            found = [error] * len(items)
        for (_, answer), one in zip(taken, found, strict=True):
            if answer.done():  # cancelled meanwhile
                continue
            if isinstance(one, Exception):
                answer.set_exception(one)
            else:
                answer.set_result(one)
