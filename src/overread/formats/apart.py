"""Files whose decoders may crash, hang or swallow memory: decoded in processes of their own, within limits.

Of an image for which the process ends, or is ended, the same is said wherever it is read.
"""

from __future__ import annotations

import atexit
import functools
import importlib
import os
import pickle
from collections.abc import Callable
from typing import Any, TypeVar

from overread.errors import InvalidOption, OverreadError, UnreadableImage
from overread.machine.apart import Processes, WorkEnded, is_apart

# For one image. The service has settings of its own for both.
DECODING_S = 20.0
DECODING_MEMORY_BYTES = 4 * 2**30

Result = TypeVar("Result")


class DecodeApart(Exception):
    """Raised by `decode_apart`, for `open_picture` to have the file decoded elsewhere."""


class DecoderFailed(UnreadableImage, ValueError):
    """A decoder gave neither pixels nor an error of its own.

    Args:
        code: `crashed`, `timed-out`, `out-of-memory`, or `interrupted` for what is no fault of the file.
        reason: in words, with what to do.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def decode_apart() -> None:
    """Have a file decoded in a process of its own: for a format's `decode` to call before it calls what may crash.

    Nothing happens where that is so already. Sending pixels back costs 2 ms a megabyte, a process 0.3 s once
    (November 2026).

    Raises:
        DecodeApart: to be let through.
    """
    if not is_apart():
        raise DecodeApart


def require_portable(what: Any, name: str) -> None:
    """Refuse a format that a process of its own could not be told of.

    Args:
        what: the format.
        name: of it.

    Raises:
        InvalidOption: it cannot be pickled, or was defined in the program that runs.
    """
    try:
        pickle.loads(pickle.dumps(what))
        reason = "of __main__" if type(what).__module__ == "__main__" else ""
    except Exception as error:  # noqa: BLE001 - pickling raises anything
        reason = type(error).__name__
    if reason:
        raise InvalidOption(
            f"the image format {name} cannot be sent to the processes that decode ({reason}): "
            "define its class at the top of a module of its own, with nothing in it that cannot be pickled"
        )


def run_apart(function: Callable[..., Result], *arguments: Any) -> Result:
    """`run_in` the processes of this program, which are started when the first file needs one."""
    return run_in(_processes, function, *arguments, timeout_s=DECODING_S)


def run_in(processes: Processes, function: Callable[..., Result], *arguments: Any, timeout_s: float) -> Result:
    """What a function makes of a file in one of the processes.

    Raises:
        OverreadError: as the function raised it.
        DecoderFailed: it raised anything else, or its process ended.
    """
    try:
        return processes.run(function, *arguments, timeout_s=timeout_s)
    except OverreadError:
        raise
    except MemoryError:
        raise DecoderFailed("out-of-memory", "needs more memory than an image is given: reduce it first") from None
    except WorkEnded as ended:
        code, reason = _ENDS[ended.code]
        raise DecoderFailed(code, reason.format(seconds=timeout_s)) from None
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises concerns this image alone
        raise DecoderFailed(
            "crashed", f"made its decoder fail ({type(error).__name__}): it is damaged; export it again"
        ) from None


# By the code of `WorkEnded`.
_ENDS = {
    "timed-out": ("timed-out", "took longer to decode than {seconds:g} s: export it again"),
    "crashed": ("crashed", "made its decoder crash: it is damaged; export it again"),
    "killed": ("interrupted", "was not decoded, for its process was ended, as where memory is short: try again"),
    "no-process": (
        "interrupted",
        "was not decoded, for no process could be started: see whether memory is left",
    ),
    "closed": ("interrupted", "was not decoded any more, for the program is ending: try again"),
}


def _new_processes() -> Processes:
    # What takes its time to import does so before the seconds of the first image are counted.
    load = functools.partial(importlib.import_module, __package__)
    return Processes(os.cpu_count() or 1, memory_bytes=DECODING_MEMORY_BYTES, set_up=load)


def _leave_to_parent() -> None:
    """After a fork: answers of the parent's processes are for the parent, which also ends them."""
    global _processes
    _of_parents.append(_processes)
    _processes = _new_processes()


_processes = _new_processes()
_of_parents: list[Processes] = []
atexit.register(lambda: _processes.close())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
