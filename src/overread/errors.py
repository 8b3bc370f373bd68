"""Every error that overread raises on purpose.

    OverreadError
    |-- InvalidOption      (ValueError)         an option outside what it may be
    |   `-- Undecided      (ValueError)         a choice that the data leave open, for an option to settle
    |-- InvalidData        (ValueError)         a folder, CSV or split that cannot be used as it is
    |-- BlockedByAudit     (ValueError)         data that would spoil the study, as the audit found
    |-- RuleFailed         (RuntimeError)       an audit rule that raised, or gave what it does not declare
    |-- UnreadableImage    (ValueError)         one file that gives no pixels
    |-- UnreadableImages   (ValueError)         a data set that holds such files
    |-- InvalidBundle      (ValueError)         a bundle that is damaged, altered or of an unknown version
    |-- ExportMismatch     (RuntimeError)       the ONNX graph and the Keras network disagree
    |-- MissingPath        (FileNotFoundError)  a path that is not there
    |-- UnfitFile          (OSError)            a folder, pipe, socket or device where a file was expected
    |-- PlaceUnreachable   (OSError)            a place beyond this machine that does not answer, or denies access
    |-- OutputExists       (FileExistsError)    an output that would be overwritten
    |-- OutputUnwritable   (OSError)            an output that cannot be written: read-only, disk full
    |-- MissingExtra       (ImportError)        an optional dependency that is not installed
    |-- LogUnavailable     (OSError)            a reading log that cannot be opened, read or written
    |-- UnknownReading     (LookupError)        a reading that the log does not hold
    |-- KeyReused          (ValueError)         an idempotency key that came with another request
    |-- KeyInProgress      (RuntimeError)       an idempotency key whose request is being answered
    |-- HostLost           (RuntimeError)       one of the hosts that train together is gone; it can be resumed
    `-- Interrupted        (RuntimeError)       training stopped by a signal; it can be resumed

Each message says what happened, what was expected and what to do; none quotes a patient identifier.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN_CHOICES = 3


class OverreadError(Exception):
    """The base of all errors raised on purpose; the command line prints it as one sentence."""


class InvalidOption(OverreadError, ValueError):
    """An option lies outside what it may be."""


class Undecided(InvalidOption, ValueError):
    """The data may be understood in several ways; `option` of a source settles it by one of `choices`."""

    def __init__(self, text: str, *, option: str, choices: Sequence[str]) -> None:
        self.text, self.option, self.choices = text, option, tuple(choices)
        shown = " or ".join(f"{self.flag} {shlex.quote(choice)}" for choice in self.choices[:_SHOWN_CHOICES])
        more = f" (or one of {len(self.choices) - _SHOWN_CHOICES} more)" if len(self.choices) > _SHOWN_CHOICES else ""
        super().__init__(f"{text}: give {shown}{more}")

    @property
    def flag(self) -> str:
        """The option as the command line has it."""
        return "--map" if self.option == "mapping" else "--" + self.option.replace("_", "-")


class InvalidData(OverreadError, ValueError):
    """A folder, CSV or split cannot be used as it is."""


class BlockedByAudit(OverreadError, ValueError):
    """The audit found what would spoil the study; the message names the codes that may be accepted."""


class RuleFailed(OverreadError, RuntimeError):
    """A rule of the audit raised an error, which is chained, or gave what it does not declare."""


class UnreadableImage(OverreadError, ValueError):
    """One file gives no pixels; the message says why, without the path."""


class UnreadableImages(OverreadError, ValueError):
    """A data set holds unreadable files; `failures` names each."""

    def __init__(self, message: str, failures: dict[str, str]) -> None:
        super().__init__(message)
        self.failures = failures


class InvalidBundle(OverreadError, ValueError):
    """A bundle is damaged, was altered or has an unknown version."""


class ExportMismatch(OverreadError, RuntimeError):
    """The exported ONNX graph disagrees with the Keras network."""


class MissingPath(OverreadError, FileNotFoundError):
    """A path is not there."""


class UnfitFile(OverreadError, OSError):
    """What lies at a path is no regular file, or a huge one; `kind` says what it is, `strerror` in a clause."""

    def __init__(self, path: str, kind: str) -> None:
        super().__init__(f"{path} is {kind}: one ordinary file was expected")
        self.kind, self.strerror = kind, f"it is {kind}"


class PlaceUnreachable(OverreadError, OSError):
    """A place beyond this machine does not answer, or denies access; `strerror` says why in a few words."""

    def __init__(self, message: str, why: str = "") -> None:
        super().__init__(message)
        self.strerror = why


class OutputExists(OverreadError, FileExistsError):
    """An output is there already and would be overwritten."""


class OutputUnwritable(OverreadError, OSError):
    """An output cannot be written: no permission, read-only or no space left."""


class MissingExtra(OverreadError, ImportError):
    """An optional dependency is not installed; the message gives the pip command."""


class LogUnavailable(OverreadError, OSError):
    """A reading log cannot be opened, read or written; no password of its URL is in the message."""


class UnknownReading(OverreadError, LookupError):
    """The log holds no such reading or image."""


class KeyReused(OverreadError, ValueError):
    """An idempotency key came with another request before."""


class KeyInProgress(OverreadError, RuntimeError):
    """The request of an idempotency key is being answered."""


class HostLost(OverreadError, RuntimeError):
    """One of the hosts that train a network together is gone or did not come."""


class Interrupted(OverreadError, RuntimeError):
    """Training was stopped by a signal after its state was saved."""
