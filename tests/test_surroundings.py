"""Nothing is sent, nothing is left in a home folder, and settings for other programs change no result."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from overread.machine.terminal import shown
from overread.monitoring.drift_figure import draw_drift
from overread.report.figures import draw_confusion_matrix
from overread.report.figures.fonts import drawable, said_of
from overread.study.train import Study

SHOW_KERAS = """
from overread.networks.backend import keras
print(keras.config.floatx(), keras.config.image_data_format(), keras.config.backend(), keras.config.epsilon())
import sys
print([name for name in ("jax", "matplotlib.pyplot", "sklearn") if name in sys.modules])
"""
FULL_WIDTH = "\uff26\uff55\uff4c\uff4c"
MATPLOTLIBRC = {"text.usetex": True, "font.size": 40, "axes.facecolor": "red", "figure.dpi": 20, "axes.grid": True}


def python(code: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code as a user who has just come to this computer."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "SYSTEMROOT") if name in os.environ}
    paths = os.pathsep.join(path or "." for path in sys.path)
    environment = {**kept, "PYTHONPATH": paths, "HOME": str(home), "USERPROFILE": str(home), **variables}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "code",
    [
        "from overread import Reader; Reader.load({bundle!r}).read({image!r})",
        "import sys, overread.__main__; sys.argv[1:] = ['predict', {bundle!r}, {image!r}]; overread.__main__.main()",
        "import overread.service.server, overread.reading_log, overread.formats.dicom",
    ],
)
def test_reading_writes_nothing_into_a_home_folder_but_its_own_cache(
    tiny_study: Study, two_classes: Path, tmp_path: Path, code: str
) -> None:
    # What ONNX Runtime sends is kept there first, under a number of this computer.
    image = str(next((two_classes / "Normal").glob("*.png")))
    done = python(code.format(bundle=str(tiny_study.out / "bundle"), image=image), tmp_path)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.parent.name != "overread"] == []


def test_telemetry_is_off_in_every_process_that_overread_begins(tmp_path: Path) -> None:
    code = (
        "import multiprocessing, os, overread\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.apply(os.getenv, ('ORT_DISABLE_TELEMETRY',)))\n"
    )
    (tmp_path / "begin.py").write_text(code)
    done = python(f"import runpy; runpy.run_path({str(tmp_path / 'begin.py')!r}, run_name='__main__')", tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("1", "")


def test_keras_has_our_settings_whatever_a_home_folder_says_and_brings_nothing_along(tmp_path: Path) -> None:
    (tmp_path / ".keras").mkdir()
    settings = {"floatx": "float16", "image_data_format": "channels_first", "backend": "torch", "epsilon": 1e-3}
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    done = python(SHOW_KERAS, tmp_path, KERAS_MAX_EPOCHS="1", TF_CPP_MIN_LOG_LEVEL="3")
    said, loaded = done.stdout.splitlines()
    assert said.split() == ["float32", "channels_last", "tensorflow", "1e-07"], done.stderr
    assert loaded == "[]"  # Keras and TensorFlow load these where they are, for what no network needs


@pytest.mark.parametrize(
    ("backend", "said"),
    [
        ("tensorflw", "KERAS_BACKEND is 'tensorflw': expected tensorflow, jax, torch"),
        ("torch", "needs torch, which is"),
    ],
)
def test_a_backend_that_cannot_train_is_told_before_anything_is_decoded(
    two_classes: Path, tmp_path: Path, backend: str, said: str
) -> None:
    if importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is installed")
    run = f"import sys; sys.argv = ['overread', 'train', {str(two_classes)!r}, '--out', {str(tmp_path / 'run')!r}]"
    done = python(f"{run}; from overread.__main__ import main; main()", tmp_path, KERAS_BACKEND=backend)
    assert said in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_a_figure_is_the_same_under_any_matplotlibrc_which_stays_as_it_was(tmp_path: Path) -> None:
    import matplotlib

    matrix, classes = np.eye(2, dtype=int), ("Normal", "$x_1^2$")
    plain = draw_confusion_matrix(matrix, classes, path=tmp_path / "plain").read_bytes()
    with matplotlib.rc_context(MATPLOTLIBRC):
        assert draw_confusion_matrix(matrix, classes, path=tmp_path / "styled").read_bytes() == plain
        assert matplotlib.rcParams["font.size"] == 40


def test_names_in_any_script_are_drawn_without_a_warning_or_said_to_be_written_otherwise(tmp_path: Path) -> None:
    names = ("肺炎", "عادي", "תקין", "ปกติ", "🫁", "_hidden", "bad\udcc4", "\x1b[31m", FULL_WIDTH)
    draw_confusion_matrix(np.eye(len(names), dtype=int), names, path=tmp_path / "matrix")
    for name in names:
        assert bool(said_of([name])) == (drawable(name) != shown(name))
    assert drawable(FULL_WIDTH) in (FULL_WIDTH, "Full")


def test_a_letter_that_only_another_font_has_is_drawn_with_it() -> None:
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    usual, other = (FT2Font(findfont(FontProperties(family=name))) for name in ("DejaVu Sans", "STIXGeneral"))
    letter = chr(min(set(other.get_charmap()) - set(usual.get_charmap())))
    assert drawable(letter) == letter
    assert said_of([letter]) == ()


def test_drift_of_a_class_of_any_name_is_drawn(tmp_path: Path) -> None:
    day = datetime(2026, 11, 1, tzinfo=UTC)
    draw_drift([day], [0.5], [0.1, 0.9], name="score of \udcc4\x1b 肺炎", path=tmp_path / "drift")
