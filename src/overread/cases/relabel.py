"""Labels by the names that they are to have."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from overread.errors import InvalidOption, Undecided

# What programs write behind a whole number.
_WHOLE = re.compile(r"(?<=\d)\.0+$")
# What programs write where a cell is empty.
_NO_LABELS = frozenset({"nan", "n/a", "na", "null", "<na>", "#n/a", "nat", "undefined"})


def read_mapping(texts: Iterable[str]) -> dict[str, str]:
    """A mapping of labels as the command line takes it: "old=new,old2="; an item that holds a comma is quoted.

    Raises:
        InvalidOption: an item without an equals sign.
    """
    mapping = {}
    for item in (item for text in texts for item in next(csv.reader([text], skipinitialspace=True), [])):
        old, equals, new = item.rpartition("=")
        if not equals:
            raise InvalidOption(f"--map has the item {item!r}: expected old=new, or old= to leave images out")
        mapping[old.strip()] = new.strip()
    return mapping


def written_mapping(mapping: Mapping[str, str]) -> str:
    """The text that `read_mapping` reads."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow([f"{old}={new}" for old, new in mapping.items()])
    return text.getvalue()


class Relabel:
    """Gives labels other names, and remembers which it has met.

    Args:
        mapping: labels to their new names; "" for those whose images are left out. Where a label is not in it as it is
            spelled, case does not matter.
    """

    def __init__(self, mapping: Mapping[str, str]) -> None:
        self.mapping = mapping
        # A label that is mapped to itself is kept apart from its like.
        self._folded = {old.casefold(): old for old, new in mapping.items() if old != new}
        self._met: set[str] = set()

    def __call__(self, label: str) -> str:
        """The name that a label is to have."""
        key = label.strip()
        old = key if key in self.mapping else self._folded.get(key.casefold())
        if old is None:
            return label
        self._met.add(old)
        return self.mapping[old]

    def require_met(self, labels: Iterable[str]) -> None:
        """Refuse a mapping of what no image has.

        Args:
            labels: that there are then, for the error.

        Raises:
            InvalidOption: a label was not met.
        """
        if unknown := [old for old in self.mapping if old not in self._met]:
            raise InvalidOption(
                f"--map names {', '.join(map(repr, unknown))}, which no image has: expected labels among "
                f"{', '.join(sorted({*labels, *self._met} - {''}))}"
            )


def require_distinct(labels: Sequence[str], mapping: Mapping[str, str]) -> None:
    """Refuse labels that differ by case or blanks alone, or that stand for an empty cell, until the user has said so.

    Args:
        labels: of the cases.
        mapping: that was given; what it maps to itself is kept.

    Raises:
        Undecided: some do; the choices are a mapping that mends it, and one that keeps them.
    """
    counts = Counter(labels)
    alike = defaultdict(list)
    for label in sorted(counts, key=lambda label: (-counts[label], label)):
        alike[" ".join(label.split()).casefold()].append(label)
    odd = {other: first for first, *others in alike.values() for other in others}
    odd |= {label: "" for label in counts if label.strip().casefold() in _NO_LABELS}
    odd = {label: new for label, new in odd.items() if mapping.get(label) != label}
    if odd:
        said = [f"{old!r} beside {new!r}" if new else f"{old!r}, which reads as no label" for old, new in odd.items()]
        raise Undecided(
            f"the labels hold {', '.join(said)}; mend them, or keep them as they are",
            option="mapping",
            choices=(written_mapping(odd), written_mapping({old: old for old in odd})),
        )


def fitting(labels: Iterable[str], classes: Sequence[str]) -> dict[str, str]:
    """The classes that labels mean which differ from one of them by case, blanks or the `.0` of a number alone."""
    alike = defaultdict(list)
    for name in classes:
        alike[_plain(name)].append(name)
    meant = {label: alike[_plain(label)] for label in set(labels) - set(classes)}
    return {label: found[0] for label, found in sorted(meant.items()) if len(found) == 1}


def _plain(label: str) -> str:
    return _WHOLE.sub("", " ".join(label.split()).casefold())
