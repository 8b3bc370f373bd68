"""The command line."""

from overread.cli import monitor as _monitor  # noqa: F401 - registers its command
from overread.cli.commands import app, main

__all__ = ["app", "main"]
