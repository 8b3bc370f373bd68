"""The command line."""

from overread.cli.commands import app, main

__all__ = ["app", "main"]
