"""Places beyond this machine, as fsspec names them: `s3://bucket/folder`, `https://host/a.png`, `zip://::s3://...`.

What a user names becomes a path here and nowhere else. Credentials come by the store's own means: environment
variables, profiles, roles.
"""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from overread.errors import InvalidOption, MissingExtra, OverreadError
from overread.machine.extras import require_extra

if TYPE_CHECKING:
    from overread.machine.remote_path import RemotePath

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+::)*(?P<scheme>[a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_PASSWORD = re.compile(r"://[^/@]*:[^/@]*@")
_WEB = re.compile(r"https?://", re.IGNORECASE)
_DRIVERS = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss", "adl"), "adlfs"),
    **dict.fromkeys(("http", "https"), "aiohttp"),
}

# Requests at once: a store answers each after tens of milliseconds, in which a core reads several images.
FETCHERS = 16


def place(name: str | Path) -> Path:
    """The path that a text names: one of this machine, or a place that a `scheme://` leads to.

    Args:
        name: as a user, a table or a caller gives it; a path is given back, so that a `upath.UPath` keeps its options.

    Returns:
        A `pathlib.Path`, or what has its methods (a `upath.UPath`) and raises its errors.

    Raises:
        InvalidOption: no such scheme is known, or the address holds a password.
        MissingExtra: the library or the driver of the scheme is not installed.
    """
    if not isinstance(name, str):
        return _wrapped(name) if is_remote(name) else name
    found = _ADDRESS.match(name)
    if found is None:
        return Path(name)
    try:
        if found[0].lower() == "file://":
            return Path(urllib.request.url2pathname(urlsplit(name).path))
        return _beyond(name, found[0])
    except ValueError as error:
        if isinstance(error, OverreadError):
            raise
        # The rest of it may be a password.
        raise InvalidOption(f"the address {found[0]}... is none: expected {found[0]}PLACE/NAME") from None


def is_remote(path: object) -> bool:
    """Whether a path, or the text of one, leads beyond the files of this machine."""
    if isinstance(path, str):
        found = _ADDRESS.match(path)
        return found is not None and found[0].lower() != "file://"
    return not isinstance(path, Path) and hasattr(type(path), "fs")


def local_place(name: str | Path) -> Path:
    """The path of this machine that a text names.

    Raises:
        InvalidOption: it leads elsewhere.
    """
    if is_remote(name):
        raise InvalidOption(
            f"{public_name(name)} does not lie on this machine, and the folder of a run does: give a folder here, and "
            "copy it when the run is done"
        )
    return Path(name)


def public_name(path: str | Path) -> str:
    """What a place goes by in readings and messages: of a web address, without its query, which may hold a key."""
    name = str(path)
    return re.split(r"[?#]", name, maxsplit=1)[0] if _WEB.match(name) else name


def entries(folder: Path) -> list[tuple[str, bool]]:
    """The names in a remote folder, sorted, each with whether it is a folder.

    Raises:
        OSError: the folder cannot be listed.
    """
    return _remote(folder).entries()


def read_head(path: Path, length: int) -> bytes:
    """The first bytes of a remote file, without fetching the rest.

    Raises:
        OSError: they cannot be read.
    """
    return _remote(path).read_head(length)


def write_whole(path: Path, content: bytes | Path) -> None:
    """Write a remote file, from memory or from one of this machine, so that it is there whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    _remote(path).write_whole(content)


def _beyond(name: str, start: str) -> Path:
    if _PASSWORD.search(name):
        raise InvalidOption(
            f"the address {start}... holds a password, which logs and readings would show: leave it out, and give "
            "credentials as the store takes them, in environment variables, a profile or a role"
        )
    require_extra("remote", ("fsspec", "upath"))
    for address in name.split("::"):
        # Here, for a path of the web is looked at when it is told only; and no bare word of a chain is quoted.
        scheme = (urlsplit(address).scheme or address).lower()
        if not _SCHEME.fullmatch(scheme):
            raise ValueError
        _require_driver(scheme)
    from upath import UPath

    # Listings that s3fs and others keep would hide what was written since, and grow with the archive.
    return _wrapped(UPath(name, use_listings_cache=False))


def _wrapped(path: Any) -> Path:
    from overread.machine.remote_path import RemotePath

    return cast(Path, RemotePath.of(path))


def _remote(path: Path) -> RemotePath:
    return cast(Any, path)


def _require_driver(scheme: str) -> None:
    import fsspec

    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError:
        remedy = f"pip install {_DRIVERS[scheme]}" if scheme in _DRIVERS else "install the driver that fsspec names"
        raise MissingExtra(f"{scheme}:// needs a driver that is not installed: {remedy}") from None
    except ValueError:
        raise InvalidOption(
            f"{scheme}:// is not known: expected a path of this machine, or a scheme of fsspec such as s3, gs, az or "
            "https"
        ) from None
