"""Whole slides as one of the image formats: an exam of tiles."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from overread.errors import UnreadableImage
from overread.formats.dicom import DICOM
from overread.formats.exams.frames import TILE, Frames, Instance
from overread.formats.header import Header, as_text
from overread.formats.picture import Picture
from overread.formats.slides.sniff import SUFFIXES, can_read_slides, is_dicom_slide, is_slide
from overread.formats.source import HEAD_LENGTH


class Slides:
    """Aperio, Hamamatsu, Leica, MIRAX, Philips, Sakura, Trestle, Ventana, DICOM, and large pyramids of tiles in TIFF.

    OpenSlide reads them and is loaded with the first of them.
    """

    name = "whole slide"
    suffixes = SUFFIXES
    libraries = ("openslide-python", "openslide-bin")

    @property
    def can_be_read(self) -> bool:
        """Whether the library that reads slides is installed."""
        return can_read_slides()

    def sniff(self, head: bytes, name: str) -> bool:
        """Whether it begins as a slide of its suffix does, is a DICOM slide, or a TIFF of a scanner."""
        return is_slide(head, name)

    def header(self, stream: BinaryIO) -> Header:
        """How large it is, what may name a person, and whether it holds a picture of its label."""
        from overread.formats.slides.open_slide import open_slide

        own = DICOM.header(stream) if _is_dicom(stream) else Header(mode="RGB", bit_depth=8)
        slide = open_slide(_path_of(stream))
        return dataclasses.replace(
            own,
            width=slide.size[0],
            height=slide.size[1],
            frames=1,
            manufacturer=own.manufacturer or as_text(slide.properties.get("openslide.vendor", "")),
            has_label_image=slide.has_label,
        )

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        """Refuse it: a slide is no picture. Of DICOM a frame that is named is given, unless it shows the label."""
        if _is_dicom(stream):
            from overread.formats.slides.dicom_slide import refuse_label

            refuse_label(stream)
            return DICOM.decode(stream, frame=frame, max_pixels=max_pixels)
        raise UnreadableImage("is a whole slide, of which no single picture is read: give it as an exam")

    def holds_exam(self, head: bytes, name: str) -> bool:
        """Always: a slide is an exam by itself."""
        return True

    @contextlib.contextmanager
    def open_frames(
        self,
        instances: Sequence[Instance],
        *,
        microns: float | None,
        max_pixels: int,
        tile: tuple[int, int] = TILE,
    ) -> Iterator[Frames]:
        """Open the tiles of one slide or of several, each from however many files."""
        from overread.formats.slides.open_slide import Slide, open_slide
        from overread.formats.slides.tiles import tile_slides

        slides: dict[str | Path, Slide] = {}
        for path in dict.fromkeys(instance.path for instance in instances):
            slide = open_slide(path)
            # Of DICOM each file of a series opens the same slide.
            is_dicom = slide.properties.get("openslide.vendor") == "dicom"
            slides.setdefault(slide.properties.get("openslide.quickhash-1", path) if is_dicom else path, slide)
        yield tile_slides([*slides.values()], microns=microns, tile=tile)


SLIDES = Slides()


def _is_dicom(stream: BinaryIO) -> bool:
    head = stream.read(HEAD_LENGTH)
    stream.seek(0)
    return is_dicom_slide(head)


def _path_of(stream: BinaryIO) -> Path:
    """Where the file of a stream lies."""
    name = getattr(stream, "name", None) or getattr(getattr(stream, "raw", None), "name", None)
    if not isinstance(name, str | Path):
        raise UnreadableImage("is a whole slide, which is read from a file only: save it to a disk first")
    return Path(name)
