"""What may be trained in the time: recipes, their candidates in order, and the cases at each size and fold."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

from rich.console import Console

from overread.cases import Manifest
from overread.images import DataSet
from overread.machine.terminal import at_work
from overread.networks.registry import find_network, registered_networks
from overread.recipe import Recipe
from overread.run import StudyRequest
from overread.run.trials import Trial
from overread.study.data import tell
from overread.study.in_time.left_out import with_each_fold_left_out
from overread.study.in_time.schedule import Candidate, ladder_of


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Field:
    """All that may be trained.

    Args:
        data_set: the cases with their sides.
        request: what the user asked for, and left open.
        console: where decoding is shown.
    """

    data_set: DataSet
    request: StudyRequest
    console: Console
    _sized: dict[int, DataSet] = dataclasses.field(default_factory=dict, init=False, repr=False)

    @functools.cached_property
    def base(self) -> Recipe:
        """The recipe with what the user left open."""
        unset: dict[str, Any] = dict.fromkeys(self.request.left_open)
        return dataclasses.replace(self.request.recipe, **unset).with_network()

    @functools.cached_property
    def parts(self) -> tuple[Manifest, ...]:
        """The cases with the validation side of each fold."""
        return with_each_fold_left_out(self.data_set.manifest, self.base.seed)

    @functools.cached_property
    def ladder(self) -> tuple[Candidate, ...]:
        """The candidates in the order in which they are tried."""
        base, free = self.base, self.request.left_open
        has_head = base.pretrained and base.chosen_network.has_pretrained and base.start is None
        names = [base.chosen_network.name]
        if "network" in free and has_head:
            names += [name for name in registered_networks() if find_network(name).has_weights_here]
        images = len(self.data_set.manifest.select("train"))
        recipes = [self._of_network(name).for_images(images) for name in dict.fromkeys(names)]
        networks = [(each.chosen_network.name, each.image_size, each.epochs or 0) for each in recipes]
        return ladder_of(networks, has_head=has_head, may_grow="size" in free)

    def recipe(self, trial: Trial) -> Recipe:
        """How a trial is trained."""
        # Networks that begin alike err more alike.
        seed = (self.base.seed + trial.fold - 1) % 2**31
        images = len(self.parts[trial.fold - 1].select("train"))
        recipe = dataclasses.replace(self._of_network(trial.network), size=trial.size, seed=seed)
        return dataclasses.replace(recipe, epochs=trial.epochs or recipe.epochs).for_images(images)

    def _of_network(self, name: str) -> Recipe:
        """The recipe with a network; one of the user's own stays the function that it is."""
        return self.base if name == self.base.chosen_network.name else dataclasses.replace(self.base, network=name)

    def cases(self, size: int, fold: int = 1) -> DataSet:
        """The cases at a size, with the validation side of a fold."""
        prepared = self.data_set.store.preprocessing
        if size == prepared.height:
            self._sized[size] = self.data_set
        if size not in self._sized:
            with at_work(self.console, f"decoding images to {size} px"):
                opened = DataSet.open(
                    self.data_set.manifest,
                    dataclasses.replace(prepared, height=size, width=size),
                    folder=self.data_set.store.path.parent,
                )
            tell(self.console, (), opened.store.notes)
            self._sized[size] = dataclasses.replace(opened, failures=self.data_set.failures)
        return self._sized[size].with_split(self.parts[fold - 1])
