"""Commands that remember how they were called, for the record of a run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from overread.cli.verbs import name_values
from overread.run.called import Call, calling

# A regular expression may hold backslashes, too.
_OF_WINDOWS = re.compile(r"[A-Za-z]:\\|\\\\")


class Commands(typer.Typer):
    """A Typer program whose commands remember how they were called."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # type: ignore[override] # of the same parameters
        """Register a command, as `typer.Typer.command` does."""
        return super().command(name, cls=_Command, **options)


class _Command(TyperCommand):
    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help of the command."""
        name_values(self, ctx)
        super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        words = [list(_words(ctx, show_paths=show_paths)) for show_paths in (True, False)]
        with calling(Call(*(shlex.join(["overread", str(ctx.info_name), *found]) for found in words))):
            return super().invoke(ctx)


def _words(context: typer.Context, *, show_paths: bool) -> Iterator[str]:
    """What was given on the command line, parameter by parameter; a path as it is, or as the name of the parameter."""
    for parameter in context.command.params:
        name = parameter.name or ""
        value, source = context.params.get(name), context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        if getattr(parameter, "is_flag", False):
            yield (parameter.opts if value else parameter.secondary_opts)[0]
            continue
        is_argument = parameter.param_type_name == "argument"
        word = (is_argument and parameter.metavar) or name.upper()
        texts = [
            word if _is_address(one) or (not show_paths and (is_argument or _is_place(one))) else str(one)
            for one in (value if isinstance(value, list | tuple) else [value])
        ]
        for text in dict.fromkeys(texts):
            yield from [text] if is_argument else [parameter.opts[0], text]


def _is_address(value: Any) -> bool:
    """Whether a value is the address of a service, which may hold a password and is shown nowhere."""
    return "://" in str(value)


def _is_place(value: Any) -> bool:
    """Whether a value leads somewhere on this computer, be it no path by its type."""
    if isinstance(value, Path):
        return True
    try:
        return "/" in str(value) or bool(_OF_WINDOWS.match(str(value))) or Path(str(value)).exists()
    except (OSError, ValueError):
        return False
