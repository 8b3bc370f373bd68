"""Pictures of which copies are made: with fine detail of their own, on bodies that may be alike."""

from __future__ import annotations

import numpy as np
from PIL import Image

SIZE = (150, 120)


def picture(seed: int, *, body: int = 0, size: tuple[int, int] = SIZE) -> Image.Image:
    """A grey picture as a radiograph is: a coarse body, which pictures may share, with fine detail of its own."""
    levels = np.zeros(size[::-1])
    for cells, weight, kind in ((3, 40, body), (6, 20, body), (14, 14, 1000 + seed), (30, 8, 1000 + seed)):
        noise = np.random.default_rng((kind, cells)).standard_normal((cells, cells)).astype(np.float32)
        levels += weight * np.asarray(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC))
    return Image.fromarray(np.clip(110 + levels, 0, 255).astype(np.uint8))


def shaded(image: Image.Image, gain: float, offset: float = 0) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(image) * gain + offset, 0, 255).astype(np.uint8))
