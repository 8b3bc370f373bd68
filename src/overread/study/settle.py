"""What is asked of a study, completed by what was asked of the run that it goes on with."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

from overread.cases import Manifest, Source
from overread.errors import InvalidOption
from overread.evaluation import AssessmentOptions
from overread.machine.content.values import from_values
from overread.recipe import Recipe
from overread.run import CrossValidationRun, RunFolder, StudyRequest, TrainingRun
from overread.run.trials import seconds_of
from overread.study.data import Data, read_cases, require_outside

# What a recipe leaves to its network, so that a run in a given time may choose it.
_OPEN = ("network", "size", "epochs", "patience", "learning_rate", "layer_decay")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settled:
    """What a study is to do: its cases, how to train on them, what to ask of the result, and what was chosen for it."""

    manifest: Manifest
    request: StudyRequest
    options: AssessmentOptions
    notes: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe:
        """How to train."""
        return self.request.recipe

    def for_images(self, count: int) -> Settled:
        """The same with what follows from the number of training images; of exams nothing does."""
        if any(case.instances for case in self.manifest.cases):
            return self
        recipe = self.recipe.for_images(count)
        return dataclasses.replace(self, request=dataclasses.replace(self.request, recipe=recipe))


def settle(
    data: Data | None,
    recipe: Recipe | None = None,
    options: AssessmentOptions | None = None,
    *,
    accept: Collection[str] = (),
    skip_unreadable: bool = False,
    folds: int | None = None,
    time: str | None = None,
    folder: RunFolder,
    former: TrainingRun | CrossValidationRun | None,
) -> Settled:
    """Read the cases and take from an earlier run in the folder what is not given.

    Findings may be accepted and unreadable images skipped that were not before: neither changes what was trained.

    Args:
        data: a manifest, or a folder or CSV to read one from; None for that of the earlier run.
        recipe: how to train; by default as the earlier run, or a default one.
        options: what to ask of the result; likewise.
        accept: codes of audit findings, besides those of the earlier run.
        skip_unreadable: leave unreadable images out, as the earlier run may have done.
        folds: into how many the images are dealt; by default as the earlier run, or 1.
        time: to find the best network in; by default as the earlier run, or none.
        folder: of the run.
        former: the run in the folder; None where there is none to go on with.

    Raises:
        InvalidOption: no data are given and none are known, what is given differs from the earlier run, or a new run
            would lie among the data.
        OverreadError: the data cannot be used.
    """
    earlier = former.request if former else StudyRequest(recipe=Recipe())
    given = None if data is None or isinstance(data, Manifest) else Source.of(data)
    source = given or earlier.source
    if options is None:
        options = _former_options(earlier, folder)
    asked = recipe or earlier.recipe
    request = StudyRequest(
        recipe=asked.with_network(),
        source=source and source.absolute(),
        accept=tuple(sorted({*earlier.accept, *accept})),
        skip_unreadable=skip_unreadable or earlier.skip_unreadable,
        options=_recorded(options),
        folds=earlier.folds if folds is None else folds,
        time=earlier.time if time is None else time,
        left_open=earlier.left_open if former else tuple(name for name in _OPEN if getattr(asked, name) is None),
    )
    _require_one_way(request, earlier, folder)
    if former is not None:
        folder.require_same(request.fixed, earlier.fixed)
        begun = earlier.recipe
        recipe = dataclasses.replace(request.recipe, epochs=begun.epochs, patience=begun.patience)
        request = dataclasses.replace(request, recipe=recipe)
    elif source is not None:
        require_outside(folder.path, source)
    cases = data if isinstance(data, Manifest) else request.source
    if cases is None:
        raise InvalidOption(
            f"no data are given, and {folder.path} holds no run that tells its own: expected a folder of class "
            "sub-folders or a CSV"
        )
    manifest = read_cases(cases)
    if not isinstance(data, Manifest):  # with the choices that the user was asked for
        request = dataclasses.replace(request, source=manifest.source)
    notes = (_default_network(asked),) if asked.network is None else ()
    return Settled(manifest=manifest, request=request, options=options, notes=notes)


def _recorded(options: AssessmentOptions) -> dict[str, Any]:
    """What is asked of the result, as a run records it."""
    by_patient = {} if options.by_patient is None else {"by_patient": options.by_patient}
    return {"level": options.level, "prevalence": options.prevalence, "by": list(options.by), **by_patient}


def _former_options(earlier: StudyRequest, folder: RunFolder) -> AssessmentOptions:
    try:
        return from_values(AssessmentOptions, earlier.options)
    except (TypeError, ValueError):
        raise folder.damaged() from None


def _require_one_way(request: StudyRequest, earlier: StudyRequest, folder: RunFolder) -> None:
    """Refuse a time that is none, beside folds, or for a run whose test side was opened."""
    if request.time is None:
        return
    seconds_of(request.time)
    if request.folds > 1:
        raise InvalidOption("--time deals folds by itself, as many as there is time for: give it or --folds")
    if request.time != earlier.time and folder.is_finished and earlier.time is not None:
        raise InvalidOption(
            f"{folder.path} is finished and its test side was opened, so more time would choose by what it said: give "
            "another --out"
        )


def _default_network(recipe: Recipe) -> str:
    """Say which network is trained where none was asked for."""
    network, size = recipe.chosen_network, f"{recipe.image_size} px"
    if network.has_weights_here:
        return f"network: {network.name} at {size}, from ImageNet weights (the default; overread networks lists others)"
    wanted = "" if not recipe.pretrained else ", for the weights of a better one are not there (overread networks)"
    return f"network: {network.name} at {size}, from scratch{wanted}"
