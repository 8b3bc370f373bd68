"""The store of prepared pixels: built once, shared, bounded, and never half there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from overread.errors import InvalidData, InvalidOption, MissingExtra, OutputUnwritable, UnreadableImage
from overread.images import PixelFile, PixelStore, Preprocessing, pixel_build, pixel_file, prepare
from overread.images.prepare import fit_pixels
from overread.machine.content.sealed import sealed
from overread.machine.workers import in_order

OPTIONS = Preprocessing(height=16, width=16, channels=1)
UNDECIDED = Preprocessing(height=16, width=16)


def write_images(folder: Path, count: int, *, coloured: tuple[int, ...] = ()) -> list[Path]:
    folder.mkdir(exist_ok=True)
    random, paths = np.random.default_rng(0), []
    for index in range(count):
        shape = (20, 20, 3) if index in coloured else (20, 20)
        paths.append(folder / f"{index:03}.png")
        Image.fromarray(random.integers(0, 256, shape, np.uint8)).save(paths[-1])
    return paths


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files decoded by the store, as they are."""
    seen: list[Path] = []

    def counted(
        content: bytes, preprocessings: Sequence[Preprocessing], name: str, **frame: int | None
    ) -> list[np.ndarray]:
        seen.append(Path(name))
        return fit_pixels(content, preprocessings, name, **frame)

    monkeypatch.setattr(pixel_build, "fit_pixels", counted)
    return seen


def test_a_store_holds_what_prepare_gives_in_order_of_the_paths(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 20)
    calls: list[tuple[int, int]] = []
    store = PixelStore.open(paths, OPTIONS, folder=tmp_path / "store", progress=lambda *call: calls.append(call))
    assert np.array_equal(store.pixels, np.stack([prepare(path, OPTIONS) for path in paths]))
    assert not store.failures
    assert store.preprocessing == OPTIONS
    assert store.path.is_file()
    assert calls == [(i, 20) for i in range(1, 21)]


def test_a_second_opening_decodes_nothing(tmp_path: Path, decoded: list[Path]) -> None:
    paths = write_images(tmp_path / "images", 5)
    first = PixelStore.open(paths, UNDECIDED, folder=tmp_path / "store")
    assert len(decoded) == 5 + 1  # one is looked at for colour
    second = PixelStore.open(paths, UNDECIDED, folder=tmp_path / "store")
    assert len(decoded) == 5 + 1  # one is looked at for colour
    assert np.array_equal(first.pixels, second.pixels)
    assert (first.digests, first.path, first.preprocessing) == (second.digests, second.path, second.preprocessing)


def test_content_options_and_order_decide_whether_a_store_is_reused(tmp_path: Path, decoded: list[Path]) -> None:
    paths, folder = write_images(tmp_path / "images", 3), tmp_path / "store"
    PixelStore.open(paths, OPTIONS, folder=folder)
    for path in paths:
        path.rename(path.with_name(f"renamed-{path.name}"))
    paths = [path.with_name(f"renamed-{path.name}") for path in paths]
    PixelStore.open(paths, OPTIONS, folder=folder)
    assert len(decoded) == 3
    reverse = PixelStore.open(paths[::-1], OPTIONS, folder=folder)
    assert np.array_equal(reverse.pixels[0], prepare(paths[-1], OPTIONS))
    PixelStore.open(paths, Preprocessing(height=16, width=16, channels=1, fit="stretch"), folder=folder)
    Image.new("L", (20, 20), 7).save(paths[0])
    changed = PixelStore.open(paths, OPTIONS, folder=folder)
    assert (changed.pixels[0] == 7).all()
    assert len(decoded) == 12


def test_what_cannot_be_read_is_a_named_failure(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 4)
    paths[1].write_text("no image")
    paths[2].unlink()
    paths[3].write_bytes(b"")
    store = PixelStore.open([*paths, tmp_path], UNDECIDED, folder=tmp_path / "store")
    assert set(store.failures) == {1, 2, 3, 4}
    for index, reason in {1: "none of PNG", 2: "is not there", 3: "is empty", 4: "is a folder"}.items():
        assert reason in store.failures[index]
    assert not store.pixels[1:].any()
    assert [bool(digest) for digest in store.digests] == [True, True, False, True, False]
    with pytest.raises(TypeError):
        store.failures[0] = "changed"  # type: ignore[index]


def test_only_failures_are_tried_again_and_a_cure_rebuilds(
    tmp_path: Path, decoded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths, folder = write_images(tmp_path / "images", 4), tmp_path / "store"
    is_installed = False

    def needs_decoder(
        content: bytes, preprocessings: Sequence[Preprocessing], name: str, **_: object
    ) -> list[np.ndarray]:
        decoded.append(Path(name))
        if Path(name) == paths[2] and not is_installed:
            raise UnreadableImage("has no decoder")
        return fit_pixels(content, preprocessings, name)

    monkeypatch.setattr(pixel_build, "fit_pixels", needs_decoder)
    assert PixelStore.open(paths, OPTIONS, folder=folder).failures == {2: "has no decoder"}
    decoded.clear()
    assert PixelStore.open(paths, OPTIONS, folder=folder).failures == {2: "has no decoder"}
    assert decoded == [paths[2]]
    is_installed = True
    cured = PixelStore.open(paths, OPTIONS, folder=folder)
    assert not cured.failures
    assert np.array_equal(cured.pixels[2], prepare(paths[2], OPTIONS))


@pytest.mark.parametrize("coloured, channels, is_late", [((), 1, False), ((0,), 3, False), ((128,), 3, True)])
def test_channels_follow_the_data_even_where_colour_turns_up_late(
    tmp_path: Path, decoded: list[Path], coloured: tuple[int, ...], channels: int, is_late: bool
) -> None:
    paths = write_images(tmp_path / "images", 130, coloured=coloured)
    store = PixelStore.open(paths, UNDECIDED, folder=tmp_path / "store")
    assert (decoded.count(paths[5]) > 1) == is_late
    assert store.preprocessing.channels == store.pixels.shape[-1] == channels
    assert np.array_equal(store.pixels, np.stack([prepare(path, store.preprocessing) for path in paths]))


@pytest.mark.parametrize("coloured", [(), (0,), (128,)])
def test_stores_opened_together_are_those_opened_alone_and_each_image_is_opened_once(
    tmp_path: Path, decoded: list[Path], coloured: tuple[int, ...]
) -> None:
    paths = write_images(tmp_path / "images", 130, coloured=coloured)
    sizes = [UNDECIDED, Preprocessing(height=24, width=24), Preprocessing(height=9, width=7, fit="stretch", channels=1)]
    together = PixelStore.open_each([*paths, tmp_path / "gone.png"], sizes, folder=tmp_path / "together")
    assert decoded.count(paths[100]) == (1 if coloured != (128,) else 3)
    for store, size in zip(together, sizes, strict=True):
        alone = PixelStore.open([*paths, tmp_path / "gone.png"], size, folder=tmp_path / "alone")
        assert np.array_equal(store.pixels, alone.pixels)
        assert (store.preprocessing, store.failures) == (alone.preprocessing, alone.failures)
        assert store.path.name[:64] == alone.path.name[:64]


@pytest.mark.parametrize(("coloured", "files"), [((), 1), ((0,), 2), ((128,), 2)])
def test_stores_that_come_to_the_same_share_their_pixels(
    tmp_path: Path, decoded: list[Path], coloured: tuple[int, ...], files: int
) -> None:
    paths, folder = write_images(tmp_path / "images", 130, coloured=coloured), tmp_path / "store"
    grey, undecided = PixelStore.open_each(paths, [OPTIONS, UNDECIDED], folder=folder)
    assert len(list(folder.glob("*.npy"))) == files
    assert np.array_equal(grey.pixels[5], prepare(paths[5], OPTIONS))
    decoded.clear()
    again = PixelStore.open(paths, OPTIONS, folder=folder)
    assert not decoded
    assert again.path == grey.path
    assert (undecided.path == grey.path) == (not coloured)


def test_a_user_who_asks_for_grey_gets_colour_converted(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 3, coloured=(1,))
    assert PixelStore.open(paths, OPTIONS, folder=tmp_path / "store").pixels.shape == (3, 16, 16, 1)


PIXELS = {
    "shorter": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "other": lambda content: b"x" * len(content),
    "header": lambda content: content.replace(b"(3, 16, 16, 1)", b"(3, 16, 8, 2) "),
    "bit": lambda content: content[:-300] + bytes([content[-300] ^ 4]) + content[-299:],
    "empty": lambda _: b"",
}
RECORD = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "list": lambda _: b"[]",
    "deep": lambda _: b"[" * 100_000,
    "null": lambda content: content[:50] + b"\0" + content[51:],
    "no-utf-8": lambda _: b"\xff",
    "failure": lambda content: content.replace(b'"failures": {}', b'"failures": {"1": "cannot be read"}'),
    "without-digest": lambda content: json.dumps(json.loads(content)["value"]).encode(),
    "of-another": lambda content: content.replace(b'"key": "', b'"key": "0'),
    "elsewhere": lambda _: json.dumps(sealed({"key": "0", "pixels": "../images/000.png"})).encode(),
}


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [(".npy", damage) for damage in PIXELS.values()] + [(".json", damage) for damage in RECORD.values()],
    ids=[f"pixels-{name}" for name in PIXELS] + [f"record-{name}" for name in RECORD],
)
def test_a_damaged_store_is_built_anew_and_this_is_said(
    tmp_path: Path, decoded: list[Path], suffix: str, damage: Callable[[bytes], bytes]
) -> None:
    paths, folder = write_images(tmp_path / "images", 3), tmp_path / "store"
    expected = PixelStore.open(paths, OPTIONS, folder=folder).pixels[:]
    (file,) = folder.glob(f"*{suffix}")
    content = file.read_bytes()
    file.write_bytes(damage(content))
    assert file.read_bytes() != content
    decoded.clear()
    again = PixelStore.open(paths, OPTIONS, folder=folder)
    assert len(decoded) == 3
    assert np.array_equal(again.pixels, expected)
    assert "were damaged, so that the images were decoded anew: check that disk" in again.notes[0]
    assert not PixelStore.open(paths, OPTIONS, folder=folder).notes
    assert len(decoded) == 3


def test_damaged_pixels_make_room_for_those_that_are_decoded_anew(tmp_path: Path) -> None:
    paths, folder = write_images(tmp_path / "images", 3), tmp_path / "store"
    former = PixelStore.open(paths, OPTIONS, folder=folder).path
    former.write_bytes(b"")
    again = PixelStore.open(paths, OPTIONS, folder=folder).path
    assert set(folder.glob("*.npy")) == {again} != {former}


def test_pixels_of_which_the_record_is_gone_are_decoded_anew(tmp_path: Path, decoded: list[Path]) -> None:
    paths, folder = write_images(tmp_path / "images", 3), tmp_path / "store"
    PixelStore.open(paths, OPTIONS, folder=folder).path.unlink()
    assert PixelStore.open(paths, OPTIONS, folder=folder).notes
    next(folder.glob("*.json")).unlink()
    assert not PixelStore.open(paths, OPTIONS, folder=folder).notes
    assert len(decoded) == 9


def test_a_row_that_changes_while_in_use_is_no_other_picture(tmp_path: Path) -> None:
    paths, folder = write_images(tmp_path / "images", 6), tmp_path / "store"
    store = PixelStore.open(paths, OPTIONS, folder=folder)
    expected = store.pixels[:]
    with store.path.open("r+b") as file:
        file.seek(-2 * 256 + 7, os.SEEK_END)
        file.write(bytes([expected[4].ravel()[7] ^ 1]))
    assert np.array_equal(store.pixels[[0, 3, 5]], expected[[0, 3, 5]])
    with pytest.raises(InvalidData, match=r"pixels of image 5 .* changed .* run the same command again.*--resume"):
        store.pixels[2:]
    again = PixelStore.open(paths, OPTIONS, folder=folder)
    assert again.notes
    assert np.array_equal(again.pixels, expected)


BUILD = """
import os, sys, time
from pathlib import Path
from typing import Any
from overread.images import PixelStore, Preprocessing
def progress(done, total):
    time.sleep(0.01)
    if len(sys.argv) > 3 and done == 5:
        os.kill(os.getpid(), 9)
paths = sorted(Path(sys.argv[1]).iterdir())
options = Preprocessing(height=16, width=16, channels=1)
store = PixelStore.open(paths, options, folder=Path(sys.argv[2]), progress=progress)
print(int(store.pixels[:].sum()), len(store.failures))
"""


def start(images: Path, folder: Path, *more: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", BUILD, str(images), str(folder), *more]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_build_the_same_store_at_once_both_get_it(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 40)
    both = [start(tmp_path / "images", tmp_path / "store") for _ in range(2)]
    printed = {process.communicate(timeout=60)[0].strip() for process in both}
    store = PixelStore.open(paths, OPTIONS, folder=tmp_path / "store")
    assert printed == {f"{int(store.pixels[:].sum())} 0"}


def test_a_process_that_is_killed_while_decoding_does_not_disturb_one_that_decodes_the_same(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 40)
    killed, other = (
        start(tmp_path / "images", tmp_path / "store", "die"),
        start(tmp_path / "images", tmp_path / "store"),
    )
    printed = other.communicate(timeout=60)[0].strip()
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    store = PixelStore.open(paths, OPTIONS, folder=tmp_path / "store")
    assert printed == f"{int(store.pixels[:].sum())} 0"
    assert not store.notes


def test_a_killed_build_leaves_no_store_and_its_remains_go_after_a_day(tmp_path: Path, decoded: list[Path]) -> None:
    paths, folder = write_images(tmp_path / "images", 40), tmp_path / "store"
    process = start(tmp_path / "images", folder, "die")
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    (remains,) = folder.iterdir()
    foreign, record_remains = folder / "notes.npy", folder / f".{remains.name[:64]}.json.7.tmp"
    foreign.touch()
    record_remains.touch()
    store = PixelStore.open(paths, OPTIONS, folder=folder)
    assert len(decoded) == 40
    assert remains.exists()
    for path in folder.iterdir():
        os.utime(path, (time.time() - 90000,) * 2)
    PixelStore.open(paths, OPTIONS, folder=folder)
    (record,) = folder.glob("*.json")
    assert set(folder.iterdir()) == {store.path, record, foreign}


def test_an_interrupted_build_removes_what_it_began(tmp_path: Path) -> None:
    def interrupt(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PixelStore.open(write_images(tmp_path / "images", 30), OPTIONS, folder=tmp_path / "store", progress=interrupt)
    assert not list((tmp_path / "store").iterdir())


@pytest.mark.parametrize("has_fallocate", [True, False])
def test_a_full_disk_is_reported_in_bytes_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, decoded: list[Path], has_fallocate: bool
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if has_fallocate:
        monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    else:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    monkeypatch.setattr(pixel_file, "free_bytes", lambda folder: 100)
    with pytest.raises(OutputUnwritable, match="needs 768 bytes and has 100 free"):
        PixelStore.open(write_images(tmp_path / "images", 3), OPTIONS, folder=tmp_path / "store")
    assert not decoded
    assert not list((tmp_path / "store").iterdir())


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 2)
    with pytest.raises(OutputUnwritable, match="cannot be written"):
        PixelStore.open(paths, OPTIONS, folder=paths[0] / "store")


def test_a_folder_that_became_read_only_still_serves_its_store(tmp_path: Path) -> None:
    paths, folder = write_images(tmp_path / "images", 2), tmp_path / "store"
    PixelStore.open(paths, OPTIONS, folder=folder)
    folder.chmod(0o500)
    try:
        assert PixelStore.open(paths, OPTIONS, folder=folder).pixels.shape == (2, 16, 16, 1)
        if os.geteuid() != 0:
            with pytest.raises(OutputUnwritable):
                PixelStore.open(paths[:1], OPTIONS, folder=folder)
    finally:
        folder.chmod(0o700)


def test_no_images_and_no_workers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="no images"):
        PixelStore.open([], OPTIONS, folder=tmp_path)
    with pytest.raises(InvalidOption, match="workers=0"):
        PixelStore.open(write_images(tmp_path / "images", 1), OPTIONS, folder=tmp_path, workers=0)


@pytest.mark.parametrize("error", [MissingExtra("pip install it"), ZeroDivisionError()])
def test_what_is_no_fault_of_a_file_stops_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> np.ndarray:
        raise error

    monkeypatch.setattr(pixel_build, "fit_pixels", fail)
    with pytest.raises(type(error)):
        PixelStore.open(write_images(tmp_path / "images", 2), OPTIONS, folder=tmp_path / "store")
    assert not list((tmp_path / "store").iterdir())


@pytest.fixture
def after_hashing(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What is done once all files are hashed, and none is decoded."""
    done: list[Callable[[], object]] = []
    reserve = PixelFile.reserve

    def reserved(path: Path, shape: tuple[int, ...]) -> PixelFile:
        for do in done:
            do()
        return reserve(path, shape)

    monkeypatch.setattr(PixelFile, "reserve", reserved)
    return done


def test_what_vanishes_or_changes_between_hashing_and_decoding_is_a_failure_and_never_other_content(
    tmp_path: Path, after_hashing: list[Callable[[], object]]
) -> None:
    paths, folder = write_images(tmp_path / "images", 5), tmp_path / "store"
    original = paths[1].read_bytes()
    paths[4].unlink()
    after_hashing[:] = [
        paths[0].unlink,
        lambda: shutil.copy(paths[2], paths[1]),
        lambda: paths[3].write_bytes(b""),
        lambda: shutil.copy(paths[2], paths[4]),
    ]
    store = PixelStore.open(paths, OPTIONS, folder=folder)
    assert set(store.failures) == {0, 1, 3, 4}
    assert "is not there" in store.failures[0]
    assert all("changed while it was being read" in store.failures[i] for i in (1, 3, 4))
    assert not store.pixels[[0, 1, 3, 4]].any()
    after_hashing.clear()
    again = PixelStore.open(paths, OPTIONS, folder=folder)
    assert set(again.failures) == {0, 3}
    assert np.array_equal(again.pixels[1], prepare(paths[2], OPTIONS))
    paths[1].write_bytes(original)
    assert np.array_equal(PixelStore.open(paths, OPTIONS, folder=folder).pixels[1], prepare(paths[1], OPTIONS))


def test_a_folder_that_is_unmounted_while_it_is_decoded_gives_named_failures(
    tmp_path: Path, after_hashing: list[Callable[[], object]]
) -> None:
    paths = write_images(tmp_path / "images", 3)
    after_hashing.append(lambda: (tmp_path / "images").rename(tmp_path / "elsewhere"))
    store = PixelStore.open(paths, OPTIONS, folder=tmp_path / "store")
    assert store.failures == dict.fromkeys(range(3), "is not there: check the path")


def test_the_clock_may_be_set_back_while_stores_are_there(tmp_path: Path, decoded: list[Path]) -> None:
    paths, folder = write_images(tmp_path / "images", 3), tmp_path / "store"
    store = PixelStore.open(paths, OPTIONS, folder=folder)
    remains = folder / f"{store.path.name[:64]}-{'0' * 32}.npy"
    remains.touch()
    tomorrow = time.time() + 3600
    for path in folder.iterdir():
        os.utime(path, (tomorrow, tomorrow))
    PixelStore.open(paths, OPTIONS, folder=folder)
    assert remains.exists()
    os.utime(remains, (tomorrow + 90000,) * 2)
    assert PixelStore.open(paths, OPTIONS, folder=folder).path == store.path
    assert not remains.exists()
    assert len(decoded) == 3


def test_only_a_bounded_number_of_images_is_under_way() -> None:
    taken = 0

    def items() -> object:
        nonlocal taken
        for index in range(1000):
            taken = index + 1
            yield index

    results = in_order(lambda index: (index, threading.get_ident()), items(), 2)
    for done in range(1000):
        index, thread = next(results)
        assert index == done
        assert thread != threading.get_ident()
        assert taken - done <= 8


def test_pixels_are_read_like_an_array_and_no_page_of_them_stays_mapped(tmp_path: Path) -> None:
    paths = write_images(tmp_path / "images", 9)
    pixels = PixelStore.open(paths, OPTIONS, folder=tmp_path / "store").pixels
    array = np.stack([prepare(path, OPTIONS) for path in paths])
    mask = np.arange(9) % 2 == 0
    for rows in (0, -1, slice(2, 7, 2), slice(4, 4), [], [3, 3, -2], np.array([[0, 1], [8, 2]]), mask):
        rows = np.array(rows, int) if isinstance(rows, list) else rows
        assert np.array_equal(pixels[rows], array[rows])
    assert (len(pixels), pixels.shape, pixels.dtype) == (9, array.shape, array.dtype)
    with pytest.raises(IndexError):
        pixels[9]


@pytest.mark.parametrize("is_positional", [True, False])
def test_threads_that_read_the_same_store_get_the_rows_that_they_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_positional: bool
) -> None:
    if not is_positional:
        monkeypatch.delattr(os, "preadv", raising=False)
    pixels = PixelStore.open(write_images(tmp_path / "images", 40), OPTIONS, folder=tmp_path / "store").pixels
    expected = pixels[:]
    orders = [np.random.default_rng(seed).integers(0, 40, 64) for seed in range(50)]
    with ThreadPoolExecutor(8) as pool:
        for order, found in zip(orders, pool.map(pixels.__getitem__, orders), strict=True):
            assert np.array_equal(found, expected[order])


def test_a_store_that_shrinks_while_it_is_read_is_no_silent_black(tmp_path: Path) -> None:
    store = PixelStore.open(write_images(tmp_path / "images", 4), OPTIONS, folder=tmp_path / "store")
    os.truncate(store.path, store.path.stat().st_size - 1)
    assert store.pixels[:3].any()
    with pytest.raises(InvalidData, match=r"image 4 .* changed on the disk while they were in use"):
        store.pixels[3]


@pytest.mark.parametrize("has_exif", [False, True])
def test_a_faintly_tinted_jpeg_is_stored_as_a_reader_of_one_channel_sees_it(tmp_path: Path, has_exif: bool) -> None:
    grey = np.random.default_rng(0).integers(5, 250, (32, 32, 1))
    tinted = Image.fromarray((grey + np.array([1, 0, 0])).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0110] = "a camera"
    tinted.save(tmp_path / "tinted.jpg", quality=98, subsampling=0, **({"exif": exif} if has_exif else {}))
    store = PixelStore.open([tmp_path / "tinted.jpg"], UNDECIDED, folder=tmp_path / "store")
    assert store.preprocessing.channels == 1
    assert np.array_equal(store.pixels[0], prepare(tmp_path / "tinted.jpg", store.preprocessing))
