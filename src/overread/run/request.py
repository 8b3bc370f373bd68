"""What a user asks of a study, kept so that it can go on by its folder alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from overread.cases import Source
from overread.machine.content.values import from_values
from overread.recipe import Recipe

_TOLD = ("accept", "skip_unreadable", "options", "folds", "time", "left_open")
# Of a source.
_PLACES = ("data", "labels", "images")


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudyRequest:
    """What a user asked of a study: enough to go on with it by its folder alone.

    Args:
        recipe: how to train.
        source: of the cases; None where they were given as a manifest, or by a version that did not keep it.
        accept: codes of audit findings that block and are accepted.
        skip_unreadable: leave unreadable images out.
        options: level, prevalence and columns of the assessment.
        time: that the run was given, such as "30m", to find the best network in; None for one recipe as it is.
        left_open: names of the options of the recipe that were not given, which a run in a given time may choose.
        folds: into how many the images outside test are dealt; 1 for one network with a validation side.
    """

    recipe: Recipe
    source: Source | None = None
    accept: tuple[str, ...] = ()
    skip_unreadable: bool = False
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    folds: int = 1
    time: str | None = None
    left_open: tuple[str, ...] = ()

    @property
    def fixed(self) -> dict[str, Any]:
        """What must be the same when the study goes on, as the user names it: not where it lies, since folders move."""
        source = {} if self.source is None else dataclasses.asdict(self.source)
        recipe = {"start": self.recipe.start, **self.recipe.to_dict()}  # which to_dict leaves out where there is none
        for name in ("epochs", "patience"):  # which follow from the images where they are not given
            if recipe[name] is None:
                del recipe[name]
        if self.time is not None:
            recipe = {name: value for name, value in recipe.items() if name not in self.left_open}
        kind = {"folds": self.folds, "time": self.time is not None}
        return {**recipe, **{name: value for name, value in source.items() if name not in _PLACES}, **kind}

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON values but for the `places`."""
        source = None if self.source is None else dataclasses.asdict(self.source)
        return {
            **vars(self),
            "recipe": self.recipe.shown(),
            "source": source and {name: value for name, value in source.items() if name not in _PLACES},
            "accept": list(self.accept),
            "left_open": list(self.left_open),
        }

    def places(self) -> dict[str, Any]:
        """The paths, as JSON values in the places from which `to_dict` leaves them out."""
        source = {} if self.source is None else {name: getattr(self.source, name) for name in _PLACES}
        start = {} if self.recipe.start is None else {"start": self.recipe.start}
        return {name: found for name, found in (("source", source), ("recipe", start)) if found}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StudyRequest:
        """What `to_dict` gave with the places, or an earlier version, which kept the recipe only.

        Where the places are not known, neither is the source.
        """
        source = values.get("source") or {}
        told = {name: values[name] for name in _TOLD if name in values}
        return from_values(
            cls,
            {
                **told,
                "recipe": Recipe.from_dict(values["recipe"]),
                "source": from_values(Source, source) if "data" in source else None,
            },
        )
