"""The report as one HTML file that needs nothing beside it: no network, no script, no other file."""

from __future__ import annotations

import base64
import struct
from pathlib import Path
from typing import NamedTuple

from overread.errors import InvalidData, MissingExtra, MissingPath
from overread.machine.files import read_regular, write_text
from overread.machine.terminal import shown
from overread.report.document import ReportContext

TEMPLATES = Path(__file__).parent / "templates"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WIDE = 1.9  # times as wide as high: strips of images, which are unreadable in half a page


class Picture(NamedTuple):
    """A PNG as the page holds it: base64 and its size in pixels."""

    content: str
    width: int
    height: int

    @property
    def is_wide(self) -> bool:
        """Whether it needs the width of the page, with nothing beside it."""
        return self.width > _WIDE * self.height


def write_report(path: str | Path, context: ReportContext) -> Path:
    """Write the report, replacing one that is there; the figures are embedded.

    Args:
        path: the `.html` file.
        context: what it says.

    Returns:
        The path.

    Raises:
        MissingPath: a figure is not there.
        InvalidData: a figure is no PNG.
        OutputUnwritable: the file cannot be written.
        MissingExtra: Jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtra(
            "the report is written with Jinja2, which is not installed: run pip install 'overread[report]'"
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: shown(value) if type(value) is str else value,
    )
    page = environment.get_template("report.html.j2").render(report=context, picture=_embedded)
    return write_text(Path(path), page)


def _embedded(path: Path) -> Picture:
    try:
        content = read_regular(path)
    except OSError as error:
        raise MissingPath(f"figure {path} cannot be read ({error.strerror}): draw it before the report") from error
    if not content.startswith(PNG_SIGNATURE) or len(content) < 24:
        raise InvalidData(f"figure {path} is not a PNG: give the PNG that overread.report drew")
    width, height = struct.unpack(">II", content[16:24])
    return Picture(base64.b64encode(content).decode("ascii"), width, height)
