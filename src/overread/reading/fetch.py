"""Images on their way from a remote store, several at once, while others are read."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from overread.errors import OverreadError
from overread.formats.source import content_of
from overread.machine.remote import FETCHERS, is_remote, place, public_name
from overread.machine.workers import in_order


@dataclasses.dataclass(frozen=True)
class Fetched:
    """An image by its name: where it lies on this machine, or what came from a store in the end."""

    name: str
    found: Path | bytes | OverreadError

    def content(self) -> Path | bytes:
        """What to read.

        Raises:
            OverreadError: it could not be fetched.
        """
        if isinstance(self.found, OverreadError):
            raise self.found
        return self.found


def fetched(sources: Iterable[str | Path]) -> Iterator[Fetched]:
    """Fetch remote files ahead of their turn, so many and no more; those of this machine are left where they are."""
    for remote, group in itertools.groupby(sources, is_remote):
        if remote:
            yield from in_order(_fetch, group, FETCHERS)
        else:
            yield from (Fetched(str(source), place(source)) for source in group)


def _fetch(source: str | Path) -> Fetched:
    name = public_name(source)
    try:
        return Fetched(name, content_of(source))
    except OverreadError as error:
        return Fetched(name, error)
