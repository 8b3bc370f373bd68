"""Changes of a file as a damaged disk or a stranger would make them, the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

_NUMBERS = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
)


def mutations(files: Sequence[bytes], tokens: Sequence[bytes] = (), *, seed: int = 0) -> Iterator[bytes]:
    """Give changed files without end: one to four changes of one of them each.

    Args:
        files: one or more to begin with.
        tokens: words that mean something to who reads them.
        seed: other changes for another.
    """
    rng = random.Random(seed)
    while True:
        content = bytearray(rng.choice(files))
        for _ in range(rng.randint(1, 4)):
            _change(content, files, tokens, rng)
        yield bytes(content)


def _change(content: bytearray, files: Sequence[bytes], tokens: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randint(0, len(content))
    end = min(len(content), at + rng.choice((1, 2, 4, 16, 256)))
    other = rng.choice(files)
    start = rng.randint(0, len(other))
    match rng.choice(("flip", "number", "number", "token", "cut", "repeat", "splice", "end")):
        case "flip" if at < len(content):
            content[at] ^= 1 << rng.randrange(8)
        case "number":
            number = rng.choice(_NUMBERS)
            content[at : at + len(number)] = number
        case "token" if tokens:
            content[at:at] = rng.choice(tokens)
        case "cut":
            del content[at:end]
        case "repeat":
            content[at:at] = content[at:end] * rng.choice((1, 2, 100))
        case "splice":
            content[at:end] = other[start : start + rng.choice((4, 64, 1024))]
        case "end":
            del content[at:]
