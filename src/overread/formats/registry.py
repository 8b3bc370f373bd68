"""The image formats that are read: ours, those of installed packages, and those that a user registers."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Protocol, runtime_checkable

from overread.errors import InvalidOption, MissingPath, UnreadableImage
from overread.formats.dicom import DICOM
from overread.formats.header import Header
from overread.formats.nifti import NIFTI
from overread.formats.other_files import (
    UNOPENED,
    UNREAD_SLIDE,
    WITHOUT_NIBABEL,
    OtherFile,
    is_slide_or_raw,
    is_volume,
    other_file,
    pointer,
)
from overread.formats.picture import Picture
from overread.formats.raster import RASTER_FORMATS
from overread.formats.slides import SLIDES
from overread.formats.source import head_of
from overread.machine.extras import is_installed
from overread.machine.files import read_regular
from overread.machine.remote import is_remote
from overread.words import listed

ENTRY_POINTS = "overread.formats"
# What brings pixels of any format to a size and through a window.
_ALWAYS_USED = ("numpy", "pillow")


@runtime_checkable
class Format(Protocol):
    """A kind of image file."""

    @property
    def name(self) -> str:
        """As sentences and headers have it, such as "PNG"."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Of file names, lower case with the dot, such as (".nii", ".nii.gz").

        A file that is named so and that no format claims counts as a damaged image.
        """
        ...

    @property
    def libraries(self) -> tuple[str, ...]:
        """The distributions that decode it, such as ("nibabel",); pixels of other versions are not used again."""
        ...

    def sniff(self, head: bytes, name: str) -> bool:
        """Whether a file is of this format.

        Args:
            head: the first 512 bytes, or all there are.
            name: of the file; empty where content has to tell.
        """
        ...

    def header(self, stream: BinaryIO) -> Header:
        """Read what the file says of itself, without decoding pixels; whatever it raises means that nothing is known.

        Args:
            stream: the file, at its start.
        """
        ...

    def decode(self, stream: BinaryIO, *, frame: int | None, max_pixels: int) -> Picture:
        """Decode one frame, now or when the picture is asked for its pixels.

        Call `decode_apart` before a library that damaged files have crashed, or kept for ever.

        Args:
            stream: the file, at its start; it stays open as long as the picture is used.
            frame: its number from 1; None for the only one. See `frame_index`.
            max_pixels: above which it is to be refused before it takes the memory.

        Raises:
            UnreadableImage: it gives no pixels; the message goes on from the file's name, as "is truncated".
        """
        ...


_OURS: tuple[Format, ...] = (*RASTER_FORMATS, DICOM, NIFTI, SLIDES)
# Counted up whenever files of a format of ours come to give other pixels, so that stored ones are not used again.
_REVISIONS = {DICOM.name: "2"}
# What `register_format` was given in this process, by name.
REGISTERED: dict[str, Format] = {}


def register_format(image_format: Format) -> None:
    """Have files of a format found in folders, audited, trained on, read and served.

    It is asked before those registered earlier and before ours. The service decodes in processes of its own, for which
    the format has to be defined in a module that can be imported.

    Args:
        image_format: an object that has what `Format` describes.

    Raises:
        InvalidOption: it lacks some of that, or another format has its name.

    Example:
        >>> register_format(Npy())  # doctest: +SKIP
    """
    _require_format(image_format)
    earlier = REGISTERED.get(image_format.name, image_format)
    # One of a class of the same name is the same format again, as when a notebook's cell is run twice.
    is_another = type(earlier).__qualname__ != type(image_format).__qualname__
    if is_another or image_format.name in {one.name for one in _OURS}:
        raise InvalidOption(f"a format named {image_format.name} is there already: give yours another name")
    REGISTERED[image_format.name] = image_format


def formats() -> tuple[Format, ...]:
    """All formats: ours, those of installed packages, those registered; the later ones are asked first.

    Raises:
        InvalidOption: an installed package names a format that cannot be used.
    """
    return (*_OURS, *_from_packages(), *REGISTERED.values())


def format_of(head: bytes, name: str | Path) -> Format | None:
    """The format of a file of this name that starts with these bytes (`HEAD_LENGTH` of them); None when it is none.

    Raises:
        InvalidOption: a format cannot say whether the file is its own.
    """
    name = str(name)
    return next((one for one in reversed(formats()) if _claims(one, head, name)), None)


def format_named_by(suffix: str) -> str | None:
    """The name of the format whose files have this suffix; None for no suffix, or that of no format."""
    return next((one.name for one in reversed(formats()) if suffix and suffix in one.suffixes), None)


def format_names() -> str:
    """All formats as a sentence has them: "PNG, JPEG and DICOM"."""
    return listed([one.name for one in formats()])


def kind_of_other(path: Path) -> OtherFile | None:
    """What a file is that is not to be read as an image; None for an image.

    Content decides, whatever the suffix. A file that no format claims, and one that cannot be opened, are images by
    their suffix: they are damaged, and reading them says how. DICOM objects without an image, slides of kinds that are
    not read, and pointers to files that were not fetched are none, unless a format that is not ours claims them. Of a
    remote file its suffix decides, where a format has it.

    Raises:
        InvalidOption: a format cannot say whether the file is its own.
    """
    name = path.name.strip().lower()
    is_named_so = any(name.endswith(end) for one in formats() for end in one.suffixes)
    if is_named_so and is_remote(path):
        return None  # a request for each of millions would take longer than reading them
    try:
        head = head_of(path)
    except (MissingPath, UnreadableImage, OSError):
        return None if is_named_so else UNOPENED
    found = format_of(head, name)
    if found is not None and found not in _OURS:
        return None
    if (missing := pointer(head)) is not None:
        return missing
    if found is SLIDES and not SLIDES.can_be_read:
        return UNREAD_SLIDE
    if (found is NIFTI or is_volume(name)) and not is_installed(NIFTI.extra_modules):
        return WITHOUT_NIBABEL
    if found is DICOM and (what := DICOM.content_without_image(head)):
        return OtherFile(noun=f"DICOM {what}")
    if found is NIFTI and (what := NIFTI.content_without_image(path)):
        return OtherFile(noun=f"NIfTI {what}", remark="they mark parts of images, and are none")
    if is_slide_or_raw(name):
        return other_file(head, name)
    return None if found is not None or is_named_so else other_file(head, name)


def _claims(image_format: Format, head: bytes, name: str) -> bool:
    try:
        return image_format.sniff(head, name)
    except Exception as error:
        raise InvalidOption(
            f"the format {image_format.name} cannot say whether a file is its own ({type(error).__name__}: {error}): "
            "mend its sniff, which also meets short and empty files"
        ) from error


def decoder_versions(names: Iterable[str] | None = None) -> dict[str, str]:
    """What pixels depend on besides their files: versions of libraries, and of the formats themselves.

    A format that is not ours has for a version the hash of the file that defines it.

    Args:
        names: of the formats that matter; all by default. A library that is not installed is left out.
    """
    wanted = None if names is None else frozenset(names)
    chosen = [one for one in formats() if wanted is None or one.name in wanted]
    libraries = sorted({*_ALWAYS_USED, *(library for one in chosen for library in one.libraries)})
    versions = {library: version for library in libraries if (version := _version(library)) is not None}
    ours = {f"format {one.name}": _REVISIONS[one.name] for one in chosen if one in _OURS and one.name in _REVISIONS}
    return versions | ours | {f"format {one.name}": _code_of(one) for one in chosen if one not in _OURS}


def _version(library: str) -> str | None:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


def _code_of(image_format: Format) -> str:
    try:
        return hashlib.sha256(read_regular(Path(inspect.getfile(type(image_format))))).hexdigest()
    except (TypeError, OSError):  # typed in by hand
        return ""


@functools.cache
def _from_packages() -> tuple[Format, ...]:
    return tuple(_loaded(point) for point in importlib.metadata.entry_points(group=ENTRY_POINTS))


def _loaded(point: importlib.metadata.EntryPoint) -> Format:
    try:
        found = point.load()
    except Exception as error:
        raise InvalidOption(
            f"the image format {point.name} ({point.value}) of an installed package cannot be loaded "
            f"({type(error).__name__}: {error}): repair or remove that package"
        ) from error
    _require_format(found)
    return found


def _require_format(candidate: Any) -> None:
    if isinstance(candidate, type):
        raise InvalidOption(f"{candidate.__name__} is a class: register an object of it, {candidate.__name__}()")
    if not isinstance(candidate, Format):
        parts = ("name", "suffixes", "libraries", "sniff", "header", "decode")
        missing = listed([part for part in parts if not hasattr(candidate, part)])
        raise InvalidOption(f"{type(candidate).__name__} is no image format: it has no {missing}; see Format")
    suffixes = candidate.suffixes
    if isinstance(suffixes, str) or any(end[:1] != "." or end != end.lower() for end in suffixes):
        raise InvalidOption(f"the format {candidate.name} has the suffixes {suffixes!r}; expected such as ('.npy',)")
