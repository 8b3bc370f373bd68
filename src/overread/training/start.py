"""The weights that a training starts from: those of an earlier run, a bundle or a file, where their shapes fit."""

from __future__ import annotations

import dataclasses
import io
import tempfile
from pathlib import Path
from typing import Any

import h5py

from overread.bundle import Bundle
from overread.errors import InvalidData, InvalidOption, MissingPath
from overread.machine.files import read_regular
from overread.networks.backend import keras


@dataclasses.dataclass(frozen=True, kw_only=True)
class StartWeights:
    """What was taken from elsewhere: where from, which arrays of the network were loaded, and which stayed new.

    Arrays are named as in a Keras weights file, such as `layers/head/vars/0`.
    """

    source: str
    loaded: tuple[str, ...]
    left: tuple[str, ...]

    def __str__(self) -> str:
        told = f"{len(self.loaded)} of {len(self.loaded) + len(self.left)} weights start as in {self.source}"
        return f"{told}; as new: {', '.join(self.left)}" if self.left else told


def load_start(network: keras.Model, source: str | Path) -> StartWeights:
    """Load into a network the weights of another that stand in the same place and have the same shape.

    Args:
        network: as `build_network` makes it, not compiled.
        source: a run folder, a bundle or its zip, or a Keras `.weights.h5` file. Nothing in it is executed.

    Raises:
        MissingPath: it is not there.
        InvalidBundle: the bundle is damaged.
        InvalidData: the file is no weights file.
        InvalidOption: it holds several networks, or no weight of it fits.
    """
    loaded, left = [], []
    with tempfile.TemporaryDirectory() as folder:
        merged = Path(folder) / "merged.weights.h5"
        network.save_weights(merged)
        with _open(Path(source)) as offered, h5py.File(merged, "r+") as own:
            found = _arrays(offered)
            for name, array in _arrays(own).items():
                if name in found and found[name].shape == array.shape:
                    array[...] = found[name][...]
                    loaded.append(name)
                else:
                    left.append(name)
        if not loaded:
            raise InvalidOption(
                f"no weight of {source} has the place and the shape of one of {network.name}: start from a run of the "
                "same network, or name the network of that run with --network"
            )
        network.load_weights(merged)
    return StartWeights(source=str(source), loaded=tuple(loaded), left=tuple(left))


def _open(source: Path) -> h5py.File:
    if not source.exists():
        raise MissingPath(f"{source} is not there: expected a run folder, a bundle or a .weights.h5 file to start from")
    if source.suffix == ".h5":
        content = _content(source)
    else:
        bundle = Bundle.load(source)
        if len(bundle.members) > 1:
            raise InvalidOption(
                f"{source} holds {len(bundle.members)} networks: start from one of them, a network.weights.h5 below "
                "networks/ in its run, or the run folder of one fold of a cross-validation"
            )
        content = bundle.read_file(bundle.members[0].weights)
    try:
        return h5py.File(io.BytesIO(content), "r")
    except OSError:
        raise InvalidData(f"{source.name} is no HDF5 file: expected weights that Keras saved as .weights.h5") from None


def _content(source: Path) -> bytes:
    try:
        return read_regular(source)
    except OSError as error:
        raise InvalidData(
            f"{source} cannot be read ({error.strerror}): expected weights that Keras saved as .weights.h5"
        ) from None


def _arrays(file: h5py.File) -> dict[str, Any]:
    """The weights of layers by name; links out of the file are not followed, and states of generators no weights."""
    found: dict[str, Any] = {}

    def visit(name: str, item: Any) -> None:
        is_own = isinstance(item, h5py.Dataset) and not item.external and not item.is_virtual
        if is_own and name.startswith("layers/") and item.dtype.kind == "f" and "/seed_generator/" not in name:
            found[name] = item

    file.visititems(visit)
    return found
