"""Work on a Ray cluster: its results are those of one machine, and what is lost is done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread import Recipe, crossvalidate, train
from overread.errors import InvalidData, InvalidOption, OverreadError
from overread.scale import RayTasks
from overread.scale.cluster import connected
from overread.scale.kept import KeptFolder
from overread.study.data import read_manifest
from support.kill_once import KillOnce

pytest.importorskip("ray")
QUICK = Recipe(network="compact", size=32, epochs=2, batch_size=8, precision="float32", learning_rate=5e-3)
TASKS = RayTasks()  # threads as on one machine: sums depend on their number


def _double(number: int) -> int:
    if number < 0:
        raise InvalidData("a number below 0: give another")
    return 2 * number


@pytest.mark.cluster
def test_tasks_give_results_in_the_order_of_the_items(cluster: None) -> None:
    assert list(TASKS.map(_double, range(5))) == [0, 2, 4, 6, 8]


@pytest.mark.cluster
def test_an_error_of_a_task_is_raised_as_it_is(cluster: None) -> None:
    with pytest.raises(InvalidData, match="a number below 0"):
        list(TASKS.map(_double, [1, -1]))


@pytest.mark.cluster
def test_more_processors_than_any_node_has_are_refused(cluster: None) -> None:
    with pytest.raises(InvalidOption, match="no node of the cluster has 9999 CPUs"):
        list(RayTasks(cpus=9999).map(_double, [1]))


@pytest.mark.parametrize("engine", ["spark", "ray:", "ray://", "ray://head", "ray://a b:1"])
def test_an_engine_that_is_none_is_told_with_those_that_are(engine: str) -> None:
    with pytest.raises(InvalidOption, match=r"expected ray .* ray://HEAD:10001"), connected(engine):
        pass


@pytest.mark.cluster
def test_a_lost_worker_is_gone_on_for_and_the_result_is_that_of_one_machine(
    cluster: None, two_classes: Path, tmp_path: Path
) -> None:
    manifest = read_manifest(two_classes, patient_pattern=r"^\w\d+")
    alone = crossvalidate(manifest, tmp_path / "alone", QUICK, folds=2, store=tmp_path / "s")
    spread = crossvalidate(
        manifest, tmp_path / "spread", QUICK, folds=2, store=tmp_path / "s", engine=TASKS,
        storage=str(tmp_path / "kept"), callbacks=[KillOnce(tmp_path / "killed", epoch=1)],
    )  # fmt: skip
    assert (tmp_path / "killed").exists()
    told = [(run.out / "predictions-seed-0.csv").read_bytes() for run in (alone, spread)]
    assert told[0] == told[1]


@pytest.mark.slow
@pytest.mark.cluster
def test_a_bundle_of_folds_is_that_of_one_machine(cluster: None, two_classes: Path, tmp_path: Path) -> None:
    manifest = read_manifest(two_classes, patient_pattern=r"^\w\d+")
    alone, spread = (
        train(manifest, tmp_path / name, QUICK, folds=2, store=tmp_path / "s", engine=engine)
        for name, engine in (("alone", None), ("spread", TASKS))
    )
    told = [(run.out / "test" / "predictions.csv").read_bytes() for run in (alone, spread)]
    assert told[0] == told[1]


def test_an_engine_has_nothing_to_spread_where_one_network_is_trained(two_classes: Path, tmp_path: Path) -> None:
    manifest = read_manifest(two_classes, patient_pattern=r"^\w\d+")
    with pytest.raises(InvalidOption, match="--folds 2 to 20"):
        train(manifest, tmp_path / "run", QUICK, engine=TASKS)


def test_a_kept_folder_is_brought_back_as_it_was(tmp_path: Path) -> None:
    folder, store, other = tmp_path / "folder", tmp_path / "store", tmp_path / "other"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "state").write_bytes(b"1")
    (folder / "best-1").write_bytes(b"1")
    (folder / "half.tmp").write_bytes(b"0")
    kept = KeptFolder(folder, store, last=("deep/state",))
    kept.keep()
    (folder / "best-1").unlink()
    (folder / "best-2").write_bytes(b"22")
    (folder / "deep" / "state").write_bytes(b"22")
    kept.keep()
    KeptFolder(other, store).bring()
    found = {path.relative_to(other).as_posix(): path.read_bytes() for path in other.rglob("*") if path.is_file()}
    assert found == {"best-2": b"22", "deep/state": b"22"}


def test_a_first_copy_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    folder, store = tmp_path / "folder", tmp_path / "store"
    store.mkdir()
    (store / "epoch-1").write_bytes(b"cut short")
    (store / "gone").write_bytes(b"cut short")
    kept = KeptFolder(folder, store, last=("record",))
    kept.bring()
    assert not [*folder.iterdir()]
    (folder / "epoch-1").write_bytes(b"1")
    (folder / "record").write_bytes(b"1")
    kept.keep()
    assert {path.name: path.read_bytes() for path in store.iterdir()} == {"epoch-1": b"1", "record": b"1"}


def test_a_store_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "state").write_bytes(b"1")
    with pytest.raises(OverreadError, match="--storage"):
        KeptFolder(tmp_path / "folder", tmp_path / "file" / "below").keep()
