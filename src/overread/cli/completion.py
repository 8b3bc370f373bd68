"""What a shell offers behind an option. Keras is never loaded for it, nor NumPy but for the codes of the audit."""

from __future__ import annotations

from collections.abc import Callable


def complete_network(incomplete: str) -> list[str]:
    """The networks that can be trained by name."""
    from overread.networks.catalogue import network_names

    return _beginning(incomplete, network_names())


def complete_code(incomplete: str) -> list[str]:
    """The codes that the audit gives to what it finds."""
    from overread.auditing import known_codes

    return _beginning(incomplete, sorted(known_codes()))


def _beginning(incomplete: str, values: tuple[str, ...] | list[str]) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]


def _one_of(*values: str) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        return _beginning(incomplete, values)

    return complete


# By the name of the field that an option sets.
COMPLETERS: dict[str, Callable[[str], list[str]]] = {
    "network": complete_network,
    "fit": _one_of("pad", "stretch"),
    "colour": _one_of("auto", "grey", "colour"),
    "monitor": _one_of("val_loss", "val_auc", "val_accuracy"),
    "precision": _one_of("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    "calibration": _one_of("temperature", "isotonic", "beta", "none"),
    "operating_point": _one_of("youden", "sensitivity=", "specificity=", "cost="),
}
