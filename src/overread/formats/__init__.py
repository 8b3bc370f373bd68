"""Image files: which there are, what their headers say, how a frame of one is decoded."""

from overread.formats.apart import decode_apart
from overread.formats.exams.exam_file import is_exam, open_exam
from overread.formats.exams.frames import DecodedTogether, ExamFormat, Frames, Instance, Origin
from overread.formats.exams.view import View
from overread.formats.header import Header
from overread.formats.image_file import open_picture, read_header, read_headers
from overread.formats.other_files import OtherFile
from overread.formats.picture import DecodedPicture, GreyValues, Picture, frame_index, is_coloured
from overread.formats.registry import (
    REGISTERED,
    Format,
    decoder_versions,
    format_named_by,
    format_names,
    format_of,
    formats,
    kind_of_other,
    register_format,
)
from overread.formats.source import HEAD_LENGTH

__all__ = [
    "HEAD_LENGTH",
    "REGISTERED",
    "DecodedPicture",
    "DecodedTogether",
    "ExamFormat",
    "Format",
    "Frames",
    "GreyValues",
    "Header",
    "Instance",
    "Origin",
    "OtherFile",
    "Picture",
    "View",
    "decode_apart",
    "decoder_versions",
    "format_named_by",
    "format_names",
    "format_of",
    "formats",
    "frame_index",
    "is_coloured",
    "is_exam",
    "kind_of_other",
    "open_exam",
    "open_picture",
    "read_header",
    "read_headers",
    "register_format",
]
