"""Pictures of what a bundle saw: each image beside itself with the evidence for a class laid over it."""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from PIL import Image, ImageDraw

from overread.bundle import Bundle
from overread.cases.exams.exam import Exam
from overread.cases.exams.gathering import Gathering
from overread.errors import InvalidOption, OverreadError
from overread.machine.files import replace_file
from overread.machine.remote import is_remote, local_place, public_name
from overread.reading.exams.frame import ReadFrames
from overread.reading.exams.picture import MOST_SHOWN, exam_picture
from overread.reading.exams.slide_map import slide_map, slide_of
from overread.reading.pictures import OPACITY, overlay, picture_of, require_opacity
from overread.reading.prediction import to_be_read
from overread.reading.reader import Reader
from overread.reading.reading import Failure, Reading, require_class
from overread.reading.sentences import NOT_READ, is_read
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
    images: str | Path | Iterable[str | Path] | Sequence[Path | Exam],
    out: str | Path,
    *,
    shown: str | None = None,
    opacity: float = OPACITY,
    existing: Existing = "refuse",
    exams: Gathering | None = None,
) -> Iterator[Explanation]:
    """Read images and draw each, as the network saw it, beside itself with its activation map laid over.

    The map is an output of the pass that gives the reading; nothing is computed again, and its mean is the logit. Of an
    exam the frames that gave most are drawn with their maps, above a strip of what every frame gave; of a slide, above
    these the whole with what its tiles gave.

    Args:
        bundle: a bundle, its directory or zip, the folder of the run that made it, or a reader.
        images: as `predict` takes them.
        out: the folder of the pictures, each named by its number and by its image.
        shown: the class, finding or cut whose evidence is drawn; by default, image by image, the class decided on, the
            most probable finding or the highest cut that is reached, and none in an image that was not read, being
            unlike the training images.
        opacity: of the strongest colour, from 0 to 1.
        existing: what to do when out holds something: refuse or replace.
        exams: which files belong to one exam, in place of what the bundle says.

    Yields:
        An explanation of each image, in order, as soon as its picture is written.

    Raises:
        InvalidOption: the bundle has no such class, the opacity is outside 0 to 1, or an image lies in `out`.
        OutputExists, OutputUnwritable: out cannot be used or written.
    """
    reader, out = Reader.load(bundle), local_place(out)
    found = _given(images) or to_be_read(reader, images, exams=exams)  # type: ignore[arg-type]
    paths = [path for one in found for path in _files_of(one)]
    if shown is not None:
        require_class(shown, reader.bundle.task)
    require_opacity(opacity)
    folder = out.resolve()
    if any(folder in path.resolve().parents for path in paths if not is_remote(path)):
        raise InvalidOption(f"images lie in {out}, where the results go: choose another --out")
    RunFolder.open(out, existing).write(ExplanationRun(bundle=reader.bundle.fingerprint, explained=len(found)))
    return _explained(reader, found, out, shown, opacity)


def _given(images: object) -> Sequence[Path | Exam]:
    """Exams as they are, where a caller has gathered them."""
    return images if isinstance(images, list) and images and isinstance(images[0], Exam) else ()


def _files_of(one: Path | Exam) -> list[Path]:
    return [instance.path for instance in one.instances] if isinstance(one, Exam) else [one]


def _explained(
    reader: Reader, found: Sequence[Path | Exam], out: Path, shown: str | None, opacity: float
) -> Iterator[Explanation]:
    digits = len(str(len(found)))
    drawn = _exams if reader.reads_exams else _images
    for number, (one, (result, name, picture)) in enumerate(
        zip(found, drawn(reader, found, shown, opacity), strict=True), start=1
    ):
        if picture is None:
            yield Explanation(result=result)
            continue
        content = io.BytesIO()
        picture.save(content, format="PNG")
        # The number keeps names apart, on file systems without upper and lower case too, and from reserved ones.
        stem = Path(one.name).stem if isinstance(one, Exam) else one.stem
        safe = re.sub(r"[^\w.-]+", "_", stem, flags=re.ASCII)[:_NAME_LENGTH]
        target = replace_file(out / f"{number:0{digits}d}-{safe}.png", content.getvalue())
        yield Explanation(result=result, shown=name, picture=target)


_Drawn = tuple[Reading | Failure, str | None, Image.Image | None]


def _images(reader: Reader, found: Sequence[Path | Exam], shown: str | None, opacity: float) -> Iterator[_Drawn]:
    for result in reader.read_many(found):
        if isinstance(result, Failure):
            yield result, None, None
            continue
        name = shown or (result.mapped if is_read(result) else None)
        yield result, name, _picture(result, name, opacity)


def _exams(reader: Reader, found: Sequence[Path | Exam], shown: str | None, opacity: float) -> Iterator[_Drawn]:
    for one in found:
        path = one.name if isinstance(one, Exam) else public_name(one)
        try:
            with reader.open_exam(one) as exam:
                result = reader.read_open(path, exam)
                name = shown or (result.mapped if is_read(result) else None)
                frames = cast(ReadFrames, result.frames)
                looks = [reader.look(exam, frame.index) for frame in frames.top(MOST_SHOWN)]
                slide = slide_of(exam.frames)
                whole = slide_map(frames, slide, name, opacity=opacity) if slide and name else None
            yield result, name, exam_picture(frames, looks, name, opacity=opacity, whole=whole)
        except OverreadError as error:
            yield Failure(path=path, error=str(error)), None, None


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
