"""The whole job on computer-made images."""

from overread.demo.demo import demo

__all__ = [
    "demo",
]
