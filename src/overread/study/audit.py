"""Say what would spoil a study, before it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from overread.auditing import Audit, Rule, audit_manifest, draft_plan
from overread.errors import OutputExists
from overread.machine.extras import require_extra
from overread.machine.files import write_json
from overread.machine.terminal import progress_console, say
from overread.report.audit import write_audit_report
from overread.run import Existing, Run, RunFolder
from overread.study.data import Data, name_publicly, read_cases, tell, write_names


def audit(
    data: Data,
    out: str | Path | None = None,
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
        data: a manifest, or a folder or CSV to read one from; where it names sides, leaks between them are looked for.
        out: a folder for `report.html` and `audit.json`; nothing is written without it.
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
        require_extra("report", ("matplotlib", "jinja2"))
    if fix is not None and Path(fix).exists() and existing == "refuse":
        raise OutputExists(f"{fix} is there already: choose another name, or --force to replace it")
    manifest = read_cases(data)
    tell(console, manifest.notes)
    folder = None if out is None else RunFolder.open(out, existing)
    with console.status("looking at images") as status:
        found, material = audit_manifest(
            manifest,
            rules=rules,
            folder=store,
            progress=lambda done, of: status.update(f"looking at images: {done} of {of}"),
        )
    if fix is not None:
        plan = draft_plan(found, material, rules=rules)
        plan.write(Path(fix), material)
        say(console, f"{fix} keeps {len(plan.kept)} of {len(manifest)} images and moves {len(plan.moved)}")
    if folder is not None:
        run = Run(kind="audit")
        folder.write(run)
        names = name_publicly(manifest, data)
        write_names(folder, names)
        write_json(folder.audit, found.without_names(names).to_dict())
        write_audit_report(folder.path, found, material, run=run, names=names)
    return found
