"""An image that somebody drew, or drew upon."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Annotation:
    """Why an image is no picture of a patient, and the position of the picture that it belongs to."""

    reason: str
    picture: int | None
