"""A run goes on by its folder alone, from wherever it was killed, and only as what it was."""

from __future__ import annotations

import importlib
import inspect
import json
import shutil
from pathlib import Path

import pytest

from overread import Recipe, train
from overread.cases import Source
from overread.cli.options import make_recipe, options_of
from overread.errors import BlockedByAudit, InvalidOption
from overread.evaluation import AssessmentOptions
from overread.networks.augmentation import Augmentation
from overread.run import RunFolder, StudyRequest, TrainingRun
from overread.study import Study
from support.command_line import overread, sentence

pytestmark = pytest.mark.usefixtures("blank_figures")
QUICK = Recipe(network="compact", size=32, epochs=1, batch_size=8, precision="float32")


@pytest.fixture
def killed(two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was killed as its audit was written."""

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    module = importlib.import_module("overread.study.stages.begin")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(module, "write_json", kill)
        train(
            Source(data=str(two_classes), positive="Normal", patient_pattern=r"^\w\d+"),
            tmp_path / "run",
            QUICK,
            options=AssessmentOptions(level=0.9),
            store=tmp_path / "s",
        )
    return tmp_path / "run"


def test_a_run_that_was_killed_before_its_training_goes_on_by_its_folder_alone(killed: Path, tmp_path: Path) -> None:
    study = train(None, killed, existing="resume", store=tmp_path / "s")
    run = RunFolder(killed).read(TrainingRun)
    assert run.request.recipe.to_dict() == QUICK.for_images(30).to_dict()
    assert study.bundle.positive == "Normal"
    assert study.split.manifest.has_patients
    assert study.assessment.options.level == 0.9
    assert RunFolder(killed).is_finished


def test_a_run_from_before_copies_were_joined_goes_on_with_its_own_split(
    two_classes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    shutil.copytree(two_classes, folder)
    for path in (folder / "Normal").glob("*_0.png"):
        shutil.copy(path, path.with_name(f"copy{path.name}"))

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(importlib.import_module("overread.study.sides"), "join_copies", lambda manifest, *_: manifest)
        patch.setattr(importlib.import_module("overread.study.stages.begin"), "write_json", kill)
        train(folder, tmp_path / "run", QUICK, accept=["duplicate-across-splits"], store=tmp_path / "s")
    record = RunFolder(tmp_path / "run").record
    earlier = json.loads(record.read_text())
    assert earlier.pop("copies") == 0
    record.write_text(json.dumps(earlier))
    study = train(None, tmp_path / "run", existing="resume", store=tmp_path / "s")
    assert RunFolder(tmp_path / "run").read(TrainingRun).fingerprint == earlier["data"]["fingerprint"]
    assert not any("copies" in case.counts_as for case in study.split.manifest.cases)


def test_a_run_that_was_killed_before_its_training_may_be_replaced(killed: Path) -> None:
    assert not list(RunFolder.open(killed, "replace").path.iterdir())


@pytest.mark.parametrize(
    ("source", "recipe", "named"),
    [
        ({}, Recipe(network="compact", size=32, epochs=2, batch_size=4, precision="float32"), "epochs, batch_size"),
        ({"positive": "Disease"}, None, "positive"),
        ({"patient_pattern": None}, None, "patient_pattern"),
    ],
)
def test_what_is_given_and_differs_is_refused_by_name_before_an_image_is_read(
    killed: Path, two_classes: Path, tmp_path: Path, source: dict[str, str], recipe: Recipe | None, named: str
) -> None:
    given = Source(**{"data": str(two_classes), "positive": "Normal", "patient_pattern": r"^\w\d+", **source})
    with pytest.raises(InvalidOption, match=f"differs in {named}:"):
        train(given, killed, recipe, existing="resume", store=tmp_path / "unused")
    assert not (tmp_path / "unused").exists()


def test_a_run_that_the_audit_stopped_leaves_its_folder_to_the_next_try(two_classes: Path, tmp_path: Path) -> None:
    rows = [f"{path},{path.parent.name},p,{side}" for path, side in _one_patient_on_each_side(two_classes)]
    table = tmp_path / "cases.csv"
    table.write_text("\n".join(["path,label,patient_id,split", *rows]), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(BlockedByAudit, match=r"--accept one-patient-id|--accept patient-across-splits"):
            train(table, tmp_path / "run", QUICK, store=tmp_path / "s")
        assert not list((tmp_path / "run").iterdir())


def _one_patient_on_each_side(folder: Path) -> list[tuple[Path, str]]:
    return [(path, ("train", "train", "val", "test")[i % 4]) for i, path in enumerate(sorted(folder.glob("*/*.png")))]


def test_without_data_a_run_is_needed_that_tells_its_own(tiny_study: Study, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match="no data are given"):
        train(None, tmp_path / "run", QUICK, existing="resume")
    with pytest.raises(InvalidOption, match="no data are given"):
        train(None, tiny_study.out, existing="resume")


def test_a_code_that_no_finding_has_is_refused_and_those_like_it_are_named(two_classes: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=r"the code 'mask-among-image', .* expected mask-among-images"):
        train(two_classes, tmp_path / "run", QUICK, accept=["mask-among-image"], store=tmp_path / "s")
    with pytest.raises(InvalidOption, match=r"expected one of .*patient-across-splits"):
        train(two_classes, tmp_path / "run", QUICK, accept=["!"], store=tmp_path / "s")
    assert not list(tmp_path.iterdir())


def test_the_options_of_a_run_make_its_recipe_again() -> None:
    recipe = Recipe(network="efficientnet-lite0", seed=3, augmentation=Augmentation(rotation_degrees=3, zoom=0))
    run = TrainingRun(
        request=StudyRequest(recipe=recipe), fingerprint="", images={}, patients={}, study="", left_out={}
    )
    options = options_of(run)
    made = make_recipe(**{name: options.get(name) for name in inspect.signature(make_recipe).parameters})
    assert made.to_dict() == recipe.to_dict()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--out", "{run}", "--resume", "--epochs", "9"), "differs in epochs"),
        (("train", "--out", "{run}", "--resume", "--zoom", "0.2"), "differs in augmentation"),
        (("train", "--out", "{run}", "--resume"), "no data are given"),
        (("train", "--out", "{tmp}/run"), "no data are given"),
        (("train", "{data}", "--out", "{tmp}/run", "--accept", "nonsense"), "the code 'nonsense'"),
        (("crossvalidate", "{data}", "--out", "{tmp}/run", "--accept", "nonsense"), "the code 'nonsense'"),
    ],
)
def test_the_command_line_resumes_by_the_folder_and_compares_only_what_is_given(
    tiny_study: Study, two_classes: Path, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    places = {"run": tiny_study.out, "data": two_classes, "tmp": tmp_path}
    done = overread(*(argument.format(**places) for argument in arguments))
    assert done.returncode == 2
    assert message in sentence(done)
    assert not list(tmp_path.iterdir())
