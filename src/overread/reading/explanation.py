"""Pictures of what a bundle saw: each image beside itself with the evidence for a class laid over it."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from overread.bundle import Bundle
from overread.errors import InvalidOption
from overread.machine.files import replace_file
from overread.machine.remote import is_remote, local_place
from overread.reading.pictures import OPACITY, overlay, picture_of, require_opacity
from overread.reading.reader import Reader
from overread.reading.reading import Failure, Reading, require_class
from overread.reading.sentences import NOT_READ, is_read
from overread.reading.sources import find_images
from overread.run import Existing, ExplanationRun, RunFolder

# Pixels that one of the two images is wide at least, enlarged by a whole number.
_LEAST_WIDTH = 448
_NAME_LENGTH = 80


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Explanation:
    """What a bundle says of one image, and the picture of it.

    Args:
        result: the reading, or why there is none.
        shown: the class, finding or cut whose evidence is drawn; None without a reading, and where none was asked for
            and the image was not read, being unlike the training images.
        picture: the PNG; None without a reading.
    """

    result: Reading | Failure
    shown: str | None = None
    picture: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """The reading as plain values, with the class shown and the picture."""
        picture = None if self.picture is None else str(self.picture)
        return {**self.result.to_dict(), "shown": self.shown, "picture": picture}


def explain(
    bundle: Reader | Bundle | str | Path,
    images: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    shown: str | None = None,
    opacity: float = OPACITY,
    existing: Existing = "refuse",
) -> Iterator[Explanation]:
    """Read images and draw each, as the network saw it, beside itself with its activation map laid over.

    The map is an output of the pass that gives the reading; nothing is computed again, and its mean is the logit.

    Args:
        bundle: a bundle, its directory or zip, the folder of the run that made it, or a reader.
        images: as `predict` takes them.
        out: the folder of the pictures, each named by its number and by its image.
        shown: the class, finding or cut whose evidence is drawn; by default, image by image, the class decided on, the
            most probable finding or the highest cut that is reached, and none in an image that was not read, being
            unlike the training images.
        opacity: of the strongest colour, from 0 to 1.
        existing: what to do when out holds something: refuse or replace.

    Yields:
        An explanation of each image, in order, as soon as its picture is written.

    Raises:
        InvalidOption: the bundle has no such class, the opacity is outside 0 to 1, or an image lies in `out`.
        OutputExists, OutputUnwritable: out cannot be used or written.
    """
    reader, paths, out = Reader.load(bundle), find_images(images), local_place(out)
    if shown is not None:
        require_class(shown, reader.bundle.task)
    require_opacity(opacity)
    folder = out.resolve()
    if any(folder in path.resolve().parents for path in paths if not is_remote(path)):
        raise InvalidOption(f"images lie in {out}, where the results go: choose another --out")
    RunFolder.open(out, existing).write(ExplanationRun(bundle=reader.bundle.fingerprint, explained=len(paths)))
    return _explained(reader, paths, out, shown, opacity)


def _explained(
    reader: Reader, paths: Sequence[Path], out: Path, shown: str | None, opacity: float
) -> Iterator[Explanation]:
    digits = len(str(len(paths)))
    for number, (path, result) in enumerate(zip(paths, reader.read_many(paths), strict=True), start=1):
        if isinstance(result, Failure):
            yield Explanation(result=result)
            continue
        name = shown or (result.mapped if is_read(result) else None)
        picture = _picture(result, name, opacity)
        content = io.BytesIO()
        picture.save(content, format="PNG")
        # The number keeps names apart, on file systems without upper and lower case too, and from reserved ones.
        safe = re.sub(r"[^\w.-]+", "_", path.stem, flags=re.ASCII)[:_NAME_LENGTH]
        target = replace_file(out / f"{number:0{digits}d}-{safe}.png", content.getvalue())
        yield Explanation(result=result, shown=name, picture=target)


def _picture(reading: Reading, name: str | None, opacity: float) -> Image.Image:
    height, width = reading.pixels.shape[:2]
    scale = -(-_LEAST_WIDTH // width)
    size = width * scale, height * scale
    both = Image.new("RGB", (2 * size[0], size[1]))
    both.paste(picture_of(reading.pixels, size))
    if name is None:
        ImageDraw.Draw(both).text((1.5 * size[0], size[1] / 2), NOT_READ, "white", anchor="mm", font_size=size[0] // 22)
    else:
        both.paste(overlay(reading, name, opacity=opacity, size=size), (size[0], 0))
    return both
