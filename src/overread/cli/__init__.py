"""The command line."""

from overread.cli import explain as _explain  # noqa: F401 - registers its command
from overread.cli import monitor as _monitor  # noqa: F401 - registers its command
from overread.cli import networks as _networks  # noqa: F401 - registers its command
from overread.cli import notebook as _notebook  # noqa: F401 - registers its command
from overread.cli import serve as _serve  # noqa: F401 - registers its command
from overread.cli.commands import app
from overread.cli.program.run import main

__all__ = ["app", "main"]
