"""The commands as the help shows them: in the order of work, without the types of Python."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typer.core import TyperGroup, TyperOption

from overread.errors import Interrupted

# Others stand before them, under "Commands".
_PARTS = {
    "Look first": ("demo", "notebook", "networks", "audit"),
    "Train": ("train", "crossvalidate"),
    "Judge": ("evaluate", "compare"),
    "Read new images": ("predict", "explain", "serve", "monitor"),
}
_VALUES = {int: "NUMBER", float: "NUMBER", str: "TEXT", list[str]: "TEXT", Path: "PATH"}


class Verbs(TyperGroup):
    """All commands, each under the heading of the part of the work that it belongs to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for heading, names in _PARTS.items():
            for name in names:
                # Moved to the end, so that all come to stand in this order.
                command: Any = self.commands.pop(name, None)
                if command is not None:
                    command.rich_help_panel = heading
                    self.commands[name] = command

    def invoke(self, ctx: Any) -> Any:
        """Run one; Ctrl-C is told as overread tells errors: typer ends in silence, earlier versions with status 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("stopped by Ctrl-C") from None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of the program."""
        name_values(self, ctx)
        super().format_help(ctx, formatter)


def name_values(command: Any, ctx: Any) -> None:
    """Say for the help what each option of a command takes: nothing where it is a flag."""
    for option in command.get_params(ctx):
        if isinstance(option, TyperOption) and option.metavar is None:
            option.metavar = "" if option.is_flag else _VALUES.get(option.type_descriptor.annotation)
