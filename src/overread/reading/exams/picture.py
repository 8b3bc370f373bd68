"""An exam in one picture: the frames that gave most, their maps, and a strip of what all gave."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from overread.reading.exams.frame import Frame, ReadFrames
from overread.reading.exams.look import Look
from overread.reading.pictures import OPACITY, picture_of, tint

MOST_SHOWN = 4
_LEAST_WIDTH = 224
_CAPTION, _STRIP, _MARGIN = 22, 84, 8
_GROUND, _TEXT, _MARK = (20, 22, 26), (225, 225, 225), (255, 255, 255)
# As the strongest evidence of a map, and one that no map has.
_FOR, _AGAINST = (255, 235, 40), (110, 125, 150)


def exam_picture(
    frames: ReadFrames,
    looks: Sequence[Look],
    name: str | None,
    *,
    opacity: float = OPACITY,
    whole: Image.Image | None = None,
) -> Image.Image:
    """Draw frames side by side, below each its map, and below all of them the evidence of every frame.

    Args:
        frames: of an exam that was read.
        looks: at some of them, one or more.
        name: of the class, finding or cut whose evidence is drawn; None for frames without maps.
        opacity: of the strongest colour.
        whole: of a slide, the picture of all of it, which is drawn above.
    """
    if whole is not None:
        below = exam_picture(frames, looks, name, opacity=opacity)
        above = whole.resize((below.width, max(1, round(whole.height * below.width / whole.width))))
        both = Image.new("RGB", (below.width, above.height + below.height), _GROUND)
        both.paste(above)
        both.paste(below, (0, above.height))
        return both
    height, width = looks[0].pixels.shape[:2]
    scale = -(-_LEAST_WIDTH // width)
    size = width * scale, height * scale
    rows = 1 if name is None else 2
    whole = Image.new("RGB", (len(looks) * size[0], rows * size[1] + _CAPTION + (_STRIP if name else 0)), _GROUND)
    draw = ImageDraw.Draw(whole)
    for column, look in enumerate(looks):
        left = column * size[0]
        whole.paste(picture_of(look.pixels, size), (left, 0))
        if name is not None:
            whole.paste(tint(look.pixels, look.evidence(name), opacity=opacity, size=size), (left, size[1]))
        told = caption(frames[look.index], len(frames))
        draw.text((left + _MARGIN, rows * size[1] + 5), told, _TEXT, font_size=12)
    if name is not None:
        strip = evidence_strip(frames.of(name), (whole.width, _STRIP), [look.index for look in looks])
        whole.paste(strip, (0, whole.height - _STRIP))
    return whole


def png_of(picture: Image.Image) -> bytes:
    """The content of a file."""
    content = io.BytesIO()
    picture.save(content, format="PNG")
    return content.getvalue()


def caption(frame: Frame, count: int) -> str:
    """Which frame of how many it is, and what it gave."""
    return f"{frame.index + 1} of {count:,}: share {_percent(frame.share)}, evidence {frame.evidence:+.2g}"


def evidence_strip(evidence: np.ndarray, size: tuple[int, int], marked: Sequence[int] = ()) -> Image.Image:
    """Draw what each of n frames gave, from the first at the left: up what speaks for, down what speaks against.

    Args:
        evidence: `(n,)` in logits; where there are more frames than columns, each column shows the strongest of its.
        size: width and height.
        marked: places of frames that are marked below.
    """
    width, height = size
    inner, middle = width - 2 * _MARGIN, (height - 18) // 2
    edges = np.linspace(0, inner, len(evidence) + 1)
    scale = (middle - 4) / max(float(np.abs(evidence).max()), 1e-9)
    strip = Image.new("RGB", size, _GROUND)
    draw = ImageDraw.Draw(strip)
    drawn = np.zeros(inner + 1)
    for left, right, given in zip(edges[:-1], edges[1:], evidence.tolist(), strict=True):
        first, last = int(left), max(int(left), int(right) - (1 if right - left >= 3 else 0) - 1)
        if abs(given) < abs(drawn[first]):
            continue
        drawn[first] = given
        ends = sorted((middle - given * scale, float(middle)))
        colour = _FOR if given > 0 else _AGAINST
        draw.rectangle((first + _MARGIN, ends[0], last + _MARGIN, ends[1]), colour)
    told = f"evidence of each frame, 1 to {len(evidence):,}"
    draw.text((_MARGIN, height - 14), told, _AGAINST, font_size=11)
    draw.line((_MARGIN, middle, width - _MARGIN, middle), _AGAINST)
    for place in marked:
        centre = (edges[place] + edges[place + 1]) / 2 + _MARGIN
        draw.polygon([(centre - 4, height - 3), (centre + 4, height - 3), (centre, height - 10)], _MARK)
    return strip


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else "100 %"
