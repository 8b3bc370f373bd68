"""Whether bytes start a NIfTI file, compressed or not."""

from __future__ import annotations

import contextlib
import zlib

_GZIP = b"\x1f\x8b"
# The length of the header of each version, in either byte order, and where its magic stands.
_LENGTHS = {1: 348, 2: 540}
_ANY_WRAPPER = 32 + zlib.MAX_WBITS
_SINGLE_FILE = {1: (344, (b"n+1\0",)), 2: (4, (b"n+2\0",))}


def version_of(head: bytes) -> int:
    """1 or 2 of the start of a NIfTI file, compressed or not, whose header and voxels are one file; else 0.

    Args:
        head: the first 512 bytes, or all there are; of a compressed file these alone are unpacked.
    """
    if is_compressed(head):
        head = _unpacked(head)
    for version, (at, magics) in _SINGLE_FILE.items():
        if head[at : at + 4] in magics and _LENGTHS[version] in (_number(head, "little"), _number(head, "big")):
            return version
    return 0


def is_compressed(head: bytes) -> bool:
    """Whether bytes start a gzip file."""
    return head.startswith(_GZIP)


def _unpacked(head: bytes) -> bytes:
    """At most as many bytes as a header has: no bomb goes off in half a kilobyte that is unpacked so far."""
    with contextlib.suppress(zlib.error):
        return zlib.decompressobj(_ANY_WRAPPER).decompress(head, _LENGTHS[2])
    return b""


def _number(head: bytes, order: str) -> int:
    return int.from_bytes(head[:4], "little" if order == "little" else "big")
