"""Untrusted files to pixels, in processes of their own that can be ended.

A decoder that crashes, hangs or swallows memory takes its process with it and nothing else: that image is a failure.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from overread.errors import OverreadError
from overread.formats import REGISTERED, Format, open_picture, register_format
from overread.formats.apart import DecoderFailed, require_portable, run_in
from overread.formats.picture import MAX_PIXELS
from overread.images import Preprocessing, prepare_picture
from overread.machine.apart import Processes
from overread.service.room.rendition import Rendition, render
from overread.service.room.zips import Limits, unpack
from overread.service.settings import Settings


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """An image as the network sees it, a rendition to show, and how long both took."""

    pixels: np.ndarray
    rendition: Rendition | None
    seconds: float


class Undecodable(Exception):
    """An image gave no pixels.

    Args:
        code: `unreadable`, `timed-out`, `crashed`, `out-of-memory` or `interrupted`.
        reason: in words, with what to do.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class DecodingPool:
    """Processes that decode one image at a time, within limits of time and memory.

    Raises:
        InvalidOption: a format that a user registered cannot be sent to a process.
    """

    def __init__(self, settings: Settings) -> None:
        for name, one in REGISTERED.items():
            require_portable(one, name)
        know = functools.partial(_know, tuple(REGISTERED.values()))
        self._settings = settings
        self._processes = Processes(settings.workers, memory_bytes=settings.memory_bytes, set_up=know)
        # A thread for each process waits for it, within the deadlines of `Processes`; images wait for a thread.
        self._threads = ThreadPoolExecutor(settings.workers, thread_name_prefix="decoding")

    async def decode(self, content: bytes, name: str, preprocessing: Preprocessing, *, to_show: bool) -> Decoded:
        """Decode one file.

        Args:
            content: of the file.
            name: as uploaded, which tells a DICOM file without preamble.
            preprocessing: of the bundle that will read it.
            to_show: whether a rendition for people is wanted.

        Raises:
            Undecodable: it gives no pixels, or its process ended.
        """
        return await self.run(_decode, content, name, preprocessing, to_show, self._settings.max_pixels)

    async def unpack(self, content: bytes, limits: Limits) -> list[tuple[str, bytes]]:
        """The files within a zip; as `zips.unpack`.

        Raises:
            Undecodable: it cannot be files_in_zip within the limits.
        """
        return await self.run(unpack, content, limits)

    async def answers(self) -> bool:
        """Whether the pool works: a process answers within 5 s, though images may be waiting."""
        try:
            async with asyncio.timeout(5):
                return await self.run(_ping)
        except (TimeoutError, RuntimeError, Undecodable):
            return False

    def close(self) -> None:
        """End the processes, and with them what they are at."""
        self._processes.close()
        self._threads.shutdown(cancel_futures=True)

    async def run(self, function: Any, *arguments: Any, timeout_s: float | None = None) -> Any:
        """What a function gives in one of the processes, which is ended when it takes too long or too much memory.

        Raises:
            Undecodable: it raised, or its process ended.
        """
        ask = functools.partial(self.wait_for, function, *arguments, timeout_s=timeout_s)
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    def wait_for(self, function: Any, *arguments: Any, timeout_s: float | None = None) -> Any:
        """`run`, for a thread that has to wait for it."""
        timeout_s = timeout_s or self._settings.timeout_s
        try:
            return run_in(self._processes, function, *arguments, timeout_s=timeout_s)
        except DecoderFailed as error:
            raise Undecodable(error.code, str(error)) from None
        except OverreadError as error:
            raise Undecodable("unreadable", str(error)) from None


def _know(formats: tuple[Format, ...]) -> None:
    """Have a process know the formats that the server knows."""
    for one in formats:
        register_format(one)


def _decode(content: bytes, name: str, preprocessing: Preprocessing, to_show: bool, max_pixels: int) -> Decoded:
    start = time.perf_counter()
    with open_picture(content, name, max_pixels=min(max_pixels, MAX_PIXELS)) as picture:
        pixels = prepare_picture(picture, preprocessing)
        rendition = render(picture) if to_show else None
    return Decoded(pixels=pixels, rendition=rendition, seconds=time.perf_counter() - start)


def _ping() -> bool:
    return True
