"""Tests of a training whose batches are dealt to hosts."""

import sys
from pathlib import Path

import numpy as np
import pytest

from overread.errors import HostLost, InvalidOption
from overread.scale.hosts import Hosts, run_on_hosts
from overread.training.batches import Batches

SCRIPT = Path(__file__).parent / "support" / "train_on_hosts.py"
# Hosts add in another order than one process. Adam makes steps of one size of gradients that are nearly 0, too: there
# 2 of 294,912 weights differed by 3e-5, all others by less than 2e-6 (November 2026).
TOLERANCE = 1e-4

pytest.importorskip("jax")


def batches(**options):
    pixels = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    return Batches(pixels, np.arange(10, dtype=np.float32)[:, None], range(10), batch_size=4, **options)


def train(out, hosts, *more):
    out.mkdir(exist_ok=True)
    return run_on_hosts(Hosts(count=hosts), [sys.executable, str(SCRIPT), str(out), *more])


def learnt(out):
    with np.load(out / "weights.npz") as saved:
        return {name: saved[name] for name in saved.files}


def assert_same(found, expected):
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=0, atol=TOLERANCE, err_msg=name)


@pytest.mark.parametrize("mixup", [0.0, 0.3])
def test_the_parts_of_hosts_are_the_batch_of_one_process(mixup):
    options = {"shuffle_seed": 3, "mixup": mixup, "is_whole": True}
    whole, parts = batches(**options), [batches(**options, part=(number, 2)) for number in range(2)]
    for step in range(len(whole)):
        for array, *of_hosts in zip(whole[step], *(part[step] for part in parts), strict=True):
            np.testing.assert_array_equal(np.concatenate(of_hosts), array)


def test_a_last_batch_is_filled_up_with_the_first_images_of_the_epoch():
    whole, short = batches(shuffle_seed=3, is_whole=True), batches(shuffle_seed=3)
    assert [len(whole[step][0]) for step in range(3)] == [4, 4, 4]
    np.testing.assert_array_equal(whole[2][1], np.concatenate([short[2][1], short[0][1][:2]]))


def test_what_fills_up_a_batch_of_validation_has_no_weight_and_leaves_the_mean_as_it_is():
    filled = batches(is_whole=True)
    _, targets, weights = (np.concatenate(each) for each in zip(*(filled[step] for step in range(3)), strict=True))
    assert (weights > 0).sum() == 10
    assert (weights * targets).mean() == pytest.approx(np.arange(10).mean())


@pytest.mark.parametrize(
    "options",
    [
        {"count": 0},
        {"count": 2, "number": 1},
        {"count": 2, "coordinator": "head"},
        {"count": 2, "coordinator": "head:99999", "number": 0},
        {"count": 2, "coordinator": "head:1234"},
        {"count": 2, "coordinator": "head:1234", "number": 2},
    ],
)
def test_hosts_that_contradict_one_another_are_refused(options):
    with pytest.raises(InvalidOption, match=r"--host|--coordinator"):
        Hosts(**options)


def test_a_host_that_is_killed_is_told_of_in_one_sentence():
    die = (
        "import os, sys, time\n"
        "if '\"number\": 1' in os.environ['OVERREAD_HOST']: os.kill(os.getpid(), 9)\n"
        "time.sleep(1); sys.exit(75)"
    )
    with pytest.raises(HostLost, match=r"^host 1 of 2 was lost \(SIGKILL\), .*--resume"):
        run_on_hosts(Hosts(count=2), [sys.executable, "-c", die])


def test_a_host_that_fails_by_itself_has_said_why():
    fail = "import os, sys, time; sys.exit(2) if '\"number\": 0' in os.environ['OVERREAD_HOST'] else time.sleep(60)"
    assert run_on_hosts(Hosts(count=2), [sys.executable, "-c", fail]) == 2


@pytest.mark.cluster
def test_one_host_goes_on_where_two_were_and_learns_what_one_alone_learns(tmp_path):
    alone, lost = tmp_path / "alone", tmp_path / "lost"
    assert train(alone, 1) == 0
    with pytest.raises(HostLost, match=r"host 1 of 2 was lost"):
        train(lost, 2, "2")
    assert train(lost, 1) == 0
    assert_same(learnt(lost), learnt(alone))


@pytest.mark.slow
@pytest.mark.parametrize("hosts", [2, 4])
def test_hosts_learn_together_what_one_learns(tmp_path, hosts):
    assert train(tmp_path / "alone", 1) == 0
    assert train(tmp_path / "together", hosts) == 0
    assert_same(learnt(tmp_path / "together"), learnt(tmp_path / "alone"))
