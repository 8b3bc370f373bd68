"""What humans say of images that were read."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from overread.errors import InvalidOption
from overread.service.problems import Problem

if TYPE_CHECKING:
    from overread.decision.task import Task
    from overread.service.room.log_desk import LogDesk
    from overread.service.room.room import ReadingRoom


async def note_review(
    room: ReadingRoom,
    desk: LogDesk,
    image: tuple[str, int],
    *,
    true_label: str | None = None,
    shows: Sequence[str] | None = None,
) -> str:
    """Note what a human sees in an image; a later review takes the place of an earlier one.

    Args:
        room: that serves the bundle.
        desk: of the log.
        image: the id of its reading, and its index there.
        true_label: what is seen, as a label; without, and without shows, the predicted one is agreed with.
        shows: the classes that are seen, any number of findings among them.

    Returns:
        The label.

    Raises:
        Problem: the log has no such image, it could not be read, or a name is none of the bundle's.
    """
    reading_id, index = image
    found = await desk.ask(desk.log.get, reading_id)
    task = _task_of(room, found.bundle)
    if shows is not None:
        true_label = _label(shows, task)
    elif true_label is None:
        # Of an image that could not be read, or is not there, the log says so.
        true_label = (found.images[index].predicted_label if index < len(found.images) else None) or ""
    await desk.ask(functools.partial(desk.log.review, task=task), reading_id, index, true_label)
    return true_label


def _task_of(room: ReadingRoom, fingerprint: str) -> Task | None:
    """What the bundle tells apart; None where it is served no more."""
    return next((one.bundle.task for one in room.readers.values() if one.bundle.fingerprint == fingerprint), None)


def _label(shows: Sequence[str], task: Task | None) -> str:
    if task is None:
        raise Problem(404, "unknown-bundle", "the bundle that read the image is served no more: give a true_label")
    try:
        return task.label_of(shows)
    except InvalidOption as error:
        raise Problem(422, "invalid-review", str(error)) from None
