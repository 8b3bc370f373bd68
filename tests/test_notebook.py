"""The quickstart notebook: committed clean, every cell runs, and a command writes it where the user stands."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from overread.demo.notebook import QUICKSTART
from support.command_line import overread, sentence

QUICKER = {"PATIENTS = 60": "PATIENTS = 24", "SIZE = 96": "SIZE = 64", "EPOCHS = 12": "EPOCHS = 2"}


def test_the_notebook_is_committed_without_outputs() -> None:
    text = QUICKSTART.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count is not None] == []
    assert notebook.metadata.kernelspec.name == "python3"
    assert "synthetic" in notebook.cells[0].source


def test_every_cell_of_the_notebook_runs_and_a_reader_sees_figures_and_no_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    notebook = nbformat.read(QUICKSTART, as_version=4)
    parameters = next(cell for cell in notebook.cells if cell.id == "parameters")
    for slow, quick in QUICKER.items():
        assert slow in parameters.source
        parameters.source = parameters.source.replace(slow, quick)

    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", allow_errors=False, resources=resources).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    printed = [(output.name, output.text) for output in outputs if output.output_type == "stream"]
    assert [text for stream, text in printed if stream == "stderr"] == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 5
    assert "epoch   2/2" in "".join(text for _, text in printed)
    assert len(list(tmp_path.glob("overread-*/run/report.html"))) == 1


def test_the_command_writes_the_notebook_and_says_how_to_open_it(tmp_path: Path) -> None:
    done = overread("notebook", "--out", tmp_path / "larynx.ipynb")
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "larynx.ipynb"))
    assert sentence(done) == f"open it with: jupyter lab {tmp_path / 'larynx.ipynb'}"
    assert (tmp_path / "larynx.ipynb").read_bytes() == QUICKSTART.read_bytes()


def test_a_notebook_of_the_user_is_not_replaced_unless_forced(tmp_path: Path) -> None:
    mine = tmp_path / "quickstart.ipynb"
    mine.write_text("mine")
    done = overread("notebook", "--out", tmp_path)
    assert done.returncode == 2
    assert sentence(done) == f"overread: {mine} is there already: choose another --out, or --force to replace it"
    assert mine.read_text() == "mine"
    assert overread("notebook", "--out", tmp_path, "--force").returncode == 0
    assert mine.read_bytes() == QUICKSTART.read_bytes()
