"""The quickstart notebook: committed clean, and every cell runs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "quickstart.ipynb"
QUICKER = {"PATIENTS = 60": "PATIENTS = 24", "SIZE = 96": "SIZE = 64", "EPOCHS = 12": "EPOCHS = 2"}


def test_the_notebook_is_committed_without_outputs() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
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
    notebook = nbformat.read(NOTEBOOK, as_version=4)
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
