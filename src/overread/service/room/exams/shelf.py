"""Exams that are looked at: kept for a while, so that each of their frames can be asked for."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from overread.reading import Reader, Reading
from overread.service.room.exams.apart import ExamApart
from overread.service.room.exams.slide_apart import SlideTold
from overread.service.room.exams.trays import Trays

Key = tuple[str, int]


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """An exam that was read, and can be looked at.

    Args:
        reading: of it.
        exam: open, in other processes.
        reader: that read it.
        folder: of its files.
        slide: what is needed to look at it, where it is one.
        size_bytes: of its files.
    """

    reading: Reading
    exam: ExamApart
    reader: Reader
    folder: Path
    size_bytes: int
    slide: SlideTold | None = None


class Shelf:
    """Keeps exams by reading and place in it, until nobody has looked at them for so long, or others need the room.

    Args:
        trays: whose folders they lie in.
        keep_s: since an exam was looked at.
        most_bytes: of all files; the exam that was not looked at for longest goes first.
        clock: gives seconds that never go back.
    """

    def __init__(
        self, trays: Trays, *, keep_s: float, most_bytes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._trays, self._keep_s, self._most_bytes, self._clock = trays, keep_s, most_bytes, clock
        self._kept: OrderedDict[Key, tuple[Kept, float]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, key: Key, kept: Kept) -> None:
        """Keep one, which the others may have to make room for."""
        self._trays.keep(kept.folder)
        self._kept[key] = kept, self._clock()
        while len(self._kept) > 1 and sum(one.size_bytes for one, _ in self._kept.values()) > self._most_bytes:
            self.remove(next(iter(self._kept)))
        self._wait()

    def get(self, key: Key) -> Kept | None:
        """One that is looked at; None where it is there no more."""
        self._clear_old()
        if key not in self._kept:
            return None
        kept, _ = self._kept[key]
        self._kept[key] = kept, self._clock()
        self._kept.move_to_end(key)
        return kept

    def remove(self, key: Key) -> bool:
        """Remove one and its files, if it is there."""
        found = self._kept.pop(key, None)
        if found is not None:
            self._trays.remove(found[0].folder)
        return found is not None

    def close(self) -> None:
        """Remove all."""
        if self._timer is not None:
            self._timer.cancel()
        for key in list(self._kept):
            self.remove(key)

    def _clear_old(self) -> None:
        for key, (_, looked_at) in list(self._kept.items()):
            if self._clock() - looked_at < self._keep_s:
                return  # the oldest are first
            self.remove(key)

    def _wait(self) -> None:
        """Look again when the oldest is due."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._keep_s + 1, self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._clear_old()
        if self._kept:
            self._wait()
