"""What the audit looks at: every case, its file's header and, where it can be read, its pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from overread.cases import Manifest
from overread.formats import Header
from overread.images import DataSet

_CHUNK = 512
Found = TypeVar("Found")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """A study to be audited.

    Args:
        manifest: every case, readable or not; its sides are those that the data name or that training would use.
        headers: of each case.
        data_set: the readable cases with their pixels, as `images.REFERENCE` prepares them, whatever a network is
            trained on.
        failures: position in the manifest to the reason for each case that gave no pixels.
    """

    manifest: Manifest
    headers: tuple[Header, ...]
    data_set: DataSet
    failures: Mapping[int, str]
    _known: dict[Callable[[Material], Any], Any] = dataclasses.field(default_factory=dict, init=False, repr=False)

    def once(self, work_out: Callable[[Material], Found]) -> Found:
        """What a function makes of this material, for rules that share it: it is worked out once."""
        if work_out not in self._known:
            self._known[work_out] = work_out(self)
        found: Found = self._known[work_out]
        return found

    @property
    def has_exams(self) -> bool:
        """Whether any case is an exam, of several files or frames."""
        return any(case.instances for case in self.manifest.cases)

    @property
    def is_of_exams(self) -> bool:
        """Whether the cases are exams; of some exams among images it is said as of images."""
        return all(case.instances for case in self.manifest.cases)

    @property
    def readable(self) -> np.ndarray:
        """`(m,)` the position in the manifest of each case of the data set."""
        return self.data_set.rows

    def pixels(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Piece by piece `(k,)` positions in the manifest and `(k, height, width, channels)` uint8."""
        for start in range(0, len(self.readable), _CHUNK):
            chosen = range(start, min(start + _CHUNK, len(self.readable)))
            yield self.readable[list(chosen)], self.data_set.pixels(chosen)
