"""Whether transparent layers hide anything: most are opaque everywhere, as programs write them by habit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from overread.auditing.finding import Finding
from overread.auditing.rules.files.file_table import FileTable
from overread.errors import OverreadError
from overread.formats.source import opened
from overread.machine.quiet import without_warnings_of
from overread.words import count

# A channel is decoded at 20 to 100 million pixels a second, so that looking takes a few seconds at most.
_MOST_FILES, _MOST_PIXELS = 64, 100_000_000


def find_transparency(files: FileTable) -> Finding | None:
    """Find images whose transparency hides something, or may; those seen to be opaque everywhere lose nothing."""
    mask = files.where(lambda header: header.has_alpha)
    looked = _transparent_shares(files, np.flatnonzero(mask).tolist())
    opaque = [i for i, share in looked.items() if share == 0]
    mask[opaque] = False
    if not looked:
        said, fix = "none of them could be looked at: transparent pixels would be read as black.", _LOOK
    elif len(opaque) < len(looked):
        said = (
            f"of {count(len(looked), 'image')} with such a layer that were looked at, {len(looked) - len(opaque):,} "
            "have transparent pixels, which are read as black; they often come from drawing on an image."
        )
        fix = _LOOK
    else:
        said = f"another {count(len(opaque), 'image')} with one were looked at, and none has a transparent pixel."
        fix = "Nothing needs doing, unless some look cut out or drawn upon."

    def cell(i: int) -> str:
        seen = f"{100 * looked[i]:.2g} % of its pixels are transparent" if i in looked else "not looked at"
        return f"{files.headers[i].format} {files.headers[i].mode}, {seen}"

    return files.finding(
        "transparency",
        mask,
        severity="info",
        what=f"have a transparent layer that is not known to be opaque; {said}",
        fix=fix,
        cell=cell,
    )


_LOOK = "Look at some of them: marks and cut-outs must go; otherwise nothing needs doing."


def _transparent_shares(files: FileTable, positions: Sequence[int]) -> dict[int, float]:
    """The share of pixels that are not opaque of some images, spread over all; of files that can't be read, none."""
    chosen = np.unique(np.linspace(0, len(positions) - 1, min(len(positions), _MOST_FILES)).astype(int))
    left, found = _MOST_PIXELS, {}
    for i in (positions[place] for place in chosen):
        left -= int(files.width[i]) * int(files.height[i])
        if left < 0:
            break
        try:
            with without_warnings_of("PIL"), opened(files.cases[i].path) as stream:
                image = Image.open(stream, formats=[files.headers[i].format or ""])
                alpha = np.asarray(image.convert("RGBA").getchannel("A"))
        # Pillow raises anything on a damaged file, which was decoded all the same.
        except (OverreadError, OSError, ValueError, SyntaxError):
            continue
        found[i] = float((alpha < 255).mean())
    return found
