"""What the system refused, with its remedy, and a place for the errors that nobody foresaw."""

from __future__ import annotations

import errno
import re
import tempfile
import traceback
from pathlib import Path

from overread.errors import OverreadError
from overread.machine.clock import now
from overread.machine.places import state_folder

_SPACE, _PERMISSIONS = "free some space", "check the permissions"
_REMEDIES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EACCES: _PERMISSIONS,
    errno.EPERM: _PERMISSIONS,
    errno.EROFS: "choose a folder on a disk that can be written",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EMFILE: "allow more open files (ulimit -n 4096)",
    errno.ENFILE: "allow more open files (ulimit -n 4096)",
    errno.EIO: "check the disk",
    errno.ENOMEM: "close other programs, or give smaller batches or images",
}
# h5py and TensorFlow tell the number in their message only.
_NUMBER = re.compile(r"errno ?=? ?(\d+)", re.IGNORECASE)


def refusal(error: OSError) -> str | None:
    """What the system refused and what to do about it; None for an error that is no refusal of a disk or its owner."""
    told = _NUMBER.search(str(error))
    number = error.errno or (int(told[1]) if told else None)
    if number not in _REMEDIES:
        return None
    return f"{error}: {_REMEDIES[number]}"


def keep_traceback(error: BaseException) -> Path | None:
    """Write where an unexpected error came from to a file of the user's state; None where nothing can be written."""
    text = "".join(traceback.format_exception(error))
    # Not in a folder of a known name among temporary files, which another user may have made.
    for folder_of in (lambda: state_folder() / "crashes", lambda: Path(tempfile.mkdtemp(prefix="overread-"))):
        try:
            folder = folder_of()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / f"{now().replace(':', '')}.txt"
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except (OSError, OverreadError):
            continue
        return path
    return None
