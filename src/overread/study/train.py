"""The main job, top to bottom: from a folder of labelled images to a trained network, its evaluation and a bundle."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from overread.auditing import UNREADABLE, Audit, examine_once
from overread.bundle import Bundle
from overread.cases import Manifest, Split
from overread.evaluation import Assessment, AssessmentOptions, Evaluation
from overread.images import DataSet, Preprocessing
from overread.machine.files import RUN_FILE, Existing, open_run_folder, replace_file, write_json
from overread.machine.terminal import progress_console
from overread.recipe import Recipe
from overread.report import pages
from overread.report.documents import CardFacts, checklists, model_card
from overread.study.data import open_data_set, read_manifest, require_training, split_as, tell
from overread.study.run import start_run
from overread.test_side.lock import known_before, open_test_side


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Study:
    """A finished training run: where it is, the bundle, how the images were split, and what the test side says."""

    out: Path
    bundle: Bundle
    split: Split
    history: tuple[dict[str, float], ...]
    assessment: Assessment

    @property
    def evaluation(self) -> Evaluation:
        """The metrics of the test side, without their intervals."""
        return self.assessment.evaluation

    @property
    def report(self) -> Path:
        """The page to open first."""
        return self.out / "report.html"


def train(
    data: Manifest | str | Path,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    options: AssessmentOptions | None = None,
    accept: Collection[str] = (),
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    study_id: str | None = None,
    callbacks: Sequence[Any] = (),
    console: Console | None = None,
) -> Study:
    """Split by patient, audit, train, calibrate and choose the operating point on validation, open the test side once.

    Args:
        data: a manifest, or a folder or CSV to read one from.
        out: the folder of this run: `bundle/`, `bundle.zip`, `report.html`, `checklists.md`, `figures/`, `test/`,
            `log.csv`, `run.json`.
        recipe: how to train; by default the compact network.
        options: what to ask of the test result; by default 95 % intervals.
        accept: codes of audit findings that block and are accepted; the report records them.
        existing: what to do when out holds something: refuse, resume the run in it, or replace it.
        skip_unreadable: leave unreadable images out, naming each in the report, instead of stopping.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        study_id: runs under one id may open a test set one after the other without a warning; by default a new one.
        callbacks: Keras callbacks that training calls; a run that is resumed calls them again.
        console: where progress is written; by default on a terminal and in a notebook.

    Raises:
        OverreadError: one sentence on what is wrong with the data, the options, the output or the export.

    Example:
        >>> train("larynx", "runs/larynx", Recipe(network="efficientnet-lite0"))  # doctest: +SKIP
    """
    recipe, console, out = recipe or Recipe(), console or progress_console(), Path(out)
    options = options or AssessmentOptions()
    manifest = data if isinstance(data, Manifest) else read_manifest(data)
    require_training(recipe, manifest, options)
    split = split_as(manifest, recipe)  # an impossible split is told before the decoding
    tell(console, (*split.manifest.notes, *split.notes), split.warnings)
    open_run_folder(out, existing)
    side = recipe.image_size
    preprocessing = Preprocessing(height=side, width=side, channels=recipe.channels, fit=recipe.fit)
    data_set = open_data_set(manifest, preprocessing, store, skip_unreadable, console)
    split = split_as(data_set.manifest, recipe)
    data_set = data_set.with_split(split.manifest)
    audit = _audited(manifest, data_set, {*accept, *(UNREADABLE if skip_unreadable else ())}, console)
    write_json(out / "audit.json", audit.to_dict())
    run = start_run(out, recipe, split, data_set, study_id)
    test_side = split.manifest.select("test")
    warnings = known_before(data_set, test_side, study=run["data"]["study"], began=run["started"])
    tell(console, (), warnings)

    from overread.training.make_bundle import write_bundle
    from overread.training.train_network import augmented_previews, train_network

    trained = train_network(data_set, recipe, out, console=console, callbacks=callbacks)
    bundle = write_bundle(trained, data_set, recipe, run, out)
    console.print(f"the bundle is written; the test side ({len(test_side)} images) is opened once", highlight=False)
    outcome, unrecorded = open_test_side(bundle, data_set, test_side, out / "test", options)

    rows, best_epoch = trained.history.rows, trained.history.best_epoch
    seconds = round(trained.history.seconds, 1)
    run = {**run, "precision": trained.precision, "best_epoch": best_epoch, "seconds": seconds}
    augment = functools.partial(augmented_previews, recipe=recipe)
    pages.write_training_report(
        out,
        pages.TrainingResult(split=split, data_set=data_set, audit=audit, rows=rows, augment=augment),
        pages.BundleResult(bundle=bundle, outcome=outcome, warnings=(*warnings, *unrecorded), run=run),
    )
    facts = CardFacts(
        counts=split.counts(),
        patients=split.patients(),
        has_patients=split.manifest.has_patients,
        notes=(*split.manifest.notes, *split.notes),
        warnings=(*split.warnings, *audit.warnings, *warnings, *unrecorded),
        failures=data_set.failures,
        epochs=len(rows),
        best_epoch=best_epoch,
        seconds=seconds,
        machine=run["machine"],
        command=run["command"],
        referral=outcome.referral,
    )
    write_documents(bundle, outcome.assessment, facts, out)
    bundle.pack()
    write_json(out / RUN_FILE, {**run, "finished": True})
    return Study(out=out, bundle=bundle, split=split, history=rows, assessment=outcome.assessment)


def write_documents(bundle: Bundle, assessment: Assessment, facts: CardFacts, out: Path) -> None:
    """Write the model card into the bundle, and the checklists beside it."""
    bundle.write_card(model_card(bundle, assessment, facts))
    replace_file(out / "checklists.md", checklists(bundle, assessment, facts).encode())


def _audited(manifest: Manifest, data_set: DataSet, accept: Collection[str], console: Console) -> Audit:
    """Audit the cases with the sides that training will use, and refuse to go on with what blocks."""
    sided = dict(zip(data_set.rows.tolist(), data_set.manifest.cases, strict=True))
    # What cannot be read has no side of its own, and must look neither like a leak nor like a split left incomplete.
    side_of = {case.patient_id: case.split for case in sided.values() if case.patient_id}
    every = manifest.replace(
        sided.get(i) or dataclasses.replace(case, split=case.split or side_of.get(case.patient_id, "train"))
        for i, case in enumerate(manifest.cases)
    )
    found = examine_once(every, data_set).accept(accept)
    for finding in found.findings:
        style = "" if finding.severity == "info" else "bold yellow"
        gravity = "accepted" if finding.code in found.accepted else finding.severity
        console.print(f"AUDIT {finding.code} ({gravity}): {finding.sentence}", style=style, highlight=False)
    found.require()
    return found
