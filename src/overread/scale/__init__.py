"""How work is spread: on this machine, or by an engine of your own."""

from overread.scale.engine import Engine, OneAfterTheOther

__all__ = ["Engine", "OneAfterTheOther"]
