"""Reading new images with a bundle."""

from overread.reading.explanation import Explanation, explain
from overread.reading.output import to_frame, write_csv, write_json_lines
from overread.reading.pictures import heat_map, overlay, picture_of, tint
from overread.reading.reader import Answers, Reader
from overread.reading.reading import Failure, Reading
from overread.reading.sources import find_images

__all__ = [
    "Answers",
    "Explanation",
    "Failure",
    "Reader",
    "Reading",
    "explain",
    "find_images",
    "heat_map",
    "overlay",
    "picture_of",
    "tint",
    "to_frame",
    "write_csv",
    "write_json_lines",
]
