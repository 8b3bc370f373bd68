"""Read labelled images with a bundle and compare."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from overread.bundle import Bundle
from overread.evaluation import Assessment, AssessmentOptions
from overread.machine.extras import require_extra
from overread.machine.terminal import progress_console
from overread.report import pages
from overread.run import EvaluationRun, Existing, RunFolder
from overread.study.as_trained import as_trained
from overread.study.data import (
    Data,
    name_publicly,
    open_data_set,
    read_cases,
    require_outside,
    tell,
    write_names,
)
from overread.test_side.lock import known_before, open_test_side


def evaluate(
    bundle: Bundle | str | Path,
    data: Data,
    out: str | Path,
    *,
    options: AssessmentOptions | None = None,
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    verbose: bool | None = None,
    console: Console | None = None,
) -> Assessment:
    """Read labelled images with a bundle and compare: metrics, predictions, figures and a report in `out`.

    The test side is taken where the data name sides, else every image. The bundle records that it was done.

    Args:
        bundle: a bundle, its directory or zip, or the folder of the run that made it.
        data: a manifest with the bundle's classes, or a folder or CSV to read one from.
        out: the folder of the results.
        options: what to ask of the result; by default 95 % intervals.
        existing: what to do when out holds something: refuse or replace.
        skip_unreadable: leave unreadable images out, naming each, instead of stopping.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        verbose: show progress; by default on a terminal and in a notebook.
        console: where progress is written instead.

    Raises:
        OverreadError: one sentence on what is wrong with the bundle, the data or the output.
    """
    require_extra("report", ("matplotlib", "jinja2"))
    console, options = console or progress_console(verbose), options or AssessmentOptions()
    require_outside(out, data)
    bundle = Bundle.load(bundle)
    manifest = as_trained(read_cases(data, task=bundle.task), bundle)
    manifest.require_agreement()
    options.require_columns(manifest.columns)
    options.require_patients([case.patient_id for case in manifest.cases], manifest.task)
    chosen = manifest.select("test") or range(len(manifest))
    manifest = manifest.replace(
        [manifest.cases[i] for i in chosen], f"{len(chosen)} of {len(manifest)} {manifest.noun}s are evaluated"
    )
    tell(console, manifest.notes)
    folder = RunFolder.open(out, existing)
    data_set = open_data_set(manifest, bundle.preprocessing, store, skip_unreadable, console)
    every = list(range(len(data_set.manifest)))
    run = EvaluationRun(bundle=bundle.fingerprint, fingerprint=data_set.content_fingerprint(every))
    folder.write(run)
    names = name_publicly(manifest, data)
    write_names(folder, names)
    warnings = known_before(data_set, every, study=bundle.data["study"], began=bundle.created)
    outcome, unrecorded = open_test_side(bundle, data_set, every, folder.path, options)
    tell(console, (), (*warnings, *unrecorded))
    result = pages.BundleResult(bundle=bundle, outcome=outcome, warnings=(*warnings, *unrecorded), names=names)
    pages.write_evaluation_report(folder.path, result, run=run, manifest=data_set.manifest, failures=data_set.failures)
    return outcome.assessment
