"""What it looks like when memory runs out."""

from __future__ import annotations


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that this machine, or a device of it, has no memory left: Python's, TensorFlow's, JAX's."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"
        or (type(error).__name__.endswith("RuntimeError") and str(error).startswith("RESOURCE_EXHAUSTED"))
    )
