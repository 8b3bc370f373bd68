"""The main job, top to bottom: from a folder of labelled images to a trained network, its evaluation and a bundle."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from pathlib import Path

from rich.console import Console

from overread.audit import UNREADABLE, Audit, draft_plan, examine_once
from overread.audit import audit as audit_manifest
from overread.bundle import Bundle, CardFacts, checklists, model_card
from overread.cases import Manifest, Split, split_cases
from overread.errors import InvalidOption, OutputExists
from overread.evaluation import Assessment, AssessmentOptions, Comparison, Evaluation
from overread.evaluation import compare as compare_predictions
from overread.files import RUN_FILE, Existing, open_run_folder, replace_file, write_json
from overread.images import DataSet, Preprocessing, is_dicom, patient_id_hash
from overread.opening import known_before, open_test_side
from overread.provenance import command, environment, require_extra, start_run
from overread.reading import read_predictions
from overread.report import pages
from overread.report.audit import write_audit_report
from overread.training.recipe import Recipe


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


def read_manifest(
    data: str | Path,
    *,
    positive: str | None = None,
    patient_pattern: str | None = None,
    classes: tuple[str, ...] | None = None,
) -> Manifest:
    """Read a folder or CSV and name its patients: from the CSV, a pattern over file names, or DICOM headers (hashed).

    Raises:
        MissingPath: data is not there.
        InvalidData: it cannot be used as it is.
        InvalidOption: positive or patient_pattern does not fit.
    """
    manifest = Manifest.read(data, positive=positive, classes=classes)
    if patient_pattern is not None:
        return manifest.with_patient_pattern(patient_pattern)
    if manifest.has_patients:
        return manifest
    dicom = [is_dicom(case.path) for case in manifest.cases]
    if not any(dicom):
        return manifest
    ids = [
        case.patient_id or (patient_id_hash(case.path) if found else None)
        for case, found in zip(manifest.cases, dicom, strict=True)
    ]
    cases = [dataclasses.replace(case, patient_id=i) for case, i in zip(manifest.cases, ids, strict=True)]
    return manifest.replace(cases, "patients come from the DICOM headers, hashed")


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
        console: where progress is written; nowhere by default.

    Raises:
        OverreadError: one sentence on what is wrong with the data, the options, the output or the export.

    Example:
        >>> train("larynx", "runs/larynx", Recipe(network="efficientnet-lite0"))  # doctest: +SKIP
    """
    recipe, console, out = recipe or Recipe(), console or Console(quiet=True), Path(out)
    options = options or AssessmentOptions()
    manifest = data if isinstance(data, Manifest) else read_manifest(data)
    require_training(recipe, manifest, options)
    split = _split(manifest, recipe)  # an impossible split is told before the decoding
    tell(console, (*split.manifest.notes, *split.notes), split.warnings)
    open_run_folder(out, existing)
    preprocessing = Preprocessing(height=recipe.size, width=recipe.size, channels=recipe.channels, fit=recipe.fit)
    data_set = _open(manifest, preprocessing, store, skip_unreadable, console)
    split = _split(data_set.manifest, recipe)
    data_set = data_set.with_split(split.manifest)
    audit = _audited(manifest, data_set, {*accept, *(UNREADABLE if skip_unreadable else ())}, console)
    write_json(out / "audit.json", audit.to_dict())
    run = start_run(out, recipe, split, data_set, study_id)
    test_side = split.manifest.select("test")
    warnings = known_before(data_set, test_side, study=run["data"]["study"], began=run["started"])
    tell(console, (), warnings)

    from overread.training.hand_over import write_bundle
    from overread.training.trained import train_network

    trained = train_network(data_set, recipe, out, console=console)
    _draw_samples(data_set, recipe, out / "figures")
    bundle = write_bundle(trained, data_set, recipe, run, out)
    pages.draw_mean_maps(out / "figures", bundle, data_set)
    console.print(f"the bundle is written; the test side ({len(test_side)} images) is opened once", highlight=False)
    outcome, unrecorded = open_test_side(bundle, data_set, test_side, out / "test", options)

    rows, best_epoch = trained.history.rows, trained.history.best_epoch
    seconds = round(trained.history.seconds, 1)
    run = {**run, "precision": trained.precision, "best_epoch": best_epoch, "seconds": seconds}
    pages.write_training_report(
        out,
        bundle=bundle,
        split=split,
        failures=data_set.failures,
        audit=audit,
        rows=rows,
        outcome=outcome,
        warnings=(*warnings, *unrecorded),
        run=run,
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


def audit(
    data: Manifest | str | Path,
    out: str | Path | None = None,
    *,
    fix: str | Path | None = None,
    existing: Existing = "refuse",
    store: Path | None = None,
    console: Console | None = None,
) -> Audit:
    """Say what would spoil a study on these data, before it is trained.

    Args:
        data: a manifest, or a folder or CSV to read one from; where it names sides, leaks between them are looked for.
        out: a folder for `report.html` and `audit.json`; nothing is written without it.
        fix: a CSV to write a cleaned manifest to, which `train` takes; the data stay as they are.
        existing: what to do when out or fix is there: refuse or replace.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        console: where progress is written; nowhere by default.

    Raises:
        OverreadError: one sentence on what is wrong with the data or the output.
    """
    console = console or Console(quiet=True)
    if out is not None:
        require_extra("report", ("matplotlib", "jinja2"))
    if fix is not None and Path(fix).exists() and existing == "refuse":
        raise OutputExists(f"{fix} is there already: choose another name, or --force to replace it")
    manifest = data if isinstance(data, Manifest) else read_manifest(data)
    tell(console, manifest.notes)
    folder = None if out is None else open_run_folder(Path(out), existing)
    with console.status("looking at images") as status:
        found, material = audit_manifest(
            manifest,
            folder=store,
            progress=lambda done, of: status.update(f"looking at images: {done} of {of}"),
        )
    if fix is not None:
        plan = draft_plan(found, material)
        plan.write(Path(fix), material)
        console.print(
            f"{fix} keeps {len(plan.kept)} of {len(manifest)} images and moves {len(plan.moved)}", highlight=False
        )
    if folder is not None:
        run = {"command": command(), **environment()}
        write_json(folder / RUN_FILE, run)
        write_json(folder / "audit.json", found.to_dict())
        write_audit_report(folder, found, material, run=run)
    return found


def evaluate(
    bundle: Bundle | str | Path,
    data: Manifest | str | Path,
    out: str | Path,
    *,
    options: AssessmentOptions | None = None,
    existing: Existing = "refuse",
    skip_unreadable: bool = False,
    store: Path | None = None,
    console: Console | None = None,
) -> Assessment:
    """Read labelled images with a bundle and compare: metrics, predictions, figures and a report in `out`.

    The test side is taken where the data name sides, else every image. The bundle records that it was done.

    Args:
        bundle: a bundle, its directory or its zip.
        data: a manifest with the bundle's classes, or a folder or CSV to read one from.
        out: the folder of the results.
        options: what to ask of the result; by default 95 % intervals.
        existing: what to do when out holds something: refuse or replace.
        skip_unreadable: leave unreadable images out, naming each, instead of stopping.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        console: where progress is written; nowhere by default.

    Raises:
        OverreadError: one sentence on what is wrong with the bundle, the data or the output.
    """
    require_extra("report", ("matplotlib", "jinja2"))
    console, out, options = console or Console(quiet=True), Path(out), options or AssessmentOptions()
    bundle = bundle if isinstance(bundle, Bundle) else Bundle.load(bundle)
    manifest = data if isinstance(data, Manifest) else read_manifest(data, classes=bundle.classes)
    options.require_columns(manifest.columns)
    chosen = manifest.select("test") or range(len(manifest))
    manifest = manifest.replace(
        [manifest.cases[i] for i in chosen], f"{len(chosen)} of {len(manifest)} images are evaluated"
    )
    tell(console, manifest.notes)
    open_run_folder(out, existing)
    data_set = _open(manifest, bundle.preprocessing, store, skip_unreadable, console)
    every = list(range(len(data_set.manifest)))
    run = {"bundle": bundle.fingerprint, "data": {"fingerprint": data_set.content_fingerprint(every)}}
    run = {**run, "command": command(), **environment()}
    write_json(out / RUN_FILE, run)
    warnings = known_before(data_set, every, study=bundle.data["study"], began=bundle.created)
    outcome, unrecorded = open_test_side(bundle, data_set, every, out, options)
    tell(console, (), (*warnings, *unrecorded))
    pages.write_evaluation_report(
        out,
        bundle=bundle,
        manifest=data_set.manifest,
        failures=data_set.failures,
        outcome=outcome,
        warnings=(*warnings, *unrecorded),
        run=run,
    )
    return outcome.assessment


def compare(
    first: str | Path, second: str | Path, out: str | Path | None = None, *, options: AssessmentOptions | None = None
) -> Comparison:
    """Compare two evaluations of the same cases, metric by metric, with interval and p.

    Args:
        first: the folder of an evaluation or of a training run, whose test side is meant.
        second: the one in question: positive differences mean that it has more.
        out: a folder for `comparison.json` and `report.html`; nothing is written without it.
        options: level, resamples and seed.

    Raises:
        MissingPath: a folder holds no evaluation.
        InvalidData: the cases, their labels, classes or patients differ; the message counts them.
        OutputExists: out holds something.
    """
    options = options or AssessmentOptions()
    comparison = compare_predictions(
        read_predictions(first),
        read_predictions(second),
        level=options.level,
        resamples=options.resamples,
        seed=options.seed,
    )
    if out is not None:
        out = open_run_folder(Path(out), "refuse")
        run = {"first": str(first), "second": str(second), "command": command(), **environment()}
        write_json(out / RUN_FILE, run)
        write_json(out / "comparison.json", comparison.to_dict())
        pages.write_comparison_report(out, comparison, run=run)
    return comparison


def _split(manifest: Manifest, recipe: Recipe) -> Split:
    return split_cases(manifest, validation=recipe.validation, test=recipe.test, seed=recipe.seed)


def write_documents(bundle: Bundle, assessment: Assessment, facts: CardFacts, out: Path) -> None:
    """Write the model card into the bundle, and the checklists beside it."""
    bundle.write_card(model_card(bundle, assessment, facts))
    replace_file(out / "checklists.md", checklists(bundle, assessment, facts).encode())


def tell(console: Console, notes: tuple[str, ...], warnings: tuple[str, ...] = ()) -> None:
    """Print notes, and warnings so that they are seen."""
    for note in notes:
        console.print(note, highlight=False)
    for warning in warnings:
        console.print(f"WARNING: {warning}", style="bold yellow", highlight=False)


def require_training(recipe: Recipe, manifest: Manifest, options: AssessmentOptions) -> None:
    """Refuse what would fail only after hours of training."""
    require_extra("train", ("keras", "tensorflow", "tf2onnx", "matplotlib", "jinja2"))
    from overread.networks.zoo import require_network

    require_network(recipe.network)
    options.require_columns(manifest.columns)
    if len(manifest.classes) > 2 and recipe.calibration in ("isotonic", "beta"):
        raise InvalidOption(
            f"{recipe.calibration} calibrates two classes and the data hold {len(manifest.classes)}: use temperature"
        )


def _open(
    manifest: Manifest, preprocessing: Preprocessing, store: Path | None, skip_unreadable: bool, console: Console
) -> DataSet:
    with console.status("decoding images") as status:
        data_set = DataSet.open(
            manifest,
            preprocessing,
            folder=store,
            skip_unreadable=skip_unreadable,
            progress=lambda done, of: status.update(f"decoding images: {done} of {of}"),
        )
    for name, reason in data_set.failures.items():
        console.print(f"WARNING: left out, unreadable: {name}: {reason}", style="bold yellow", highlight=False)
    _, height, width, channels = data_set.store.pixels.shape
    colour = "grey" if channels == 1 else "colour"
    console.print(f"{len(data_set.manifest)} images are decoded to {width} x {height} {colour}", highlight=False)
    return data_set


def _draw_samples(data_set: DataSet, recipe: Recipe, folder: Path) -> None:
    """Sample images of each class, and what augmentation makes of one of each."""
    from overread.training.trained import augmented_previews

    train = data_set.manifest.select("train")
    labels = [data_set.manifest.cases[i].label for i in train]
    firsts = data_set.pixels([train[labels.index(name)] for name in data_set.manifest.classes[:4]])
    pages.draw_samples(
        folder,
        lambda chosen: data_set.pixels([train[i] for i in chosen]),
        labels,
        firsts,
        augmented_previews(firsts, recipe),
    )


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
