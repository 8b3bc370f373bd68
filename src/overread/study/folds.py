"""One training of a cross-validation, as work that any process can do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from rich.console import Console

from overread.auditing import Rule
from overread.cases import Manifest
from overread.evaluation import AssessmentOptions
from overread.recipe import Recipe
from overread.study.stages.elsewhere import kept
from overread.study.train import train


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class FoldTraining:
    """A fold that is to be trained with one seed.

    Args:
        title: says which.
        manifest: the cases, with the fold as their test side.
        out: the folder of the training run.
        recipe: with the seed.
        options: what to ask of the fold.
        accept, rules, skip_unreadable, store, callbacks: as for `train`.
        study: the id that all folds share.
        storage: the place where the folder is kept while another machine trains.
        console: where progress is written. It stays in its process: elsewhere training is silent.
    """

    title: str
    manifest: Manifest
    out: Path
    recipe: Recipe
    options: AssessmentOptions
    accept: tuple[str, ...]
    rules: tuple[Rule, ...]
    skip_unreadable: bool
    store: Path | None
    study: str
    storage: str | None = None
    callbacks: tuple[Any, ...] = ()
    console: Console | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "console": None}


def train_fold(fold: FoldTraining) -> Path:
    """Train one fold, or go on with it, and give its folder."""
    console = fold.console or Console(quiet=True)
    console.rule(fold.title)
    with kept(fold.out, fold.storage) as (folder, callbacks):
        train(
            fold.manifest,
            folder,
            fold.recipe,
            options=fold.options,
            accept=fold.accept,
            rules=fold.rules,
            existing="resume",
            skip_unreadable=fold.skip_unreadable,
            store=fold.store,
            study_id=fold.study,
            callbacks=(*callbacks, *fold.callbacks),
            console=console,
        )
    return fold.out
