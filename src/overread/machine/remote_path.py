"""The paths of remote places: those of universal-pathlib, whose errors are told as those of local files are."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from upath.extensions import ProxyUPath

from overread.errors import OverreadError, PlaceUnreachable
from overread.machine.remote import public_name

# In names of errors of botocore, google-auth and azure, which a place with another driver does not install.
_OF_CREDENTIALS = re.compile(r"Credential|Profile|Token|SSO|Refresh|Authentication")
_WEB = frozenset({"http", "https"})
# An object of these is there when it is whole, so that no temporary name is needed.
_WHOLE_ON_CLOSE = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "memory"})


def _told(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def called(self: RemotePath, *args: Any, **options: Any) -> Any:
        with _failures_at(self):
            return method(self, *args, **options)

    return called


class RemotePath(ProxyUPath):
    """A path of any store that fsspec reaches."""

    __slots__ = ()

    @classmethod
    def of(cls, path: Any) -> RemotePath:
        """Wrap a path of universal-pathlib; a wrapped one is given back."""
        return cls._from_upath(path)

    open = _told(ProxyUPath.open)
    stat = _told(ProxyUPath.stat)
    exists = _told(ProxyUPath.exists)
    is_file = _told(ProxyUPath.is_file)
    mkdir = _told(ProxyUPath.mkdir)
    rename = _told(ProxyUPath.rename)
    unlink = _told(ProxyUPath.unlink)

    def iterdir(self) -> Iterator[RemotePath]:
        """What is in the folder, sorted by name."""
        return (self / name for name, _ in self.entries())

    def is_dir(self) -> bool:
        """Whether it is a folder; on the web, where only a page could tell, whether it ends in a slash."""
        if self.protocol in _WEB:
            return str(self).endswith("/")
        with _failures_at(self):
            return bool(self.fs.isdir(self.path))

    def is_symlink(self) -> bool:
        """No store has links."""
        return False

    def entries(self) -> list[tuple[str, bool]]:
        """The names in the folder, sorted, each with whether it is a folder."""
        with _failures_at(self):
            listed = self.fs.ls(self.path, detail=True)
        paths = ((one["name"].strip("/"), one["type"] == "directory") for one in listed)
        # Stores keep an empty object that stands for the folder itself.
        own = self.path.strip("/")
        return sorted({path.rpartition("/")[2]: is_folder for path, is_folder in paths if path != own}.items())

    def glob(self, pattern: str) -> Iterator[RemotePath]:
        """What matches a pattern below, sorted."""
        with _failures_at(self):
            return iter(sorted(super().glob(pattern), key=str))

    def read_bytes(self) -> bytes:
        """The content, by one request."""
        with _failures_at(self):
            return self.fs.cat_file(self.path)

    def write_bytes(self, content: bytes) -> int:
        """Write the content, by one request where the store takes it so."""
        with _failures_at(self):
            self.fs.pipe_file(self.path, content)
        return len(content)

    def read_head(self, length: int) -> bytes:
        """The first bytes, without fetching the rest."""
        with _failures_at(self), self.fs.open(self.path, "rb", cache_type="none") as stream:
            return stream.read(length)

    def write_whole(self, content: bytes | Path) -> None:
        """Write what is in memory or in a local file, under a temporary name where the store shows unfinished files."""
        is_safe = self.protocol in _WHOLE_ON_CLOSE
        target = self if is_safe else self.with_name(f".{self.name}.{os.getpid()}.tmp")
        with _failures_at(self):
            if isinstance(content, bytes):
                self.fs.pipe_file(target.path, content)
            else:
                self.fs.put_file(str(content), target.path)
            if not is_safe:
                self.fs.mv(target.path, self.path)

    def replace(self, target: Any) -> RemotePath:
        """Rename, in place of what is there."""
        with _failures_at(self):
            self.fs.mv(self.path, target.path)
        return target

    def absolute(self) -> RemotePath:
        """Itself."""
        return self

    def resolve(self, strict: bool = False) -> RemotePath:
        """Itself."""
        return self


@contextlib.contextmanager
def _failures_at(path: RemotePath) -> Iterator[None]:
    """Raise what a driver raises as the errors of a file system, without an address that may hold a key."""
    try:
        yield
    except (OverreadError, MemoryError):
        raise
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), public_name(str(path))) from None
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise type(error)(error.errno or errno.EIO, type(error).__name__, public_name(str(path))) from None
    except Exception as error:  # noqa: BLE001 - drivers raise what their libraries do
        raise _unreachable(path, error) from None


def _unreachable(path: RemotePath, error: Exception) -> PlaceUnreachable:
    name = type(error).__name__
    if isinstance(error, PermissionError) or getattr(error, "status", None) in (401, 403):
        why = "access is denied: check your credentials and the rights that they give"
    elif _OF_CREDENTIALS.search(name):
        why = f"{name}: set credentials as this store takes them"
    else:
        why = f"{name}: check the address and the network"
    return PlaceUnreachable(f"{public_name(str(path))} cannot be reached ({why})", why)
