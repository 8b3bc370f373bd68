"""Where cases are read from, as it is given on the command line, recorded by a run and taken up again."""

from __future__ import annotations

import inspect
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.cases import Source
from overread.cases.relabel import read_mapping, written_mapping
from overread.cli.options import make_source, options_of
from overread.errors import InvalidOption
from overread.machine.question import Question, answered_by, ask, terminal_user
from overread.recipe import Recipe
from overread.run import RunFolder, TrainingRun
from overread.run.request import StudyRequest
from overread.study.settle import settle
from support.command_line import overread, sentence
from support.tables import write_files, write_table

FULL = Source(
    data="/images",
    labels=("/labels.csv", "/more.csv"),
    images="/pictures",
    image_column="file",
    label_column="dx",
    patient_column="who",
    split_column="side",
    finding="mel",
    mapping={"a, b": "c", "d": ""},
    positive="c",
    patient_pattern="^P",
    ignore_sides=True,
)


def test_without_data_they_are_the_images_or_lie_beside_the_labels() -> None:
    assert Source(labels=("a/t.csv",), images="i").data == "i"
    assert Source(labels=Path("a/t.csv")) == Source(data="a", labels=("a/t.csv",))  # type: ignore[arg-type]
    assert Source(data=None, labels=["t.csv"]).data == "."  # type: ignore[arg-type]
    with pytest.raises(InvalidOption, match="no data are given"):
        Source()
    for wrong in ({"data": 5}, {"labels": [None]}, {"data": "d", "images": 5}):
        with pytest.raises(InvalidOption, match="expected a path"):
            Source(**wrong)  # type: ignore[arg-type]


def test_a_source_goes_through_json_and_the_command_line(tmp_path: Path) -> None:
    request = StudyRequest(recipe=Recipe(), source=FULL)
    run = TrainingRun(request=request, fingerprint="", images={}, patients={}, study="", left_out={})
    folder = RunFolder(tmp_path)
    folder.write(run)
    assert folder.read(TrainingRun).request.source == FULL
    assert not [path for path in (FULL.data, *FULL.labels, FULL.images) if f'"{path}"' in folder.record.read_text()]
    options = options_of(run)
    assert make_source(**{name: options[name] for name in inspect.signature(make_source).parameters}) == FULL


def test_a_run_goes_on_where_its_tables_and_images_were_moved() -> None:
    fixed = StudyRequest(recipe=Recipe(), source=FULL).fixed
    moved = Source(**{**vars(FULL), "data": "/new", "labels": ("/new.csv",), "images": None})
    assert StudyRequest(recipe=Recipe(), source=moved).fixed == fixed
    other = Source(**{**vars(FULL), "finding": "nv"})
    assert StudyRequest(recipe=Recipe(), source=other).fixed != fixed


def test_a_source_of_an_earlier_version_is_read() -> None:
    values = {"data": "/images", "positive": "ill", "patient_pattern": None}
    request = StudyRequest.from_dict({"recipe": Recipe().to_dict(), "source": values})
    assert request.source == Source(data="/images", positive="ill")


def test_paths_are_made_absolute_and_the_folders_stay_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = Source(data="d", labels=("t.csv",), images="i").absolute()
    assert (source.data, source.labels, source.images) == (
        str(tmp_path / "d"),
        (str(tmp_path / "t.csv"),),
        str(tmp_path / "i"),
    )
    assert Source(data="d", labels=("folders",)).absolute().labels == ("folders",)


def test_a_mapping_is_written_as_the_command_line_takes_it() -> None:
    assert read_mapping(["normal=NORMAL, nan=", '"a, b=c"', "x=y=z"]) == {
        "normal": "NORMAL",
        "nan": "",
        "a, b": "c",
        "x=y": "z",
    }
    with pytest.raises(InvalidOption, match="item 'normal': expected old=new"):
        read_mapping(["normal"])


NAMES = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="="), max_size=9).map(str.strip)


@given(st.dictionaries(NAMES, NAMES, max_size=4))
def test_a_written_mapping_is_read_again(mapping: dict[str, str]) -> None:
    assert read_mapping([written_mapping(mapping)]) == mapping


def test_the_command_line_reads_labels_from_tables(tmp_path: Path) -> None:
    write_files(tmp_path / "images", ["1.png", "2.png"])
    table = write_table(tmp_path / "labels.csv", "id;kind;stage\n1;a;x\n2;a;y\n")
    done = overread("audit", tmp_path / "images", "--labels", table, "--merge", "a=b,zz=")
    assert done.returncode == 2
    assert "--map names 'zz', which no image has" in sentence(done)
    done = overread("audit", tmp_path / "images", "--labels", table, "--label-column", "kinds")
    assert done.returncode == 2
    assert "--label-column 'kinds' is no column of labels.csv" in sentence(done)


def test_without_a_terminal_nobody_is_asked_and_the_options_are_named(tmp_path: Path) -> None:
    write_files(tmp_path / "images", [f"{n}.png" for n in range(4)])
    table = write_table(tmp_path / "labels.csv", "id,kind,stage\n0,a,x\n1,a,y\n2,b,x\n3,b,y\n")
    done = overread("audit", "--labels", table, "--images", tmp_path / "images", stdin="1\n")
    assert done.returncode == 2
    assert "several columns of labels.csv may be the label" in sentence(done)
    assert sentence(done).endswith("give --label-column kind or --label-column stage")


@pytest.mark.parametrize("command", ["audit", "train", "crossvalidate", "evaluate"])
def test_without_data_and_tables_a_command_says_what_it_expects(tmp_path: Path, command: str) -> None:
    given = {"audit": [], "evaluate": [str(tmp_path)]}.get(command, [])
    out = [] if command == "audit" else ["--out", str(tmp_path / "out")]
    done = overread(command, *given, *out)
    assert done.returncode == 2
    assert "no data are given" in sentence(done)


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_question_is_asked_by_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question(text="several", flag="--label-column", choices=("a b", "c\x1b"))
    assert terminal_user() is None
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    for typed, expected in (("9\nx\n1\n", "a b"), ("c\x1b\n", "c\x1b"), ("", None)):
        monkeypatch.setattr("sys.stdin", Terminal(typed))
        with answered_by(terminal_user()):
            assert ask(question) == expected
    assert "--label-column 'a b'" in screen.getvalue()
    assert "  2  c\\x1b" in screen.getvalue()
    assert ask(question) is None


def test_what_a_study_asked_its_user_is_recorded_with_the_run(tmp_path: Path) -> None:
    write_files(tmp_path / "images", [f"{n}.png" for n in range(4)])
    table = write_table(tmp_path / "labels.csv", "id,kind,stage\n0,a,x\n1,a,y\n2,b,x\n3,b,y\n")
    source = Source(data=str(tmp_path / "images"), labels=(str(table),))
    with answered_by(lambda question: question.choices[-1]):
        settled = settle(source, folder=RunFolder(tmp_path / "run"), former=None)
    recorded = settled.request.source
    assert recorded is not None
    assert (recorded.label_column, recorded.positive) == (("stage",), "y")
    again = settle(recorded, folder=RunFolder(tmp_path / "run"), former=None)
    assert again.manifest.cases == settled.manifest.cases
