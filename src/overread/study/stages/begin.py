"""The beginning of a training run: decode, split, audit, and record what it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from pathlib import Path

from rich.console import Console

from overread.auditing import UNREADABLE, Audit, Rule, brief_lines, examine_once, without_names
from overread.cases import PublicNames, Split
from overread.images import DataSet
from overread.machine.files import write_json
from overread.machine.terminal import say
from overread.recipe import Recipe
from overread.run import RunFolder, TrainingRun, new_study_id
from overread.study.data import (
    name_publicly,
    open_with_reference,
    tell,
    tell_patients,
    write_names,
)
from overread.study.settle import Settled
from overread.study.sides import Decoded
from overread.study.way_on import way_on
from overread.test_side.lock import known_before


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Begun:
    """A run whose images are decoded, split and audited.

    Args:
        folder: of the run.
        run: as it is recorded.
        split: of the readable images.
        data_set: likewise.
        audit: of all images.
        warnings: that others have opened its test side.
        names: what images go by.
    """

    folder: RunFolder
    run: TrainingRun
    split: Split
    data_set: DataSet
    audit: Audit
    warnings: tuple[str, ...]
    names: PublicNames

    @property
    def recipe(self) -> Recipe:
        """How to train."""
        return self.run.request.recipe


def begin(
    settled: Settled,
    folder: RunFolder,
    former: TrainingRun | None,
    *,
    rules: Sequence[Rule],
    study_id: str | None,
    store: Path | None,
    console: Console,
) -> Begun:
    """Decode, split and audit.

    Nothing is written until the audit lets it pass, so that the same folder can be given again; then the run is
    recorded first, so that it can always go on.
    """
    from overread.networks.backend import keras
    from overread.training.crew import which_host

    request, recipe = settled.request, settled.recipe
    opened, looked_at = open_with_reference(settled.manifest, recipe, store, request.skip_unreadable, console)
    joins_copies = former is None or former.copies is not None
    decoded = Decoded.of(settled.manifest, looked_at, opened, joins_copies=joins_copies)
    split, decoded = decoded.split(recipe, request.folds)
    data_set = decoded.data_set
    tell(console, split.notes, split.warnings)
    if request.source is not None:
        tell_patients(console, split.manifest)
    names = name_publicly(settled.manifest, request.source)
    run = TrainingRun(
        request=settled.for_images(len(split.parts[0].select("train"))).request,
        fingerprint=data_set.fingerprint,
        images=split.counts(),
        patients=split.patients(),
        study=former.study if former else study_id or new_study_id(),
        left_out=names.of_all(data_set.failures),
        copies=decoded.groups if former is None else former.copies,
        backend=keras.backend.backend(),
        hosts=which_host()[1],
    )
    if former is not None:
        what = "the images or their split"
        folder.require_same({what: run.fingerprint}, {what: former.fingerprint})
        run = dataclasses.replace(run, started=former.started)
    accept = {*request.accept, *(UNREADABLE if request.skip_unreadable else ())}
    audit = _audited(decoded, accept, rules=rules, console=console)
    audit.require(way_on(audit, rules, request.source, folder.path))
    folder.write(run)
    write_names(folder, names)
    split.manifest.write_csv(folder.manifest)
    write_json(folder.audit, without_names(audit, names).to_dict())
    warnings = known_before(data_set, split.manifest.select("test"), study=run.study, began=run.started)
    tell(console, (), warnings)
    return Begun(folder=folder, run=run, split=split, data_set=data_set, audit=audit, warnings=warnings, names=names)


def _audited(decoded: Decoded, accept: Collection[str], *, rules: Sequence[Rule], console: Console) -> Audit:
    """Audit the cases with the sides that training will use."""
    found = examine_once(decoded.manifest, decoded.looked_at, decoded.headers, rules=rules).accept(accept)
    for line in brief_lines(found, rules=rules):
        say(console, f"audit {line.text}", "" if line.severity == "info" else "bold yellow")
    return found
