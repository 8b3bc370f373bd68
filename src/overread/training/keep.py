"""A training whose state another machine can go on from."""

from __future__ import annotations

from collections.abc import Callable

from overread.networks.backend import keras


class KeepEachEpoch(keras.callbacks.Callback):
    """Calls `keep` as soon as the state of an epoch is whole, which is when the next begins."""

    def __init__(self, keep: Callable[[], None]) -> None:
        super().__init__()
        self._keep = keep

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch:
            self._keep()
