"""The command line: data on stdout, progress on stderr, one sentence and a status for what goes wrong."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from overread.bundle import Bundle
from overread.cli import app
from overread.errors import InvalidBundle, InvalidOption, MissingPath
from overread.study.train import Study
from support.command_line import overread, sentence
from support.image_files import write_tree


def test_predict_writes_csv_to_a_pipe_with_a_named_failure_and_status_1(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    (tmp_path / "broken.png").write_text("no image")
    done = overread("predict", tiny_study.out / "bundle", two_classes / "Disease", tmp_path / "broken.png")
    assert done.returncode == 1
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 25
    assert sum(bool(row["error"]) for row in rows) == 1
    assert sentence(done) == "1 of 25 images could not be read"


def test_predict_tells_what_it_leaves_out_of_a_folder_and_fails_for_what_should_have_been_there(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    shutil.copytree(two_classes / "Disease", tmp_path / "new")
    (tmp_path / "new" / "D000_0.png").rename(tmp_path / "new" / "D000_0.IMA")
    write_tree(tmp_path / "new", {"scan.mgz": b"\x1f\x8b", "notes.txt": "x", "a[b].mp4": "x", ".DS_Store": "x"})
    done = overread("predict", tiny_study.out, tmp_path / "new")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 25)
    assert "1 FreeSurfer volume is left out" in done.stderr
    assert "1 file is no image (1 .txt)" in done.stderr
    (tmp_path / "new" / "late.png").write_text("version https://git-lfs.github.com/spec/v1\n")
    done = overread("predict", tiny_study.out, tmp_path / "new")
    assert done.returncode == 1
    assert "git lfs pull" in done.stderr
    assert sentence(done) == "1 of 25 images could not be read"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_that_is_named_is_one_failure_and_does_not_wait(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    done = overread("predict", tiny_study.out, tmp_path / "pipe.png", "/dev/zero")
    assert done.returncode == 1
    assert done.stdout.count("is no regular file: one image file was expected") == 2
    for arguments, said in (
        (("train", tmp_path / "pipe.png", "--out", tmp_path / "run"), "is not a folder"),
        (("audit", "/dev/zero"), "is not a folder"),
        (("audit", two_classes, "--labels", tmp_path / "pipe.png"), "is no regular file: expected a table"),
        (("predict", tmp_path / "pipe.png", two_classes), "is no regular file: expected a bundle"),
    ):
        assert said in sentence(overread(*arguments))


def test_predict_refuses_to_tell_the_frames_of_single_images(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    done = overread("predict", tiny_study.out, two_classes / "Disease", "--each", tmp_path / "frames.csv")
    assert done.returncode == 2 and "reads single images" in done.stderr
    assert not (tmp_path / "frames.csv").exists()


def test_predict_reads_a_list_on_standard_input_and_prints_json_lines(tiny_study: Study, two_classes: Path) -> None:
    images = sorted((two_classes / "Normal").glob("*.png"))[:3]
    done = overread("predict", tiny_study.out / "bundle.zip", "-", "--json", stdin="\n".join(map(str, images)))
    assert done.returncode == 0
    readings = [json.loads(line) for line in done.stdout.splitlines()]
    assert [reading["path"] for reading in readings] == [str(path) for path in images]
    assert set(readings[0]["probabilities"]) == {"Normal", "Disease"}


def test_predict_writes_the_csv_file_that_it_is_given(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    done = overread("predict", tiny_study.out / "bundle", two_classes, "--csv", tmp_path / "out.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 65


def test_evaluate_prints_the_metrics_as_json(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    done = overread("evaluate", tiny_study.out / "bundle", two_classes, "--out", tmp_path / "e", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["n"] == 64


def test_evaluate_takes_level_and_prevalence_and_compare_reads_its_folder(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    options = ("--level", "0.9", "--prevalence", "0.02", "--json")
    done = overread("evaluate", tiny_study.out / "bundle", two_classes, "--out", tmp_path / "e", *options)
    found = json.loads(done.stdout)
    assert (found["level"], found["metrics"]["auc"]["interval"]["level"]) == (0.9, 0.9)
    assert found["prevalence"] == found["decision_curves"]["Disease"]["prevalence"] == 0.02
    assert {"ppv", "npv"} == set(found["predictive_values"])
    shutil.copytree(tmp_path / "e", tmp_path / "f")
    compared = overread("compare", tmp_path / "e", tmp_path / "f", "--out", tmp_path / "c", "--json")
    assert json.loads(compared.stdout)["identical"] and sentence(compared) == f"open {tmp_path / 'c' / 'report.html'}"
    refused = overread("compare", tmp_path / "e", tmp_path / "e")
    assert refused.returncode == 2 and "are the same evaluation" in sentence(refused)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("train", "{tmp}/absent", "--out", "{tmp}/run"), 2, "is not there: expected a folder of class sub-folders"),
        (("train", "{tmp}", "--out", "{tmp}-run"), 1, "has no class sub-folders"),
        (("predict", "{tmp}/absent", "{data}"), 2, "is not there: expected a bundle"),
        (("explain", "{data}", "{data}", "--out", "{tmp}/run"), 1, "has no bundle.json"),
    ],
)
def test_wrong_use_ends_in_one_sentence_and_a_status(
    two_classes: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = overread(*(argument.format(tmp=tmp_path, data=two_classes) for argument in arguments))
    assert done.returncode == status
    assert message in sentence(done)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (("train", "{data}", "--out", "{tmp}/run", "--network", "alexnet"), InvalidOption, "no network 'alexnet'"),
        (("train", "{data}", "--out", "{tmp}/run", "--zoom", "7"), InvalidOption, "augmentation zoom=7"),
        (("train", "{data}", "--out", "{tmp}/run", "--patient-pattern", "("), InvalidOption, "no regular expression"),
        (("train", "{data}", "--out", "{tmp}/run", "--resume", "--force"), InvalidOption, "give one of them"),
        (("train", "{data}", "--out", "{data}"), InvalidOption, "lies in the data"),
        (("train", "{data}", "--out", "{tmp}/run", "--operating-point", "best"), InvalidOption, "'best' is unknown"),
        (("train", "{data}", "--out", "{tmp}/run", "--calibration", "platt"), InvalidOption, "'platt' is unknown"),
        (("train", "{data}", "--out", "{tmp}/run", "--prevalence", "2"), InvalidOption, "prevalence=2.0 is no share"),
        (("train", "{data}", "--out", "{tmp}/run", "--by", "sex"), InvalidOption, "no column 'sex' to group by"),
        (
            ("crossvalidate", "{data}", "--out", "{tmp}/run", "--folds", "1"),
            InvalidOption,
            "folds=1 is outside 2 to 20",
        ),
        (("compare", "{data}", "{data}"), MissingPath, "holds no evaluation"),
        (("predict", "{data}", "{data}"), InvalidBundle, "has no bundle.json"),
        (("evaluate", "{data}", "{data}", "--out", "{tmp}/run"), InvalidBundle, "has no bundle.json"),
    ],
)
def test_wrong_use_of_an_option_is_refused_and_leaves_nothing(
    two_classes: Path, tmp_path: Path, arguments: tuple[str, ...], kind: type[Exception], message: str
) -> None:
    done = CliRunner().invoke(app, [argument.format(tmp=tmp_path, data=two_classes) for argument in arguments])
    assert type(done.exception) is kind and message in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_where_a_bundle_is_asked_for_the_folder_of_its_run_will_do(
    tiny_study: Study, two_classes: Path, tmp_path: Path
) -> None:
    image = next((two_classes / "Normal").glob("*.png"))
    done = overread("predict", tiny_study.out, image, "--json")
    assert (done.returncode, json.loads(done.stdout)["path"]) == (0, str(image))
    assert Bundle.load(tiny_study.out).fingerprint == tiny_study.bundle.fingerprint
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(MissingPath, match="is a run without a bundle"):
        Bundle.load(tmp_path)


def test_a_changed_bundle_is_refused(tiny_study: Study, two_classes: Path, tmp_path: Path) -> None:
    text = (tiny_study.out / "bundle" / "bundle.json").read_text()
    (tmp_path / "bundle.json").write_text(text.replace("Disease", "Health"))
    done = overread("predict", tmp_path, two_classes)
    assert done.returncode == 1
    assert "was altered or damaged" in sentence(done)
