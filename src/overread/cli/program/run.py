"""The program: a command is run, and ends in one sentence and a status, whatever happens."""

from __future__ import annotations

import os
import re
import sys

from overread.cli.commands import app, progress
from overread.cli.program.failures import keep_traceback, refusal
from overread.cli.program.surroundings import keep_out_settings
from overread.errors import BlockedByAudit, Interrupted, InvalidOption, MissingPath, OutputExists, OverreadError
from overread.machine.memory import lacks_memory
from overread.machine.question import answered_by, terminal_user
from overread.machine.terminal import flush_streams, hide_notices, prepare_streams, say
from overread.scale.hosts import Hosts

_STATUS = {InvalidOption: 2, MissingPath: 2, OutputExists: 2, BlockedByAudit: 3, Interrupted: 130}
_DEBUG = "OVERREAD_DEBUG"
# Shells leave it as it is behind `--out=`, and that of Windows everywhere.
_WITH_HOME = re.compile(r"^(--[\w-]+=)?(~(?=$|[/\\]).*)", re.DOTALL)


def main() -> None:
    """Run the command line; an error becomes one sentence on stderr.

    Exit status: 0 fine, 1 warnings, images that cannot be read or a run that failed, 2 wrong use, 3 blocked by the
    audit, 130 interrupted.
    """
    prepare_streams()
    hide_notices()
    keep_out_settings()
    try:
        try:
            with answered_by(terminal_user()):
                app([_WITH_HOME.sub(_expanded, argument) for argument in sys.argv[1:]])
        finally:
            flush_streams()
    except OverreadError as error:
        _stop(str(error), next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 1))
    except KeyboardInterrupt:
        _stop("stopped by Ctrl-C", 130)
    except Exception as error:
        if os.environ.get(_DEBUG):
            raise
        _stop(_sentence_of(error), 1, at_once=isinstance(error, OSError))


def _expanded(found: re.Match[str]) -> str:
    return (found[1] or "") + os.path.expanduser(found[2])  # noqa: PTH111 - without a home it stays as it is


def _sentence_of(error: Exception) -> str:
    """What to say of an error that was not raised on purpose: neither its text nor its place, which may name a patient.

    What Keras, TensorFlow or Pillow could not write or read in the middle of a run is told as the system tells it.
    """
    if isinstance(error, OSError) and (refused := refusal(error)):
        return f"{refused}; a training run goes on with --resume"
    if isinstance(error, FileNotFoundError) and error.filename is None:  # that of os.getcwd
        return "the current folder is not there any more: change to another"
    if lacks_memory(error):
        return "there is not enough memory: give smaller images or batches, or close other programs"
    if isinstance(error, UnicodeEncodeError) and sys.getfilesystemencoding() != "utf-8":
        return (
            f"the encoding of this system ({sys.getfilesystemencoding()}) lacks letters of a file's name: set "
            "LC_ALL=C.UTF-8, or PYTHONUTF8=1"
        )
    path = keep_traceback(error)
    where = f"what happened is written to {path}" if path else "it cannot be written anywhere"
    return (
        f"an error came up that was not foreseen ({type(error).__name__}); {where}: report it with that, or see it by "
        f"{_DEBUG}=1"
    )


def _stop(sentence: str, status: int, *, at_once: bool = False) -> None:
    say(progress, f"overread: {sentence}", "bold red")
    if at_once or Hosts.of_this_process() is not None:
        # JAX waits for the other hosts of a training on its way out, and aborts then.
        # h5py crashes the interpreter on its way out when a file could not be closed on a full disk.
        os._exit(status)
    sys.exit(status)
