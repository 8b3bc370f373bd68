"""Untrusted files to pixels, in processes of their own that can be ended.

A decoder that crashes, hangs or swallows memory takes its process with it and nothing else: that image is a failure.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import multiprocessing
import pickle
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import numpy as np
from pebble import ProcessExpired, ProcessPool

from overread.errors import InvalidOption, OverreadError
from overread.formats import REGISTERED, Format, open_picture, register_format
from overread.formats.picture import MAX_PIXELS
from overread.images import Preprocessing, prepare_picture
from overread.service.room.rendition import Rendition, render
from overread.service.room.zips import Limits, unpack
from overread.service.settings import Settings

# After which a process is replaced, so that what a decoder leaks does not add up.
_TASKS = 500
_log = logging.getLogger("overread.service")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """An image as the network sees it, a rendition to show, and how long both took."""

    pixels: np.ndarray
    rendition: Rendition | None
    seconds: float


class Undecodable(Exception):
    """An image gave no pixels.

    Args:
        code: `unreadable`, `timed-out`, `crashed` or `out-of-memory`.
        reason: in words, with what to do.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class DecodingPool:
    """Processes that decode one image at a time, within limits of time and memory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool = _start(settings)

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
            Undecodable: it cannot be unpacked within the limits.
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
        """End the processes once they have finished what waits."""
        self._pool.close()
        self._pool.join()

    async def run(self, function: Any, *arguments: Any) -> Any:
        """What a function gives in one of the processes, which is ended when it takes too long or too much memory.

        Raises:
            Undecodable: it raised, or its process ended.
        """
        for _ in range(2):
            # Again, for the first time it may have been another's fault.
            with contextlib.suppress(BrokenProcessPool):
                return await self._run_once(function, *arguments)
        raise Undecodable("crashed", "made its decoder crash: it is damaged; export it again")

    async def _run_once(self, function: Any, *arguments: Any) -> Any:
        if not self._pool.active:
            # pebble gives up as a whole when a process that has nothing to do is ended from outside.
            _log.warning("the decoding processes are started anew")
            broken, self._pool = self._pool, _start(self._settings)
            asyncio.get_running_loop().run_in_executor(None, broken.join)
        future = self._pool.schedule(function, args=arguments, timeout=self._settings.timeout_s)
        try:
            return await asyncio.wrap_future(future)
        except BrokenProcessPool:
            raise
        except OverreadError as error:
            raise Undecodable("unreadable", str(error)) from None
        except MemoryError:
            raise Undecodable("out-of-memory", "needs more memory than this service gives an image") from None
        except TimeoutError:
            seconds = self._settings.timeout_s
            raise Undecodable("timed-out", f"took longer to decode than {seconds:g} s: export it again") from None
        except ProcessExpired:
            raise Undecodable("crashed", "made its decoder crash: it is damaged; export it again") from None
        except Exception as error:  # noqa: BLE001 - whatever a decoder raises concerns this image alone
            _log.error("decoding failed: %s", type(error).__name__)
            raise Undecodable("crashed", f"made its decoder fail ({type(error).__name__}): export it again") from None


def _start(settings: Settings) -> ProcessPool:
    methods = multiprocessing.get_all_start_methods()
    # Not fork: a process forked beside threads of ONNX Runtime may wait for a lock that nobody will release.
    context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        context.set_forkserver_preload([__name__])
    arguments = (settings.memory_bytes, _portable_formats())
    return ProcessPool(settings.workers, max_tasks=_TASKS, initializer=_set_up, initargs=arguments, context=context)


def _portable_formats() -> tuple[Format, ...]:
    """The formats that a user registered, which the processes are to know too.

    Raises:
        InvalidOption: one cannot be sent to a process.
    """
    for one in REGISTERED.values():
        try:
            pickle.loads(pickle.dumps(one))
        except Exception as error:
            raise InvalidOption(
                f"the image format {one.name} cannot be sent to the processes that decode ({type(error).__name__}): "
                "define its class at the top of a module of its own, with nothing in it that cannot be pickled"
            ) from error
    return tuple(REGISTERED.values())


def _set_up(memory_bytes: int, formats: tuple[Format, ...]) -> None:
    """Limit this process, and have it know the formats that the server knows."""
    for one in formats:
        register_format(one)
    # Python would handle it between two steps of its own only, which a decoder in C may never come to.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        import resource
    except ImportError:  # Windows has no such limits.
        return
    # macOS refuses: there the time-out is what ends a decoder that swallows memory.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # A core dump would hold the image.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _decode(content: bytes, name: str, preprocessing: Preprocessing, to_show: bool, max_pixels: int) -> Decoded:
    start = time.perf_counter()
    with open_picture(content, name, max_pixels=min(max_pixels, MAX_PIXELS)) as picture:
        pixels = prepare_picture(picture, preprocessing)
        rendition = render(picture) if to_show else None
    return Decoded(pixels=pixels, rendition=rendition, seconds=time.perf_counter() - start)


def _ping() -> bool:
    return True
