"""ONNX files: the walk that decides what ONNX Runtime, which is native code and not fuzzed here, gets to see."""

from __future__ import annotations

import contextlib

from overread.bundle.onnx_file import check_onnx
from overread.errors import InvalidBundle

TOKENS = (b"\x6a", b"\x70\x01", b"location", b"*/_ORT_MEM_ADDR_/*", b"ai.onnx", b"com.microsoft", b"Loop", b"\xff" * 10)


def one_input(data: bytes) -> None:
    """Walk through it."""
    with contextlib.suppress(InvalidBundle):
        check_onnx(data)
