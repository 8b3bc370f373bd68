"""Copies joined and sides carved, by every verb alike, so that what is audited is what is trained on."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

from overread.cases import Manifest, Split
from overread.errors import UnreadableImages
from overread.formats import Header, read_headers
from overread.images import DataSet
from overread.images.copies import join_copies
from overread.recipe import Recipe
from overread.study.data import split_as
from overread.words import count


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Decoded:
    """The cases of a study with what was decoded of them; `Decoded.of` makes it.

    Args:
        manifest: every case, each with the group of copies that it belongs to.
        data_set: the readable ones, with the pixels that a network is trained on.
        looked_at: the readable ones, with the pixels that copies are looked for in and that an audit looks at.
        headers: gives the header of every case, read once.
    """

    manifest: Manifest
    data_set: DataSet
    looked_at: DataSet
    headers: Callable[[], tuple[Header, ...]]

    @classmethod
    def of(
        cls, manifest: Manifest, looked_at: DataSet, data_set: DataSet | None = None, *, joins_copies: bool = True
    ) -> Decoded:
        """Look for copies.

        Args:
            manifest: every case, in the order in which the data sets were opened.
            looked_at: the readable ones, as `REFERENCE` prepares them.
            data_set: the readable ones, as a network is trained on them; by default the same.
            joins_copies: False for a study that began when copies were not looked for before the split.
        """
        headers = functools.cache(functools.partial(_headers_of, manifest, looked_at))
        if joins_copies:
            manifest = join_copies(manifest, looked_at, headers)
        data_set = _readable(manifest, data_set or looked_at)
        return cls(manifest=manifest, data_set=data_set, looked_at=_readable(manifest, looked_at), headers=headers)

    @property
    def groups(self) -> int:
        """How many groups of copies there are."""
        return len({case.group for case in self.manifest.cases if case.group})

    def split(self, recipe: Recipe, folds: int = 1) -> tuple[Split, Decoded]:
        """Split the readable cases as a recipe asks, into folds if wanted; also the same study with these sides.

        What cannot be read has the side of its patient, else train: it must look neither like a leak nor like a split
        left incomplete.

        Raises:
            InvalidData: no such split can be made.
        """
        split = split_as(self.data_set.manifest, recipe, folds)
        sided = dict(zip(self.data_set.rows.tolist(), split.manifest.cases, strict=True))
        side_of = {case.patient_id: case.split for case in sided.values() if case.patient_id}
        every = self.manifest.replace(
            sided.get(i) or dataclasses.replace(case, split=case.split or side_of.get(case.patient_id, "train"))
            for i, case in enumerate(self.manifest.cases)
        )
        every = dataclasses.replace(every, carved=split.manifest.carved)
        own, looked_at = (_readable(every, each) for each in (self.data_set, self.looked_at))
        return split, dataclasses.replace(self, manifest=every, data_set=own, looked_at=looked_at)


def _headers_of(manifest: Manifest, data_set: DataSet) -> tuple[Header, ...]:
    """The header of every case; what is found in them is remembered by the content that was decoded.

    Raises:
        UnreadableImages: files are gone since they were decoded.
    """
    headers = read_headers(manifest.paths)
    gone = {manifest.cases[row].full_name: "is gone" for row in data_set.rows if not headers[row].size_bytes}
    if gone:
        raise UnreadableImages(
            f"{count(len(gone), 'file')}, such as {next(iter(gone))}, went while this command ran: bring them back and "
            "run the same command again, or go on without them with --skip-unreadable",
            gone,
        )
    return headers


def _readable(manifest: Manifest, data_set: DataSet) -> DataSet:
    return data_set.with_split(manifest.replace(manifest.cases[row] for row in data_set.rows))
