"""A Ray cluster: one that runs already, or one of this machine for as long as a command takes."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import sys
import tempfile
import warnings
from collections.abc import Iterator
from typing import Any

from overread.errors import InvalidOption, OverreadError
from overread.machine.extras import require_extra

_ADDRESS = re.compile(r"ray://(?P<host>auto|[^/\s:]+:\d+|\[[0-9a-fA-F:]+\]:\d+)/?")
_EXPECTED = (
    "expected ray (started on this machine for the command), ray://HEAD:10001 (a cluster that runs) or ray://auto "
    "(the cluster that this machine is a node of)"
)


def names_ray(engine: str) -> bool:
    """Whether an engine is Ray, by what a user calls it."""
    return engine == "ray" or engine.startswith("ray:")


@contextlib.contextmanager
def connected(engine: str) -> Iterator[None]:
    """Have Ray at work within the context; a Ray that this process is connected to already is taken as it is.

    A Ray that is started here listens on the network, as Ray does, and asks for a token that only this command knows.
    It ends with the context, and nothing of it stays. A cluster's own token is found as Ray finds it, such as in
    RAY_AUTH_TOKEN.

    Args:
        engine: `ray`, `ray://HOST:PORT` or `ray://auto`.

    Raises:
        InvalidOption: no cluster answers there, or its nodes have another overread, or none.
        MissingExtra: Ray is not installed.
        OverreadError: it did not start on this machine.
    """
    if not names_ray(engine) or (engine != "ray" and not _ADDRESS.fullmatch(engine)):
        raise InvalidOption(f"no engine is called {engine}: {_EXPECTED}")
    require_extra("ray", ("ray",))
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if engine == "ray" and "ray" not in sys.modules:  # which reads this when it is loaded
        os.environ["RAY_AUTH_MODE"], os.environ["RAY_AUTH_TOKEN"] = "token", secrets.token_hex(32)
    import ray

    if ray.is_initialized():
        yield
        return
    with contextlib.ExitStack() as stack:
        stack.callback(ray.shutdown)
        if engine == "ray":
            stack.enter_context(_started())
        else:
            _join(engine)
            _require_same_version()
        yield


@contextlib.contextmanager
def _started() -> Iterator[None]:
    """A Ray of this machine; its sockets and logs, in which names of files may stand, are removed after it."""
    import ray

    # The names of sockets are limited to 107 bytes, which the folder for temporary files of macOS nearly fills.
    short = "/tmp" if os.path.isdir("/tmp") else None  # noqa: PTH112
    with tempfile.TemporaryDirectory(prefix="overread-ray-", dir=short, ignore_cleanup_errors=True) as folder:
        try:
            _start(folder)
            yield
        finally:
            ray.shutdown()


def _start(folder: str) -> None:
    """Start Ray, and once more where its node did not come up within Ray's 30 s, as on a busy machine."""
    import ray

    for is_last in (False, True):
        try:
            ray.init(address="local", include_dashboard=False, _temp_dir=folder, **_quiet())
            return
        except Exception as error:  # a node that does not come up in time raises no narrower one
            ray.shutdown()
            if is_last:
                raise OverreadError(
                    "Ray did not come up on this machine in time: see that its memory and processors have room and "
                    "try again, or leave --engine out"
                ) from error


def _join(engine: str) -> None:
    import ray

    address = "auto" if engine == "ray://auto" else engine
    try:
        with warnings.catch_warnings(action="ignore"):  # of what the error below says
            ray.init(address=address, **_quiet())
    except (ConnectionError, OSError, RuntimeError, ValueError, TimeoutError) as error:
        raise InvalidOption(
            f"no Ray cluster answers at {engine} ({type(error).__name__}): see that it runs there (ray start --head), "
            "that its port can be reached, that its Python and Ray are as here, and that RAY_AUTH_TOKEN is its token"
        ) from None


def _quiet() -> dict[str, Any]:
    return {"log_to_driver": False, "logging_level": logging.ERROR}


def _require_same_version() -> None:
    """Refuse a cluster whose nodes would compute with another program."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = ray.remote(num_cpus=0, max_retries=0)(_version)
    for node in filter(lambda node: node["Alive"], ray.nodes()):
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        try:
            found = ray.get(asked.options(scheduling_strategy=there).remote())
        except Exception:  # noqa: BLE001 - whatever it is that keeps the module from being loaded there
            found = "none that can be loaded"
        if found != _version():
            raise InvalidOption(
                f"a node of the cluster has another overread ({found}; here {_version()}): install the same on all"
            )


def _version() -> str:
    from importlib.metadata import version

    return version("overread")
