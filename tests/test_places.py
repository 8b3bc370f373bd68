"""Where things are kept: caches that may be deleted lie apart from what may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from overread.errors import MissingPath
from overread.machine.places import cache_folder, state_folder


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OVERREAD_STORE", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)


def test_variables_name_the_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert (cache_folder(), state_folder()) == (tmp_path / "cache" / "overread", tmp_path / "state" / "overread")
    monkeypatch.setenv("OVERREAD_STORE", str(tmp_path / "pixels"))
    assert (cache_folder(), state_folder()) == (tmp_path / "pixels", tmp_path / "state" / "overread")


@pytest.mark.skipif("sys.platform != 'linux'")
def test_without_variables_they_lie_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "overread"
    assert state_folder() == tmp_path / ".local" / "state" / "overread"


def test_a_user_without_a_home_folder_is_told_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    with pytest.raises(MissingPath, match=r"no home folder .* XDG_CACHE_HOME"):
        cache_folder()
    with pytest.raises(MissingPath, match=r"no home folder .* XDG_STATE_HOME"):
        state_folder()
