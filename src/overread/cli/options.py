"""Options that several commands share, and the values that they make."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from overread.cases.relabel import read_mapping, written_mapping
from overread.cases.source import Source
from overread.cli.completion import COMPLETERS, complete_code
from overread.cli.hosts import trained_with_jax
from overread.errors import InvalidOption
from overread.machine.remote import local_place, place
from overread.networks.augmentation import Augmentation
from overread.recipe import Recipe
from overread.run import CrossValidationRun, Existing, RunFolder, TrainingRun
from overread.scale import RayTasks
from overread.scale.cluster import connected
from overread.scale.hosts import Hosts

if TYPE_CHECKING:
    from overread.evaluation import AssessmentOptions

DataOrLabels = Annotated[
    Path | None,
    typer.Argument(
        parser=place,
        help="Folder of images in class sub-folders, or with a table of labels in or near it; or a table, as "
        "path,label[,patient_id][,split]. By default what --labels names, and with --resume the run's.",
    ),
]
BundlePath = Annotated[
    Path,
    typer.Argument(
        parser=place, help="Bundle directory, bundle.zip or the folder of a training run.", metavar="BUNDLE"
    ),
]
Out = Annotated[Path, typer.Option(parser=local_place, help="Folder of the results.", metavar="PATH")]
Force = Annotated[bool, typer.Option("--force", help="Replace the results that the folder holds.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Store = Annotated[Path | None, typer.Option(help="Folder of decoded pixels that runs share; else the user's cache.")]
Skip = Annotated[bool, typer.Option("--skip-unreadable", help="Leave unreadable images out, naming each.")]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="jax: compute a training with JAX; "
        "ray: spread the work with Ray, here; ray://HEAD:10001: over the Ray cluster there; ray://auto: over the "
        "cluster that this machine is a node of.",
        metavar="ENGINE",
    ),
]
ExamsOption = Annotated[
    str | None,
    typer.Option(
        "--exams",
        help="What belongs to one exam, else as in training: file, folder, series or study (of DICOM).",
        metavar="WHAT",
    ),
]
ExamPattern = Annotated[
    str | None,
    typer.Option("--exam-pattern", help="Regular expression over paths: its groups, or its match, name the exam."),
]
Accept = Annotated[
    list[str] | None,
    typer.Option(help="Code of an audit finding to go on with; may be repeated.", autocompletion=complete_code),
]


def takes(**makers: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of functions that each make one of its parameters, in that parameter's place.

    What a function gives that is a context is entered for as long as the command runs.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command).parameters
        options = {name: inspect.signature(maker).parameters for name, maker in makers.items()}

        @functools.wraps(command)
        def called(**values: Any) -> None:
            with contextlib.ExitStack() as stack:
                for name, maker in makers.items():
                    made = maker(**{option: values.pop(option) for option in options[name]})
                    is_context = isinstance(made, contextlib.AbstractContextManager)
                    values[name] = stack.enter_context(made) if is_context else made
                command(**values)

        parameters = []
        for name, parameter in own.items():
            function, taken = (makers[name], options[name].values()) if name in options else (command, [parameter])
            parameters += [_keyword_only(each, function) for each in taken]
        # Typer reads both.
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return called

    return decorate


def resumable(kind: type[TrainingRun | CrossValidationRun]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Let a command with --resume take what is not given on the command line from the run in its folder."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def called(*, context: typer.Context, **values: Any) -> None:
            folder = RunFolder(values["out"])
            if values["resume"] and folder.is_ours:
                recorded = options_of(folder.read(kind))
                values |= {name: recorded[name] for name in values.keys() & recorded if not _is_given(context, name)}
            command(**values)

        own = inspect.signature(command)
        asked = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        # Typer reads both.
        called.__signature__ = own.replace(parameters=[asked, *own.parameters.values()])  # type: ignore[attr-defined]
        called.__annotations__ = {"context": typer.Context, **command.__annotations__}
        return called

    return decorate


def _is_given(context: typer.Context, option: str) -> bool:
    source = context.get_parameter_source(option)
    return source is not None and source.name != "DEFAULT"


def options_of(run: TrainingRun | CrossValidationRun) -> dict[str, Any]:
    """The options of the command line that ask for a run again."""
    request = run.request
    recipe = {**vars(request.recipe), **request.recipe.to_dict()}  # which leaves out what is as by default
    changes = recipe.pop("augmentation")
    source = {} if request.source is None else dataclasses.asdict(request.source)
    if source:
        source = {name: list(value) if isinstance(value, tuple) else value for name, value in source.items()}
        source["mapping"] = [written_mapping(source["mapping"])]
    of_kind = (
        {"seeds": run.seeds, "keep_ensemble": run.ensemble}
        if isinstance(run, CrossValidationRun)
        else {"time": request.time, **({"engine": "jax"} if run.backend == "jax" else {})}
    )
    return {**recipe, **changes, **source, **request.options, "folds": request.folds, **of_kind}


def _keyword_only(parameter: inspect.Parameter, function: Callable[..., Any]) -> inspect.Parameter:
    """A parameter with its annotation evaluated: of those that remain only, since the others name what loads NumPy."""
    annotation = parameter.annotation
    if isinstance(annotation, str):
        annotation = eval(annotation, inspect.unwrap(function).__globals__)
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=annotation)


def _of(panel: str, help_text: str) -> Any:
    return typer.Option(help=help_text, rich_help_panel=panel)


def _options_of(kind: type) -> dict[str, inspect.Parameter]:
    """The options that the fields of a dataclass declare, by the name of the field."""
    types, found = get_type_hints(kind), {}
    for field in dataclasses.fields(kind):
        if field.metadata:
            declared = field.metadata
            flags = (declared["flag"] or "").split()
            shown = typer.Option(
                *flags,
                help=declared["text"],
                rich_help_panel=declared["panel"],
                autocompletion=COMPLETERS.get(field.name),
            )
            found[field.name] = inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=Annotated[declared["kind"] or types[field.name], shown],
            )
    return found


_CHANGES, _CHOICES = _options_of(Augmentation), _options_of(Recipe)


def make_recipe(**values: Any) -> Recipe:
    """The recipe that the options describe; a network of the user's own may lie in the current folder."""
    if ":" in (values["network"] or "") and "" not in sys.path:
        sys.path.append("")
    augmentation = Augmentation(**{name: values.pop(name) for name in _CHANGES})
    return Recipe(**values, augmentation=augmentation)


# Typer reads the options of a command in its signature, `takes` those of a maker.
make_recipe.__signature__ = inspect.Signature([*_CHOICES.values(), *_CHANGES.values()])  # type: ignore[attr-defined]


def make_split_recipe(**values: Any) -> Recipe:
    """A recipe of which the split counts."""
    return Recipe(**values)


make_split_recipe.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [_CHOICES[name] for name in ("validation", "test", "seed")]
)


def make_assessment_options(
    level: Annotated[float, _of("Test", "Of every interval.")] = 0.95,
    prevalence: Annotated[
        float | None, _of("Test", "Share of positive cases in the clinic, for PPV, NPV and the decision curve.")
    ] = None,
    by: Annotated[
        list[str] | None, _of("Test", "Column of the CSV whose groups are compared; may be repeated.")
    ] = None,
    by_patient: Annotated[
        str | None,
        _of("Test", "mean or max: judge patients too, by the mean or the highest of what was said of their images."),
    ] = None,
) -> AssessmentOptions:
    """What is asked of the test result."""
    from overread.evaluation import AssessmentOptions

    return AssessmentOptions(level=level, prevalence=prevalence, by=tuple(by or ()), by_patient=by_patient)


def make_source(data: DataOrLabels = None, **values: Any) -> Source | None:
    """Where the cases are read from; None where they are not named, which only a run that is resumed allows."""
    values["mapping"] = read_mapping(values["mapping"] or ())
    return Source(data=str(data or ""), **values) if data or values["labels"] else None


make_source.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [inspect.signature(make_source).parameters["data"], *_options_of(Source).values()]
)


def require_source(source: Source | None) -> Source:
    """Refuse to begin without data.

    Raises:
        InvalidOption: there is no source.
    """
    if source is None:
        raise InvalidOption("no data are given: expected a folder of images or a table of labels")
    return source


@contextlib.contextmanager
def make_running(
    accept: Accept = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that the folder holds.")] = False,
    force: Force = False,
    skip_unreadable: Skip = False,
    store: Store = None,
    engine: EngineOption = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Where trainings of an engine keep each epoch, such as s3://bucket/run, so that another node goes on "
            "where one is lost. Not needed where all nodes see --out.",
            metavar="ADDRESS",
        ),
    ] = None,
    cpus_each: Annotated[
        int | None, typer.Option(help="CPUs of each training of an engine; by default all of the smallest node.")
    ] = None,
    gpus_each: Annotated[float, typer.Option(help="GPUs of each training of an engine.")] = 0,
    hosts: Annotated[
        int,
        typer.Option(help="With --engine jax: deal each batch to so many hosts; alone: processes of this machine."),
    ] = 1,
    coordinator: Annotated[
        str | None,
        typer.Option(
            help="The same command runs on each of the hosts, and the first listens at this HOST:PORT; auto: where "
            "SLURM, Open MPI or Kubernetes has started them.",
            metavar="HOST:PORT",
        ),
    ] = None,
    host_number: Annotated[int | None, typer.Option(help="Of this host, from 0, which is the coordinator's.")] = None,
) -> Iterator[dict[str, Any]]:
    """How a training run deals with what it finds and where it works, as keyword arguments of `study.train`.

    Raises:
        InvalidOption: both --resume and --force were given, no such engine is known, or what belongs to one came alone.
    """
    if resume and force:
        raise InvalidOption("--resume goes on with a run and --force replaces it: give one of them")
    existing = "resume" if resume else replaced_if(force)
    running = {"accept": accept or (), "existing": existing, "skip_unreadable": skip_unreadable, "store": store}
    of_jax = Hosts(count=hosts, coordinator=coordinator, number=host_number)
    if engine == "jax":
        with trained_with_jax(of_jax):
            yield running
        return
    if not of_jax.are_one_process:
        raise InvalidOption("--hosts deals the batches of one training to hosts, by --engine jax: give that, too")
    if engine is None:
        if storage is not None or cpus_each is not None or gpus_each:
            raise InvalidOption(
                "--storage, --cpus-each and --gpus-each are for trainings of an engine: give --engine, too"
            )
        yield running
        return
    with connected(engine):
        yield {**running, "engine": RayTasks(cpus=cpus_each, gpus=gpus_each), "storage": storage}


def replaced_if(force: bool) -> Existing:
    """What to do with results that are there."""
    return "replace" if force else "refuse"
