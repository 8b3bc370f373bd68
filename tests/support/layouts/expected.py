"""What a stranger may expect of the program on a layout, and how they would ask for it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overread.cases import Source


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expected:
    """The right reading of a layout; patterns are regular expressions without regard to case.

    Args:
        classes: images of each class, the negative one first; empty where the layout cannot be trained on.
        exact_names: the program has to call the classes so; else their sizes alone count.
        positive: the positive class of two, where there is a right one.
        sides: images on each side that the data name; empty where they name none, None where it does not matter.
        patients: how many the data name, once `options` are given; None where it does not matter.
        says: each is found in what is said while reading.
        options: what the user may be asked for: if the first try is not right, its refusal or its notes name some of
            them, and the second try with these is right.
        asks: the first try is refused, since two readings are possible.
        refused: each is found in the refusal of a layout that cannot be trained on; with classes, of one that need not.
        audit_blocks: the audit forbids training on it; None where it is not asked.
        data: what is given of the folder.
    """

    classes: Mapping[str, int] = dataclasses.field(default_factory=dict)
    exact_names: bool = True
    positive: str | None = None
    sides: Mapping[str, int] | None = dataclasses.field(default_factory=dict)
    patients: int | None = None
    says: tuple[str, ...] = ()
    options: Mapping[str, str] = dataclasses.field(default_factory=dict)
    asks: bool = False
    refused: tuple[str, ...] = ()
    audit_blocks: bool | None = None
    data: str = "."

    def named_in(self, text: str) -> dict[str, str]:
        """Those of the options that a text names."""
        return {option: value for option, value in self.options.items() if re.search(rf"{option}\b", text)}

    def source(self, folder: Path, options: Mapping[str, str] | None = None) -> Source:
        """Where the cases are read from, as `study` takes it."""
        given: dict[str, Any] = {}
        for option, value in (options or {}).items():
            name = option.removeprefix("--").replace("-", "_")
            if name == "map":
                given["mapping"] = dict(pair.split("=", 1) for pair in value.split(","))
            elif name == "labels":
                given["labels"] = (str(folder / value),)
            elif name == "images":
                given["images"] = str(folder / value)
            else:
                given[name] = value or True
        return Source(data=str(folder / self.data), **given)

    def arguments(self, folder: Path, options: Mapping[str, str] | None = None) -> list[str]:
        """The same on the command line."""
        words = [str(folder / self.data)]
        for option, value in (options or {}).items():
            given = str(folder / value) if option in ("--labels", "--images") else value
            words += [option, given] if given else [option]
        return words
