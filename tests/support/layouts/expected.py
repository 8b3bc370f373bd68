"""What a stranger may expect of the program on a layout, and how they would ask for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from overread.cases import Source


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expected:
    """The right reading of a layout; patterns are regular expressions without regard to case.

    Args:
        classes: images of each class, the negative one first; empty where the layout cannot be trained on.
        exact_names: the program has to call the classes so; else their sizes alone count.
        positive: the positive class of two, where there is a right one.
        sides: images on each side that the data name; empty where they name none.
        patients: how many the data name, once `options` are given; None where it does not matter.
        says: each is found in what is said while reading.
        options: what the user may be asked for: if the first try is refused, its message names each option, and the
            second try with them is right.
        asks: the first try is refused, since two readings are possible.
        refused: each is found in the refusal of a layout that cannot be trained on.
        audit_blocks: the audit forbids training on it; None where it is not asked.
        data: what is given of the folder.
    """

    classes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    exact_names: bool = True
    positive: str | None = None
    sides: Mapping[str, int] = dataclasses.field(default_factory=dict)
    patients: int | None = None
    says: tuple[str, ...] = ()
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    asks: bool = False
    refused: tuple[str, ...] = ()
    audit_blocks: bool | None = None
    data: str = "."

    @property
    def images(self) -> int:
        """How many are read."""
        return sum(self.classes.values())

    def source(self, folder: Path, *, with_options: bool = False) -> Source:
        """Where the cases are read from, as `study` takes it."""
        given: dict[str, object] = {}
        for option, value in (self.options if with_options else {}).items():
            name = option.removeprefix("--").replace("-", "_")
            if name == "map":
                given["mapping"] = dict(pair.split("=", 1) for pair in value.split(","))
            elif name == "labels":
                given["labels"] = tuple(str(folder / table) for table in value.split())
            elif name == "images":
                given["images"] = str(folder / value)
            else:
                given[name] = value or True
        return Source(data=str(folder / self.data), **given)  # type: ignore[arg-type]

    def arguments(self, folder: Path, *, with_options: bool = False) -> list[str]:
        """The same on the command line."""
        words = [str(folder / self.data)]
        for option, value in (self.options if with_options else {}).items():
            if option == "--labels":
                words += [word for table in value.split() for word in (option, str(folder / table))]
            elif option == "--images":
                words += [option, str(folder / value)]
            else:
                words += [option, value] if value else [option]
        return words
