"""The hosts that train one network together, with the JAX backend of Keras; elsewhere there is one, this process."""

from __future__ import annotations

import os
import pickle
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from overread.errors import InvalidOption
from overread.networks.backend import keras
from overread.scale.hosts import AUTO, MEET_S, MISSED_S, OTHER_LOST, Hosts, end_with_starter

Value = TypeVar("Value")

# How the libraries that connect hosts tell that one of them has gone.
_GONE = re.compile(r"gloo|nccl|coordination|connection (closed|reset)|broken pipe", re.IGNORECASE)
_LOOPBACK = "127.0.0.1:"


def join(hosts: Hosts) -> None:
    """Meet the other hosts; from then on this process has to end by `leave`, in whatever way it ends.

    Raises:
        InvalidOption: the cluster has another number of hosts.
    """
    import jax

    end_with_starter()
    _silence_libraries()
    is_told = hosts.coordinator != AUTO
    is_local = str(hosts.coordinator).startswith(_LOOPBACK)
    jax.distributed.initialize(
        hosts.coordinator if is_told else None,
        hosts.count if is_told else None,
        hosts.number,
        cluster_detection_method="deactivate" if is_told else None,
        initialization_timeout=MEET_S,
        heartbeat_timeout_seconds=MISSED_S,
        shutdown_timeout_seconds=MISSED_S,
        # By default JAX listens on all addresses.
        coordinator_bind_address=hosts.coordinator if is_local else None,
    )
    if jax.process_count() != hosts.count:
        raise InvalidOption(
            f"--hosts {hosts.count}: the cluster has started {jax.process_count()}; give that number, or start as many"
        )
    share(lambda: None)  # connects all while all are here


def leave(status: int | None = None) -> None:
    """Part from the other hosts, who are done too; with a status, end this process, whatever the others do."""
    import jax

    if status is None:
        jax.distributed.shutdown()
        return
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # JAX would wait for the others on its way out, and then abort.
    os._exit(status)


def which_host() -> tuple[int, int]:
    """The number of this host, from 0, and how many there are."""
    if keras.backend.backend() != "jax":
        return 0, 1
    import jax

    return jax.process_index(), jax.process_count()


def is_first() -> bool:
    """Whether this host decides, writes and speaks."""
    return which_host()[0] == 0


def on_what() -> str:
    """The backend of Keras, and on how many hosts it computes."""
    count = which_host()[1]
    return keras.backend.backend() + (f" on {count} hosts" if count > 1 else "")


def share(make: Callable[[], Value]) -> Value:
    """What a function gives on the first host, on all hosts, which must all be here; no other host calls it."""
    number, count = which_host()
    if count == 1:
        return make()
    from jax.experimental import multihost_utils

    content = np.frombuffer(pickle.dumps(make()) if number == 0 else b"", np.uint8)
    length = int(multihost_utils.broadcast_one_to_all(np.int32(len(content))))
    sent = content if number == 0 else np.zeros(length, np.uint8)
    shared: Value = pickle.loads(np.asarray(multihost_utils.broadcast_one_to_all(sent)).tobytes())
    return shared


def require_same(value: str, what: str) -> None:
    """Refuse to train with hosts that differ in something.

    Raises:
        InvalidOption: this host has another value than the first.
    """
    if share(lambda: value) != value:
        raise InvalidOption(f"host {which_host()[0]} has other {what} than host 0: give all hosts the same")


@contextmanager
def ended_by_loss() -> Iterator[None]:
    """End this process with `OTHER_LOST` where another host is lost."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        if which_host()[1] > 1 and _GONE.search(str(error)):
            leave(OTHER_LOST)
        raise


@contextmanager
def dealt_to_devices(batch_size: int) -> Iterator[bool]:
    """Deal the batches of a network that is built within the context to all devices of all hosts, in equal parts.

    Each step is computed as of the whole batch: its gradient, the statistics of its normalisation, its random numbers.

    Args:
        batch_size: of a batch before it is dealt.

    Yields:
        Whether there are several devices.

    Raises:
        InvalidOption: a batch has no equal parts for them.
    """
    devices = keras.distribution.list_devices() if keras.backend.backend() == "jax" else []
    if len(devices) < 2:
        yield False
        return
    if rest := batch_size % len(devices):
        fits = f"--batch-size {batch_size - rest + len(devices)}"
        raise InvalidOption(
            f"batches of {batch_size} images can't be dealt evenly to {len(devices)} devices: take {fits}, or another "
            "multiple"
        )
    with keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False).scope():
        yield True


def _silence_libraries() -> None:
    """Drop what compiled libraries print of hosts that come and go; `run_on_hosts` says it in one sentence."""
    sys.stdout = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors=sys.stdout.errors)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # Python's own standard error has left its place in `hide_notices`
        os.dup2(nowhere, stream)
    os.close(nowhere)
