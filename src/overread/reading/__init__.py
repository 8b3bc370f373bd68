"""Reading new images with a bundle."""

from overread.reading.output import write_csv, write_json_lines
from overread.reading.reader import Failure, Reader, Reading
from overread.reading.sources import find_images

__all__ = ["Failure", "Reader", "Reading", "find_images", "write_csv", "write_json_lines"]
