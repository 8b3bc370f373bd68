"""Warnings of libraries are kept from users while we are at work with them, in the thread that is, and no longer."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from overread.images import Preprocessing, prepare
from overread.machine.quiet import without_warnings_of


def library(name: str) -> Callable[[], None]:
    """A function of a library's module that warns."""
    module = {"__name__": name}
    exec("import warnings\ndef warn():\n    warnings.warn('it quotes the file')", module)
    return module["warn"]  # type: ignore[return-value]


@pytest.mark.parametrize("action", ["error", "always", "default"])
def test_a_library_is_silent_within_and_heard_before_and_after(action: str) -> None:
    warn = library("noisy.inner")
    with warnings.catch_warnings(record=action != "error") as caught:
        warnings.simplefilter(action)  # type: ignore[arg-type]
        with without_warnings_of("noisy", "another"):
            warn()
        assert not caught
    with pytest.warns(UserWarning, match="quotes"):
        warn()


def test_other_libraries_and_other_threads_are_heard() -> None:
    failed: list[BaseException] = []

    def elsewhere() -> None:
        try:
            library("noisy")()
        except UserWarning as error:
            failed.append(error)

    with without_warnings_of("noisy"):
        with pytest.warns(UserWarning):
            library("noisier")()
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert len(failed) == 1


def test_a_filter_that_is_set_later_does_not_matter_and_the_list_does_not_grow() -> None:
    warn = library("noisy")
    for _ in range(3):
        warnings.simplefilter("error")
        with without_warnings_of("noisy"):
            warn()
        length = len(warnings.filters)
    with without_warnings_of("noisy"):
        assert len(warnings.filters) == length


def test_a_dicom_file_that_pydicom_warns_of_reads_and_pydicom_still_warns_others() -> None:
    pydicom = pytest.importorskip("pydicom")
    import io

    from support.dicom_files import dataset, file_bytes

    ds = dataset(np.arange(256, dtype=np.uint8).reshape(16, 16))
    ds.PixelData = ds.PixelData + bytes(64)
    content = file_bytes(ds)
    assert prepare(content, Preprocessing(height=16, width=16, channels=1)).any()
    with pytest.warns(UserWarning):
        _ = pydicom.dcmread(io.BytesIO(content)).pixel_array
