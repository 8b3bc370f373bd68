"""Files whose decoders may take a process down: it is another process, and one file that fails among others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.cases import Manifest
from overread.errors import InvalidOption, UnreadableImage
from overread.formats import REGISTERED, decode_apart, open_picture, read_header, register_format
from overread.formats.apart import DecodeApart
from overread.images import DataSet, Preprocessing, prepare
from overread.images.display import display
from support.fatal_format import MAGIC, Fatal

GREY = Preprocessing(height=32, width=32, channels=1)
TESTS = Path(__file__).parent


@pytest.fixture
def fatal() -> Iterator[None]:
    register_format(Fatal())
    yield
    del REGISTERED["FATAL"]


def encoded(kind: str, samples: int) -> bytes:
    """A DICOM file of this compression, of a picture that is wider than high."""
    pytest.importorskip("pydicom")
    from pydicom.uid import JPEG2000Lossless, JPEGLSLossless

    from support.dicom_files import dataset, file_bytes

    shape = (37, 53, 3) if samples == 3 else (37, 53)
    stored = np.random.default_rng(0).integers(0, 256 if samples == 3 else 4096, shape)
    ds = dataset(stored.astype(np.uint8 if samples == 3 else np.uint16))
    ds.compress({"JPEG-LS": JPEGLSLossless, "JPEG 2000": JPEG2000Lossless}[kind], generate_instance_uid=False)
    return file_bytes(ds)


@pytest.mark.parametrize("kind", ["JPEG-LS", "JPEG 2000"])
@pytest.mark.parametrize("samples", [1, 3])
def test_rare_codecs_work_apart_and_give_the_very_same_pixels(
    kind: str, samples: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rare.dcm"
    path.write_bytes(content := encoded(kind, samples))

    def read() -> list[np.ndarray]:
        with open_picture(path) as picture:
            shown = display(picture, 20)
        values = [] if shown.values is None else [shown.values]
        stretched = Preprocessing(height=20, width=30, channels=3, fit="stretch")
        return [prepare(path, GREY), prepare(content, GREY), prepare(path, stretched), shown.pixels, *values]

    apart = read()
    monkeypatch.setattr("overread.formats.dicom.frame.decode_apart", lambda: None)
    here = read()
    assert len(apart) == len(here) == (5 if samples == 1 else 4)
    assert all(np.array_equal(one, other) for one, other in zip(apart, here, strict=True))


def test_a_codec_that_is_sound_works_in_the_program_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pydicom")
    from support.dicom_files import dataset, file_bytes

    monkeypatch.setattr("overread.formats.image_file.run_apart", None)
    assert prepare(file_bytes(dataset(np.zeros((9, 9), np.uint16))), GREY).shape == (32, 32, 1)
    with pytest.raises(UnreadableImage, match="TypeError"):
        prepare(encoded("JPEG-LS", 1), GREY)


@pytest.mark.parametrize(
    "what, reason",
    [
        ("abort", "made its decoder crash: it is damaged; export it again"),
        ("hang", r"took longer to decode than 0\.5 s: export it again"),
        ("swallow", "needs more memory than an image is given"),
    ],
)
def test_whatever_a_decoder_does_is_said_of_its_file(
    fatal: None, what: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prepare(MAGIC, GREY).any()
    monkeypatch.setattr("overread.formats.apart.DECODING_S", 0.5 if what == "hang" else 20)
    with pytest.raises(UnreadableImage, match=reason):
        prepare(MAGIC + what.encode(), GREY)
    assert prepare(MAGIC, GREY).any()


def test_one_file_that_takes_its_decoder_down_fails_among_others_that_are_read(fatal: None, tmp_path: Path) -> None:
    for i in range(12):
        path = tmp_path / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("L", (9, 9), 20 * i).save(path)
    (tmp_path / "a" / "sound.fatal").write_bytes(MAGIC)
    (tmp_path / "a" / "damaged.fatal").write_bytes(MAGIC + b"abort")
    data_set = DataSet.open(Manifest.from_folder(tmp_path), GREY, skip_unreadable=True)
    assert [Path(path).name for path in data_set.failures] == ["damaged.fatal"]
    assert read_header(tmp_path / "a" / "damaged.fatal").width == 8


def test_a_format_that_cannot_be_sent_is_refused_where_it_asks_for_a_process(fatal: None) -> None:
    class Local(Fatal):
        __qualname__ = "Fatal"

    register_format(Local())
    with pytest.raises(InvalidOption, match="FATAL cannot be sent to the processes"):
        prepare(MAGIC, GREY)
    with pytest.raises(DecodeApart):
        decode_apart()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_program_that_forks_has_its_own_processes_on_either_side_and_leaves_none(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("""
import os
from support.fatal_format import MAGIC, Fatal
from overread.formats import register_format
from overread.images import Preprocessing, prepare
from overread.formats.apart import run_apart
register_format(Fatal())
grey = Preprocessing(height=8, width=8, channels=1)
before, pixels = run_apart(os.getpid), prepare(MAGIC, grey)
print(before, flush=True)
if not (child := os.fork()):
    assert (prepare(MAGIC, grey) == pixels).all()
    print(run_apart(os.getpid), flush=True)
    raise SystemExit(0)
assert os.waitpid(child, 0)[1] == 0
assert run_apart(os.getpid) == before
""")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    program = [sys.executable, "-W", "error", tmp_path / "program.py"]
    done = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    parents, childs = map(int, done.stdout.split())
    assert parents != childs
    assert not Path(f"/proc/{parents}").exists() and not Path(f"/proc/{childs}").exists()
