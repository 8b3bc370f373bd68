"""Logits of unseen patients for the real sets: a regularised linear head on frozen features of efficientnet-lite0.

Two classes of each set are told apart. The head learns from a part of the patients, every class counting alike, and
gives logits for the others, of their images as they are and darker, flatter, brighter, noisy or blurred.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from table import data_folder

from overread.images import Preprocessing, prepare

SIZE, FITTED = 160, 0.4
# Images of a set, so that their features take a few minutes.
MOST = 2500
_STRENGTHS = (1e-4, 1e-3, 1e-2, 0.1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Listed:
    """The images of a set: `(n,)` whether each is positive and whose it is."""

    name: str
    paths: Sequence[Path]
    y_true: np.ndarray
    patients: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scored:
    """Logits of patients that the head has not seen; `shifted` are those of changed images, a row a change."""

    name: str
    y_true: np.ndarray
    logits: np.ndarray
    patients: np.ndarray
    shifted: np.ndarray


def listed_sets() -> Iterator[Listed]:
    """Each set with two classes told apart; of chest_xray the training side alone."""
    xray = data_folder("chest_xray")
    rows = _thinned([row for row in _rows(xray / "images.csv") if row["split"] == "train"])
    paths, patients = [xray / row["path"] for row in rows], [row["patient_id"] for row in rows]
    yield _listed("chest_xray", paths, [row["label"] == "PNEUMONIA" for row in rows], patients)
    head = data_folder("head_ct")
    rows = [{key.strip(): value.strip() for key, value in row.items()} for row in _rows(head / "labels.csv")]
    paths = [head / "head_ct" / f"{int(row['id']):03d}.jpg" for row in rows]
    yield _listed("head_ct", paths, [row["hemorrhage"] == "1" for row in rows], [row["id"] for row in rows])
    paths = sorted((data_folder("blood_cells") / "TEST").glob("*/*.jpeg"))
    sources = [f"{path.parent.name}{path.stem.split('_')[1]}" for path in paths]
    for cell in ("NEUTROPHIL", "EOSINOPHIL"):
        yield _listed(f"blood_cells, {cell.lower()}", paths, [path.parent.name == cell for path in paths], sources)
    eyes = data_folder("idrid_grades")
    rows = _rows(eyes / "a. IDRiD_Disease Grading_Training Labels.csv")
    paths = [eyes / "train" / f"{row['Image name']}.jpg" for row in rows]
    grades = [int(row["Retinopathy grade"]) for row in rows]
    for least in (2, 3):
        yield _listed(f"idrid_grades, {least} or more", paths, [grade >= least for grade in grades], range(len(paths)))
    chest = data_folder("nih_multilabel")
    rows = _rows(chest / "labels_onehot.csv")
    paths, patients = [chest / "images" / row["Image"] for row in rows], [row["PatientId"] for row in rows]
    yield _listed("nih, effusion", paths, [row["Effusion"] == "1" for row in rows], patients)


def score(listed: Listed, cache: Path, *, seed: int) -> Scored:
    """Fit the head on a part of the patients and give the logits of the others."""
    features = features_of(listed.paths, cache / f"{listed.name.split(',')[0]}.npy")
    random, names = np.random.default_rng(seed), np.unique(listed.patients)
    taught = np.isin(listed.patients, random.permutation(names)[: int(FITTED * len(names))])
    head = _fit_head(features[0][taught], listed.y_true[taught], listed.patients[taught])
    logits = np.stack([head.decision_function(found[~taught]) for found in features])
    return Scored(
        name=listed.name,
        y_true=listed.y_true[~taught],
        logits=logits[0],
        patients=listed.patients[~taught],
        shifted=logits[1:],
    )


def read_scored(path: Path) -> Scored:
    """The logits of a file."""
    with np.load(path) as held:
        return Scored(
            name=f"fine-tuned, {path.stem.split('-')[0]}",
            y_true=held["y"].astype(int),
            logits=held["logits"].reshape(len(held["y"])),
            patients=held["patients"],
            shifted=np.stack([held[name].reshape(-1) for name in held if name.startswith("shift_")]),
        )


def _listed(name: str, paths: Sequence[Path], positive: Sequence[bool], patients: Sequence[object]) -> Listed:
    return Listed(name=name, paths=paths, y_true=np.array(positive, int), patients=np.array([str(p) for p in patients]))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def _thinned(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The rows of some patients, at most `MOST`."""
    names = sorted({row["patient_id"] for row in rows})
    order = {name: place for place, name in enumerate(np.random.default_rng(0).permutation(names))}
    return sorted(rows, key=lambda row: order[row["patient_id"]])[:MOST]


def _fit_head(features: np.ndarray, y_true: np.ndarray, patients: np.ndarray) -> object:
    folds = list(GroupKFold(3).split(features, y_true, patients))
    heads = [
        make_pipeline(StandardScaler(), LogisticRegression(C=c, class_weight="balanced", max_iter=500))
        for c in _STRENGTHS
    ]
    found = [cross_val_score(head, features, y_true, cv=folds, scoring="neg_log_loss").mean() for head in heads]
    return heads[int(np.argmax(found))].fit(features, y_true)


def features_of(paths: Sequence[Path], kept: Path) -> np.ndarray:
    """Pooled features `(1 + changes, n, features)`, computed once."""
    if not kept.exists():
        from overread.networks.backend import keras
        from overread.networks.build import NetworkSpec, build_network

        spec = NetworkSpec(name="efficientnet-lite0", height=SIZE, width=SIZE, channels=3, outputs=1)
        network = build_network(spec, pretrained=True)
        body = keras.Model(network.input, network.output["features"])
        options = Preprocessing(height=SIZE, width=SIZE, channels=3)
        pixels = np.stack([prepare(path, options) for path in paths])
        made = [pixels, *(np.stack([change(image) for image in pixels]) for change in _CHANGES)]
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, np.stack([body.predict(images, batch_size=64, verbose=0) for images in made]))
    return np.load(kept)


def _blurred(image: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(1.5)))


def _noisy(image: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 12, image.shape[:2])[..., None]
    return np.clip(image + noise, 0, 255).astype(np.uint8)


_CHANGES: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    lambda image: (image * 0.7).astype(np.uint8),
    lambda image: np.clip(image * 0.7 + 60, 0, 255).astype(np.uint8),
    _noisy,
    _blurred,
)
