"""The rules of the house: each module or folder here has a `RULE`, and every audit asks all of them."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Sequence

from overread.auditing.rule import Rule
from overread.errors import InvalidOption


@functools.cache
def house_rules() -> tuple[Rule, ...]:
    """The `RULE` of each module here, by the names of the modules."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__, prefix=f"{__name__}."))
    return tuple(importlib.import_module(name).RULE for name in names)


def every_rule(rules: Sequence[Rule] = ()) -> tuple[Rule, ...]:
    """The rules of the house, and a user's own after them.

    Raises:
        InvalidOption: something else than rules was given, or two rules declare one code.
    """
    if isinstance(rules, Rule) or not all(isinstance(rule, Rule) for rule in rules):
        raise InvalidOption("rules holds something else than Rule objects: pass a list of them, such as rules=[RULE]")
    every = (*house_rules(), *rules)
    owner: dict[str, str] = {}
    for rule in every:
        for code in rule.codes:
            if code in owner:
                raise InvalidOption(
                    f"the audit rules {owner[code]!r} and {rule.name!r} both declare the code {code!r}: rename one"
                )
            owner[code] = rule.name
    return every


def known_codes(rules: Sequence[Rule] = ()) -> frozenset[str]:
    """Every code that a finding may have, of the rules of the house and of a user's own.

    Raises:
        InvalidOption: something else than rules was given, or two rules declare one code.
    """
    return frozenset(code for rule in every_rule(rules) for code in rule.codes)
