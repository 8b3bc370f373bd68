"""Training with JAX, on this host or together with others."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import sys
from collections.abc import Iterator

import typer

from overread.errors import InvalidOption
from overread.machine.extras import require_extra
from overread.scale.hosts import Hosts, run_on_hosts


@contextlib.contextmanager
def trained_with_jax(hosts: Hosts) -> Iterator[None]:
    """Have Keras compute with JAX within the context, on these hosts.

    The body is run by one process, that of the first host. The process that a user has started waits for it, where
    there are several, and those of other hosts train what it trains.

    Raises:
        Exit: of a process that does not run the body, as it is done.
        HostLost: one of the hosts is gone.
        MissingExtra: JAX is not installed.
    """
    require_extra("jax", ("jax",))
    if "keras" in sys.modules and os.environ.get("KERAS_BACKEND") != "jax":
        raise InvalidOption("Keras is loaded already and computes with another backend: set KERAS_BACKEND=jax before")
    os.environ["KERAS_BACKEND"] = "jax"
    if hosts.are_one_process:
        yield
        return
    own = Hosts.of_this_process()
    if own is None:
        raise typer.Exit(run_on_hosts(hosts, [sys.executable, "-P", "-m", "overread", *sys.argv[1:]]))
    from overread.study.stages.network import follow
    from overread.training import crew

    crew.join(own)
    crew.require_same(_versions(), "versions of overread, Keras or JAX")
    if not crew.is_first():
        follow()
        crew.leave()
        raise typer.Exit
    yield
    crew.share(lambda: None)  # nothing more to train
    crew.leave()


def _versions() -> str:
    return " ".join(importlib.metadata.version(name) for name in ("overread", "keras", "jax"))
