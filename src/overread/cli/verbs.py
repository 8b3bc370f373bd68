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
                if (command := self.commands.pop(name, None)) is not None:
                    command.rich_help_panel = heading
                    self.commands[name] = command

    def invoke(self, ctx: Any) -> Any:
        """Run one; Ctrl-C is told as overread tells errors: typer ends in silence, earlier versions with status 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("stopped by Ctrl-C") from None

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Find a command, and name what its options take."""
        command = super().get_command(ctx, cmd_name)
        for option in command.get_params(ctx) if command else ():
            _name_value(option)
        return command

    def get_params(self, ctx: Any) -> list[Any]:
        """The program's own options."""
        options = super().get_params(ctx)
        for option in options:
            _name_value(option)
        return options


def _name_value(option: Any) -> None:
    """Say what an option takes: nothing for a flag."""
    if isinstance(option, TyperOption) and option.metavar is None:
        option.metavar = "" if option.is_flag else _VALUES.get(option.type_descriptor.annotation)
