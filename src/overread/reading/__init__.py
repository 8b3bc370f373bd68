"""Reading new images with a bundle; names are loaded on first use."""

from typing import TYPE_CHECKING

from overread.lazy import on_first_use

_HOMES = {
    "Answers": "overread.reading.answers",
    "Explanation": "overread.reading.explanation",
    "Failure": "overread.reading.reading",
    "Look": "overread.reading.exams.look",
    "Question": "overread.reading.question",
    "Reader": "overread.reading.reader",
    "Reading": "overread.reading.reading",
    "each_image": "overread.reading.sources",
    "explain": "overread.reading.explanation",
    "find_exams": "overread.reading.exams.find",
    "find_images": "overread.reading.sources",
    "heat_map": "overread.reading.pictures",
    "overlay": "overread.reading.pictures",
    "picture_of": "overread.reading.pictures",
    "predict": "overread.reading.prediction",
    "tint": "overread.reading.pictures",
    "to_frame": "overread.reading.output",
    "writing_frames": "overread.reading.exams.each",
    "write_json_lines": "overread.reading.output",
    "write_readings": "overread.reading.output",
}
__all__ = [*_HOMES]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.reading.answers import Answers as Answers
    from overread.reading.exams.each import writing_frames as writing_frames
    from overread.reading.exams.find import find_exams as find_exams
    from overread.reading.exams.look import Look as Look
    from overread.reading.explanation import Explanation as Explanation
    from overread.reading.explanation import explain as explain
    from overread.reading.output import to_frame as to_frame
    from overread.reading.output import write_json_lines as write_json_lines
    from overread.reading.output import write_readings as write_readings
    from overread.reading.pictures import heat_map as heat_map
    from overread.reading.pictures import overlay as overlay
    from overread.reading.pictures import picture_of as picture_of
    from overread.reading.pictures import tint as tint
    from overread.reading.prediction import predict as predict
    from overread.reading.question import Question as Question
    from overread.reading.reader import Reader as Reader
    from overread.reading.reading import Failure as Failure
    from overread.reading.reading import Reading as Reading
    from overread.reading.sources import each_image as each_image
    from overread.reading.sources import find_images as find_images
