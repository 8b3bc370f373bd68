"""Grey JPEG of 12 bits, written in code: sequential, Huffman, one component (ITU-T T.81)."""

from __future__ import annotations

import struct

import numpy as np

ZIGZAG = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
]  # fmt: skip
COSINES = np.array(
    [[np.sqrt((1 if u == 0 else 2) / 8) * np.cos((2 * x + 1) * u * np.pi / 16) for x in range(8)] for u in range(8)]
)


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def encode_jpeg12(values: np.ndarray, *, step: int = 4, interval: int = 0) -> bytes:
    """Encode `(rows, columns)` of 0 to 4095 with one quantiser step for all coefficients."""
    rows, columns = values.shape
    # All codes of one table have one length, so that a symbol is its own code: 5 bits for DC, 9 for AC.
    dc = bytes([0, 0, 0, 0, 16, *[0] * 11]) + bytes(range(16))
    ac = bytes([0] * 8 + [255] + [0] * 7) + bytes(range(255))
    head = segment(0xDB, b"\0" + bytes([step] * 64))
    head += segment(0xC1, struct.pack(">BHHBBBB", 12, rows, columns, 1, 1, 0x11, 0))
    head += segment(0xC4, b"\0" + dc) + segment(0xC4, b"\x10" + ac)
    if interval:
        head += segment(0xDD, struct.pack(">H", interval))
    padded = np.pad(values.astype(float), ((0, -rows % 8), (0, -columns % 8)), mode="edge") - 2048
    blocks = padded.reshape(padded.shape[0] // 8, 8, -1, 8).swapaxes(1, 2).reshape(-1, 8, 8)
    quantised = np.rint(COSINES @ blocks @ COSINES.T / step).astype(int).reshape(-1, 64)[:, ZIGZAG]
    scan = b""
    for number, start in enumerate(range(0, len(quantised), interval or len(quantised))):
        part = quantised[start : start + (interval or len(quantised))]
        scan += (bytes([0xFF, 0xD0 + (number - 1) % 8]) if number else b"") + _entropy_coded(part)
    return b"\xff\xd8" + head + segment(0xDA, bytes([1, 1, 0, 0, 63, 0])) + scan + b"\xff\xd9"


def _entropy_coded(blocks: np.ndarray) -> bytes:
    bits, level = [], 0
    for block in blocks.tolist():
        bits.append(_coded(0, block[0] - level, 5))
        level, run = block[0], 0
        for value in block[1:]:
            if value == 0:
                run += 1
                continue
            while run > 15:
                bits.append(f"{0xF0:09b}")
                run -= 16
            bits.append(_coded(run, value, 9))
            run = 0
        if run:
            bits.append(f"{0:09b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


def _coded(run: int, value: int, length: int) -> str:
    size = abs(value).bit_length()
    extra = value if value > 0 else value + (1 << size) - 1
    return f"{run * 16 + size:0{length}b}" + (f"{extra:0{size}b}" if size else "")
