"""What is to be read: the images of an archive, listed once and cut into parts."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from overread.cases.exams.exam import Exam
from overread.scoring.folder import ScoringFolder
from overread.scoring.named import written


def plan_images(
    folder: ScoringFolder, images: Iterable[Path | Exam], part_images: int, tell: Callable[[int], None]
) -> int:
    """Plan the images that no part holds yet, each once, as further parts.

    Args:
        folder: in which the plan lies.
        images: of the archive, or exams, in an order that is the same each time; taken one by one.
        part_images: of each part but the last.
        tell: called with the number of images listed so far.

    Returns:
        How many images are planned, now and before.
    """
    seen, parts = _Seen(), folder.planned()
    total = sum(len(seen.unseen(folder.names(number))) for number in range(1, parts + 1))
    waiting: list[str] = []
    names = map(written, images)
    listed = 0
    while batch := list(itertools.islice(names, part_images)):
        listed += len(batch)
        waiting += seen.unseen(batch)
        if len(waiting) >= part_images:
            parts += 1
            folder.write_names(parts, waiting[:part_images])
            total, waiting = total + part_images, waiting[part_images:]
        tell(listed)
    if waiting:
        folder.write_names(parts + 1, waiting)
    return total + len(waiting)


class _Seen:
    """Names that came before, each by sixteen bytes of its hash: 1.6 GB for 100 million."""

    def __init__(self) -> None:
        self._sorted: list[np.ndarray] = []

    def unseen(self, names: list[str]) -> list[str]:
        """Those that come for the first time, in order."""
        by_hash = {_hash_of(name): name for name in names}
        hashes = np.array([*by_hash], dtype="S16")
        known = np.zeros(len(hashes), dtype=bool)
        for run in self._sorted:
            at = np.minimum(np.searchsorted(run, hashes), len(run) - 1)
            known |= run[at] == hashes
        found = [name for name, is_known in zip(by_hash.values(), known, strict=True) if not is_known]
        if found:
            self._add(np.sort(hashes[~known]))
        return found

    def _add(self, run: np.ndarray) -> None:
        # Runs of doubling length: few to search, and each hash is sorted anew a few times only.
        while self._sorted and len(self._sorted[-1]) <= 2 * len(run):
            run = np.sort(np.concatenate([self._sorted.pop(), run]), kind="stable")
        self._sorted.append(run)


def _hash_of(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
