"""One way to understand what the rows of a table show."""

from __future__ import annotations

import dataclasses
from collections import Counter

from overread.cases.labelling.roles import column_named, plain


@dataclasses.dataclass(frozen=True, kw_only=True)
class Labels:
    """One way to understand what the rows of a table show.

    Args:
        name: of the column, or of the first and the last of several, as `MEL..UNK`.
        columns: that are read.
        shown: what each row shows; None where its cells are empty or say that nobody is sure.
        exclusive: each row shows one of them, so that they are classes; else they are findings, of any number.
        is_sure: names or cells say that this is the label; else it may be something else that is known of the image.
        uncertain: the findings of each row of which its cells say that nobody is sure.
        names: of the findings that have a column each; none where a cell lists what it shows.
        blank: the findings of each row whose cells are empty, where findings have columns.
    """

    name: str
    columns: tuple[str, ...]
    shown: tuple[frozenset[str] | None, ...]
    exclusive: bool
    is_sure: bool
    uncertain: tuple[frozenset[str], ...]
    names: tuple[str, ...] = ()
    blank: tuple[frozenset[str], ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """In how many rows each class or finding stands."""
        return Counter(name for row in self.shown if row for name in sorted(row))

    @property
    def every_name(self) -> tuple[str, ...]:
        """All findings, sorted, whether a row shows them or not."""
        return tuple(sorted({*self.names, *self.counts, *(name for row in self.uncertain for name in row)}))

    @property
    def called(self) -> str:
        """How a user knows the columns."""
        return column_named(self.name) if len(self.columns) == 1 else f"columns {self.name}"

    def finding_called(self, finding: str) -> str | None:
        """The finding by its name in any case; None where there is none."""
        alike = [name for name in self.counts if plain(name) == plain(finding)]
        return finding if finding in alike else next(iter(alike), None)

    def says_the_same_as(self, other: Labels) -> bool:
        """True where both tell the same rows apart."""
        if not (self.exclusive and other.exclusive):
            return False
        pairs = {pair for pair in zip(self.shown, other.shown, strict=True) if None not in pair}
        return len(pairs) == len({one for one, _ in pairs}) == len({another for _, another in pairs}) > 1
