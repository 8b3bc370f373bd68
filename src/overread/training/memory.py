"""A training that asks for more memory than there is, told by what would need less."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from overread.errors import InvalidOption
from overread.machine.memory import lacks_memory
from overread.recipe import Recipe


@contextmanager
def asking_for_less(recipe: Recipe) -> Iterator[None]:
    """Say what to do where memory runs out within the context.

    Raises:
        InvalidOption: it did; the states that were saved can be gone on from.
    """
    try:
        yield
    except Exception as error:
        if not lacks_memory(error):
            raise
        side = recipe.image_size
        raise InvalidOption(
            f"there is not enough memory for batches of {recipe.batch_size} images of {side} x {side} px: close other "
            "programs and run the same command with --resume, or begin anew with a smaller --batch-size or --size"
        ) from None
