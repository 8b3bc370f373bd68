"""Commands that remember how they were called, for the record of a run."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from overread.run.called import Call, remember_call


class Commands(typer.Typer):
    """A Typer program whose commands remember how they were called."""

    def command(self, *arguments: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a command, as `typer.Typer.command` does."""
        return super().command(*arguments, cls=_Command, **options)


class _Command(TyperCommand):
    def invoke(self, ctx: typer.Context) -> Any:
        words = [list(_words(ctx, show_paths=show_paths)) for show_paths in (True, False)]
        remember_call(Call(*(shlex.join(["overread", str(ctx.info_name), *found]) for found in words)))
        return super().invoke(ctx)


def _words(context: typer.Context, *, show_paths: bool) -> Iterator[str]:
    """What was given on the command line, parameter by parameter; a path as it is, or as the name of the parameter."""
    for parameter in context.command.params:
        name, value = parameter.name or "", context.params.get(parameter.name or "")
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE":
            continue
        if getattr(parameter, "is_flag", False):
            yield (parameter.opts if value else parameter.secondary_opts)[0]
            continue
        for one in value if isinstance(value, list | tuple) else [value]:
            if parameter.param_type_name == "option":
                yield parameter.opts[0]
            hidden = not show_paths and (parameter.type.name == "path" or _is_place(str(one)))
            yield (parameter.metavar or name.upper()) if hidden else str(one)


def _is_place(text: str) -> bool:
    """Whether an option that is no path by its type leads somewhere all the same."""
    try:
        return "/" in text or "\\" in text or Path(text).exists()
    except (OSError, ValueError):
        return False
