"""The whole job on findings, on grades and on both at once: trained, exported, judged and read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread import Bundle, Manifest, Reader, Recipe, train
from overread.cases import Case
from overread.decision import Task
from support.kinds import BOTH, CHEST, GRADES, labels_of

QUICK = Recipe(network="compact", size=32, epochs=1, batch_size=16, precision="float32", mixup=0.2)


def manifest_of(task: Task, folder: Path, n: int = 120) -> Manifest:
    """Grey images of 60 patients, brighter where a question is answered with yes, some answers not known."""
    random = np.random.default_rng(0)
    labels = labels_of(task, n, random, 0.1)
    y_true = task.encode(labels)
    answers = np.stack([task.shows(y_true, name) for name in task.judged], axis=1)
    cases = []
    for number, (label, answer) in enumerate(zip(labels, answers, strict=True)):
        pixels = random.integers(0, 80, (32, 32))
        for row, yes in enumerate(answer):
            pixels[4 * row : 4 * row + 4] += 100 * int(yes)
        name = f"image-{number:03d}.png"
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name)
        cases.append(Case(path=folder / name, name=name, label=label, patient_id=f"patient {number // 2}"))
    return Manifest(cases=tuple(cases), task=task)


@pytest.mark.parametrize(
    "task",
    [pytest.param(CHEST, marks=pytest.mark.slow), pytest.param(GRADES, marks=pytest.mark.slow), BOTH],
    ids=["findings", "grades", "both"],
)
def test_a_study_of_any_kind_comes_to_a_bundle_that_reads(task: Task, tmp_path: Path, blank_figures: None) -> None:
    images = tmp_path / "images"
    images.mkdir()
    study = train(manifest_of(task, images), tmp_path / "run", QUICK, store=tmp_path / "store")
    bundle = Bundle.load(study.out / "bundle.zip")
    assert bundle.task == task and bundle.data["onnx_keras_difference"] <= 1e-3
    assert set(bundle.operating_points) == set(task.judged)
    (member,), (reference,) = bundle.members, bundle.references()
    assert member.calibration.each is not None and len(member.calibration.each) == task.outputs
    validation = study.split.parts[0].select("val")
    assert reference.scores.shape == (len(validation), len(task.classes))
    maps = bundle.data["activation_maps"]
    assert [each["class"] for each in maps["placed"]] == list(task.classes)
    reading = Reader.load(study.out / "bundle").read(images / "image-000.png")
    assert set(reading.probabilities) == set(task.classes)
    assert study.report.read_text(encoding="utf-8").count(task.judged[0]) > 1
