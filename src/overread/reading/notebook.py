"""How a reading shows itself in a notebook."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from PIL import Image

from overread.reading.pictures import overlay, picture_of
from overread.reading.sentences import OPERATING_POINT, decision, is_read, short_reasons, told_apart

if TYPE_CHECKING:
    from overread.reading.question import Question
    from overread.reading.reading import Reading

_HEIGHT = 160


def reading_html(reading: Reading) -> str:
    """The image as the network saw it, the same under the evidence, and what is decided, with names escaped."""
    refer = f" Refer to a human{f': {short_reasons(reading)}' * is_read(reading)}." if reading.refer else ""
    words = f"{decision(reading)}.{refer}"
    pictures = "".join(_image(picture) for picture in (picture_of(reading.pixels), overlay(reading)))
    questions = _table(reading.questions) if reading.questions and is_read(reading) else ""
    return f"<div>{pictures}<p>{html.escape(reading.path)}</p><p>{html.escape(words)}</p>{questions}</div>"


def _table(questions: Sequence[Question]) -> str:
    """Each finding or cut with its probability, operating point and answer."""
    head = "".join(f"<th>{heading}</th>" for heading in ("", "Probability", OPERATING_POINT, "Answer"))
    rows = [(one.name, *told_apart(one.probability, one.threshold), one.answer) for one in questions]
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _image(picture: Image.Image) -> str:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    content = base64.b64encode(stream.getvalue()).decode("ascii")
    return f'<img height="{_HEIGHT}" src="data:image/png;base64,{content}">'
