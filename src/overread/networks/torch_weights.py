"""Read the tensors of a legacy PyTorch checkpoint without PyTorch and without running what its pickle names.

The file is three small pickles (magic, protocol, system), the pickle of a state dictionary, the pickled list of storage
keys, and then for each storage its element count (int64) and its little-endian elements. A pickle can name any
callable; here four names are known, and each stands for a harmless one of this module.
"""

from __future__ import annotations

import collections
import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from overread.errors import InvalidData
from overread.machine.files import open_regular

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGE_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def read_torch_weights(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a legacy `.pth` state dictionary by name.

    Raises:
        InvalidData: the file is no such checkpoint, or its pickle names anything but plain float and integer tensors.
    """
    with open_regular(path) as stream:
        try:
            if _load(stream) != _MAGIC:
                raise InvalidData(f"{path.name} is no legacy PyTorch checkpoint: expected one saved before PyTorch 1.6")
            for _ in ("protocol", "system"):
                _load(stream)
            unpickler = _Unpickler(stream)
            tensors = unpickler.load()
            elements = {key: _read_storage(stream, unpickler.storages[key]) for key in _load(stream)}
        except (pickle.UnpicklingError, EOFError, KeyError, ValueError) as error:
            if isinstance(error, InvalidData):
                raise
            raise InvalidData(f"{path.name} is damaged ({type(error).__name__}): install its package again") from None
    return {name: tensor.take_from(elements) for name, tensor in tensors.items()}


def _load(stream: BinaryIO) -> Any:
    """Unpickle the next object of a stream, refusing every callable but those a state dictionary needs."""
    return _Unpickler(stream).load()


class _Tensor:
    """Where a tensor lies in its storage."""

    def __init__(self, key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.key, self.offset, self.shape, self.strides = key, offset, shape, strides

    def take_from(self, elements: dict[str, np.ndarray]) -> np.ndarray:
        values = elements[self.key]
        last = self.offset + sum((n - 1) * stride for n, stride in zip(self.shape, self.strides, strict=True))
        if min(self.offset, *self.shape, *self.strides, 0) < 0 or last >= values.size:
            raise InvalidData("the checkpoint holds a tensor that reaches beyond its storage: it is damaged")
        strides = tuple(stride * values.itemsize for stride in self.strides)
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides).copy()


def _rebuild_tensor(key: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(key, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(stream)
        self.storages: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in _STORAGE_DTYPES:
            return _STORAGE_DTYPES[name]
        raise InvalidData(f"the checkpoint names {module}.{name}, which is no tensor: it is refused")

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, _device, _size, *_ = pid
        self.storages[key] = dtype
        return str(key)


def _read_storage(stream: BinaryIO, dtype: np.dtype[Any]) -> np.ndarray:
    count = int.from_bytes(stream.read(8), "little")
    data = stream.read(count * dtype.itemsize)
    return np.frombuffer(data, dtype, count)
