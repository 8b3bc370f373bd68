"""What the tiles of a slide gave, laid out as they lie on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from overread.decision import Task
from overread.formats import Instance, View, open_exam
from overread.reading.exams.frame import ReadFrames
from overread.reading.exams.slide_map import slide_evidence, slide_map, slide_of
from support.slide_files import stained, write_picture


def test_evidence_lies_where_its_tile_lies_and_its_mean_over_the_tiles_is_the_logit() -> None:
    boxes = np.array([(10, 20, 64, 64), (138, 20, 64, 64), (74, 84, 64, 64)])
    laid, box = slide_evidence(boxes, np.array([1.0, -2.0, 4.0]))
    assert laid.tolist() == [[3.0, 0.0, -6.0], [0.0, 12.0, 0.0]]
    assert box == (10, 20, 192, 128)
    assert laid.sum() / len(boxes) == 3.0


def test_a_slide_is_drawn_whole_and_coloured_where_a_tile_gave_much(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "a.svs", stained())
    with open_exam([Instance(path)], View(frames="every=2"), tile=(32, 32)) as opened:
        slide = slide_of(opened)
        assert slide is not None
        origins = tuple(opened.origin(i) for i in range(len(opened)))
        given = np.zeros((len(origins), 1))
        given[0] = 20.0
        frames = ReadFrames(
            task=Task.of(("none", "lesion")), name="lesion", origins=origins,
            shares=np.full(len(origins), 1 / len(origins)), given=given, shown=0,
        )  # fmt: skip
        drawn = np.asarray(slide_map(frames, slide, "lesion")).astype(int)
    left, top, width, height = origins[0].box or (0, 0, 0, 0)
    changed = np.abs(drawn - slide.picture_of_all).max(axis=2)
    assert drawn.shape == (640, 960, 3)
    assert changed[top + 16 : top + height - 16, left + 16 : left + width - 16].min() > 20
    assert changed[500:].max() == 0


def test_an_exam_of_pictures_is_no_slide(tmp_path: Path) -> None:
    Image.fromarray(stained()).save(tmp_path / "a.png")
    with open_exam([Instance(tmp_path / "a.png")]) as opened:
        assert slide_of(opened) is None
