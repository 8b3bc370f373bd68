"""What each pooling finds on exams whose frames with the lesion are known, beside what frames could tell at best."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from overread import Reader, Recipe, Study, train
from overread.bundle import Graph
from overread.cases import Case
from overread.evaluation.wording import in_words
from overread.formats import Origin
from overread.machine.files import read_regular
from overread.run import RunFolder
from overread.run.pooling import PoolingChoice

# Of an exam without the lesion, what the ceiling is taught with.
_OTHERS = 30
# What the lesion takes of a frame with which the ceiling is taught, and of one that is rightly named as its place.
_TAUGHT, _NAMED = 0.5, 0.25
_ACCEPTED = ("near-duplicate-across-classes", "duplicate-across-classes")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Marked:
    """Exams of which it is known which frames bear the lesion.

    Args:
        table: of the exams, with the labels `lesion` and `none`.
        share: how much of a frame the lesion takes, from 0 to 1; of a slice that shows it 1.
    """

    table: Path
    share: Callable[[Origin], float]

    def shares(self, origins: Sequence[Origin]) -> np.ndarray:
        """`(n,)` of the frames of an exam."""
        return np.array([self.share(origin) for origin in origins])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Found:
    """What a pooling found on the test side: in which exams with a lesion its frame is among the first three."""

    study: Study
    placed: list[bool]
    seconds: float

    @property
    def attends(self) -> bool:
        return self.study.bundle.members[0].attention is not None

    def __str__(self) -> str:
        placed = f"{np.mean(self.placed):.1%} of {len(self.placed)}"
        by = "attention" if self.attends else "mean"
        return f"{by} | {in_words(self.study.assessment['auc'])} | {placed} | {self.seconds:.0f} s"


def prove(exams: Marked, out: Path, recipe: Recipe) -> str:
    """Train by what is chosen and by the mean, and by attention where it was not chosen; a Markdown table."""
    chosen = _found(exams, out / "auto", recipe)
    choice = PoolingChoice.read(RunFolder(out / "auto").pooling)
    rows = {"auto": chosen}
    rows |= {each: _found(exams, out / each, dataclasses.replace(recipe, pooling=each)) for each in ("mean",)}
    if not chosen.attends:
        rows["attention"] = _found(exams, out / "attention", dataclasses.replace(recipe, pooling="attention"))
    area, placed = _ceiling(exams, chosen.study)
    lines = [
        f"{choice}.",
        "",
        f"| pooling | by | AUC of {chosen.study.evaluation.n} test exams | right frame in the first three | took |",
        "|---|---|---|---|---|",
        *(f"| {name} | {found} |" for name, found in rows.items()),
        f"| ceiling | frames taught one by one | {area:.3f} | {np.mean(placed):.1%} of {len(placed)} | |",
    ]
    return "\n".join(lines)


def _cases(study: Study, side: str) -> list[Case]:
    manifest = study.split.manifest
    return [manifest.cases[i] for i in manifest.select(side)]


def _found(exams: Marked, out: Path, recipe: Recipe) -> Found:
    started = time.perf_counter()
    study = train(exams.table, out, recipe, accept=_ACCEPTED, existing="replace", store=out.parent / "store")
    seconds, reader = time.perf_counter() - started, Reader.load(out)
    placed = []
    for case in _cases(study, "test"):
        if case.label == "lesion":
            frames = reader.read_exam([instance.path for instance in case.instances]).frames
            placed.append(any(exams.share(frame.origin) >= _NAMED for frame in frames if frame.rank <= 3))
    return Found(study=study, placed=placed, seconds=seconds)


def _ceiling(exams: Marked, study: Study) -> tuple[float, list[bool]]:
    """What the same features tell where the frames with the lesion are known: the area of the highest, and its place.

    A linear head is taught with the frames of the train side, each with what is true of it.
    """
    reader = Reader.load(study.out)
    graph = Graph(read_regular(RunFolder(Path(study.out)).bundle / study.bundle.members[0].graph))
    rng = np.random.default_rng(0)
    features, y_true = [], []
    for case in _cases(study, "train"):
        with reader.open_exam([instance.path for instance in case.instances]) as exam:
            shares = exams.shares(exam.origins)
            others = rng.permutation(np.flatnonzero(shares == 0))[:_OTHERS]
            chosen = [*np.flatnonzero(shares >= _TAUGHT).tolist(), *others.tolist()]
            features.append(graph.run(exam.some(chosen)).features)
            y_true.append(shares[chosen] > 0)
    taught = _linear().fit(np.concatenate(features), np.concatenate(y_true))
    highest, placed, labels = [], [], []
    for case in _cases(study, "test"):
        with reader.open_exam([instance.path for instance in case.instances]) as exam:
            said = np.concatenate([taught.decision_function(graph.run(part).features) for part in exam.chunks()])
            highest.append(said.max())
            labels.append(case.label == "lesion")
            if labels[-1]:
                placed.append(bool((exams.shares(exam.origins)[np.argsort(-said)[:3]] >= _NAMED).any()))
    return float(roc_auc_score(labels, highest)), placed


def _linear() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.003, class_weight="balanced", max_iter=300))
