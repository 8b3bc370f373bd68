"""Say what would spoil a study, before it is trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from overread.auditing import Audit, Rule, draft_plan, examine, gather, without_names
from overread.auditing.rules import every_rule
from overread.cases import Manifest
from overread.errors import InvalidData, OutputExists
from overread.images import REFERENCE, DataSet
from overread.machine.extras import require_extra
from overread.machine.files import write_json
from overread.machine.remote import place
from overread.machine.terminal import at_work, progress_console, say
from overread.recipe import Recipe
from overread.report.audit import write_audit_report
from overread.run import Existing, Run, RunFolder
from overread.study.data import (
    Data,
    name_publicly,
    read_cases,
    require_outside,
    tell,
    tell_patients,
    write_names,
)
from overread.study.sides import Decoded


def audit(
    data: Data,
    out: str | Path | None = None,
    recipe: Recipe | None = None,
    *,
    fix: str | Path | None = None,
    rules: Sequence[Rule] = (),
    existing: Existing = "refuse",
    store: Path | None = None,
    verbose: bool | None = None,
    console: Console | None = None,
) -> Audit:
    """Say what would spoil a study on these data, before it is trained.

    Args:
        data: a manifest, or a folder or CSV to read one from; where it names no sides, those are looked at that `train`
            would carve.
        out: a folder for `report.html` and `audit.json`; nothing is written without it.
        recipe: how it is to be trained, as for `train`: fractions and seed of the split. What is found is the same for
            every size.
        fix: a CSV to write a cleaned manifest to, which `train` takes; the data stay as they are.
        rules: audit rules of your own, asked besides those of overread.
        existing: what to do when out or fix is there: refuse or replace.
        store: folder of decoded pixels that runs share; by default in the user's cache.
        verbose: show progress; by default on a terminal and in a notebook.
        console: where progress is written instead.

    Raises:
        OverreadError: one sentence on what is wrong with the data or the output.
    """
    console = console or progress_console(verbose)
    if out is not None:
        require_outside(out, data)
        require_extra("report", ("matplotlib", "jinja2"))
    if fix is not None and place(fix).exists() and existing == "refuse":
        raise OutputExists(f"{fix} is there already: choose another name, or --force to replace it")
    every_rule(rules)  # what clashes is told before the decoding
    manifest = read_cases(data)
    tell(console, manifest.notes)
    folder = None if out is None else RunFolder.open(out, existing)
    decoded = _look_at(manifest, recipe or Recipe(), store, console)
    with at_work(console, "asking the rules"):
        material = gather(decoded.manifest, decoded.looked_at, decoded.headers)
        found = examine(material, rules=rules)
    if fix is not None:
        # Of the sides that the data name: those that training carves, it carves again.
        given = dataclasses.replace(material, manifest=manifest)
        plan = draft_plan(found, given, rules=rules)
        plan.write(place(fix), given)
        say(console, f"{fix} keeps {len(plan.kept)} of {len(manifest)} {manifest.noun}s and moves {len(plan.moved)}")
    if folder is not None:
        run = Run(kind="audit")
        folder.write(run)
        names = name_publicly(manifest, data)
        write_names(folder, names)
        write_json(folder.audit, without_names(found, names).to_dict())
        write_audit_report(folder.path, found, material, run=run, names=names)
    return found


def _look_at(manifest: Manifest, recipe: Recipe, store: Path | None, console: Console) -> Decoded:
    """Decode the images, join copies and give each case the side that training would."""
    with at_work(console, "looking at images") as status:
        data_set = DataSet.open(
            manifest,
            REFERENCE,
            folder=store,
            skip_unreadable=True,
            progress=lambda done, of: status.update(f"looking at images: {done} of {of}"),
        )
        decoded = Decoded.of(manifest, data_set)
    tell(console, (), data_set.store.notes)
    try:
        split, decoded = decoded.split(recipe)
    except InvalidData as error:
        warning = f"these data cannot be split as training would, so only given sides are looked at: {error}"
        tell(console, (), (warning,))
        return decoded
    tell(console, split.notes, split.warnings)
    tell_patients(console, split.manifest)
    return decoded
