"""A training whose state another machine can go on from."""

from __future__ import annotations

from collections.abc import Callable

from overread.networks.backend import keras


class KeepEachEpoch(keras.callbacks.Callback):
    """Calls `keep` as soon as a state is whole, beside the steps that follow."""

    def __init__(self, keep: Callable[[], None]) -> None:
        super().__init__()
        self._keep = keep

    def on_state_saved(self) -> None:
        """Keep what the folder holds now; `SaveState` calls this in its thread."""
        self._keep()
