"""JSON values of a file that may be damaged, made what they stand for: each is of the type that its field declares."""

from __future__ import annotations

import collections.abc
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Made = TypeVar("Made")


def from_values(kind: type[Made], values: Mapping[str, Any]) -> Made:
    """Make a dataclass of the values of its fields; lists become tuples where a field holds one.

    Raises:
        TypeError: a field is missing or unknown.
        ValueError: a value is of another type than its field, or outside what it may be.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"a {kind.__name__} is no {type(values).__name__}")
    hints = get_type_hints(kind)
    for name, value in values.items():
        if name in hints and not _fits(value, hints[name]):
            raise ValueError(f"{name} of a {kind.__name__} is a {type(value).__name__}")
    return kind(**{name: _as_declared(value, hints.get(name)) for name, value in values.items()})


def _fits(value: Any, hint: Any) -> bool:
    origin, parts = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if hint is None:
        return value is None
    if origin in (Union, types.UnionType):
        return any(_fits(value, part) for part in parts)
    if origin is Literal:
        return value in parts
    if hint in (int, float):
        return isinstance(value, (int, float) if hint is float else int) and not isinstance(value, bool)
    if origin is None:
        return isinstance(value, hint)
    if issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(name, parts[0]) and _fits(each, parts[1]) for name, each in value.items()
        )
    if origin is collections.abc.Callable:
        return callable(value)
    if not isinstance(value, list | tuple):
        return False
    if origin is tuple and parts[-1] is not Ellipsis:
        return len(value) == len(parts) and all(map(_fits, value, parts))
    return all(_fits(each, parts[0]) for each in value)


def _as_declared(value: Any, hint: Any) -> Any:
    return tuple(value) if get_origin(hint) is tuple else value
