"""What is said of one image: its evidence, its decision, and the same fields wherever it is written."""

from __future__ import annotations

import csv
import dataclasses
import io
import json

import jsonschema
import numpy as np
import pytest

from overread.cli.tables import print_readings
from overread.errors import InvalidOption
from overread.reading import Failure, Reading, to_frame, write_readings
from overread.reading.fields import FIELDS, column_names, reading_schema
from overread.reading.sentences import probability_heading
from overread.reading_log import ImageRow
from support.readings import reading, reading_of_three


def test_of_two_classes_the_evidence_for_one_is_that_against_the_other() -> None:
    found = reading(activation_map=np.ones((2, 2, 1)))
    assert (found.evidence("Disease") == 1).all() and (found.evidence("Normal") == -1).all()


def test_of_three_classes_the_evidence_for_one_is_what_exceeds_their_mean() -> None:
    three = np.arange(12.0).reshape(2, 2, 3)
    found = reading_of_three(activation_map=three)
    assert (found.evidence("C") == 1).all() and (found.evidence("B") == 0).all()
    shared = np.random.default_rng(0).normal(size=(2, 2, 1))
    assert np.allclose(reading_of_three(activation_map=three + shared).evidence("A"), found.evidence("A"))


def test_the_evidence_is_that_for_the_class_decided_on_unless_another_is_named() -> None:
    found = reading(predicted_label="Normal", activation_map=np.ones((2, 2, 1)))
    assert (found.evidence() == -1).all()
    with pytest.raises(InvalidOption, match="no class 'Polyp': expected one of Normal, Disease"):
        found.evidence("Polyp")


def test_a_reading_is_positive_where_one_class_decides_and_is_decided_on() -> None:
    assert reading().positive is True
    assert reading(predicted_label="Normal").positive is False
    assert reading_of_three().positive is None


def test_json_csv_frame_schema_and_log_have_the_same_fields() -> None:
    names = [field.name for field in FIELDS if field.of_all]
    found, failed = reading(refer=("uncertain",)), Failure(path="b.png", error="is empty")
    assert [*found.to_dict()] == [*failed.to_dict()] == ["path", *names, "error"]
    assert all(shape["required"] == ["path", *names, "error"] for shape in reading_schema()["oneOf"])
    assert set(names) <= {field.name for field in dataclasses.fields(ImageRow)}
    stream = io.StringIO()
    assert write_readings(stream, [found, failed], found.task) == 1
    header, *rows = csv.reader(stream.getvalue().splitlines())
    assert header == column_names(found.task) == [*to_frame([found, failed]).columns]
    said = ["Disease", "0.170000", "0.830000", "true", "0.410000", "Disease", "0.5000", "uncertain"]
    assert rows[0] == ["a.png", *said, ""]
    assert rows[1] == ["b.png", *[""] * 8, "is empty"]


@pytest.mark.parametrize("found", [reading(), reading_of_three(), Failure(path="b.png", error="is empty")])
def test_every_reading_is_as_the_schema_says(found: Reading | Failure) -> None:
    jsonschema.Draft202012Validator(reading_schema()).validate(json.loads(json.dumps(found.to_dict())))


def test_the_examples_of_the_fields_are_as_the_schema_says() -> None:
    example = {"path": None, **{field.name: field.example for field in FIELDS}, "error": None}
    jsonschema.Draft202012Validator(reading_schema()).validate(example)


def test_a_frame_holds_values_and_a_row_for_every_image() -> None:
    frame = to_frame([reading(prediction_set=()), Failure(path="b.png", error="is empty")])
    assert frame.probability_Disease[0] == 0.83 and frame.prediction_set[0] == ()
    assert frame.predicted_label.isna().tolist() == [False, True] and frame.error.tolist()[1] == "is empty"
    assert [*to_frame([Failure(path="b.png", error="is empty")]).columns] == column_names(None)
    assert len(to_frame([])) == 0


def test_a_reading_is_shown_in_one_line_and_in_a_notebook_with_its_name_escaped() -> None:
    found = reading(path="<b>.png", pixels=np.zeros((8, 8, 1), np.uint8), refer=("unfamiliar",))
    assert repr(found) == "Reading('<b>.png': Disease, probability 0.830, refer: unfamiliar)"
    shown = found._repr_html_()
    assert "&lt;b&gt;.png" in shown and "<b>" not in shown
    assert "Not read: unlike the training images. Refer to a human." in shown and "Reads as" not in shown
    said = reading(pixels=found.pixels, refer=("uncertain",))._repr_html_()
    assert "Reads as Disease: probability 0.83 is at or above the operating point 0.41." in said
    assert "Refer to a human: Uncertain." in said
    assert "Refer to a human" not in reading(pixels=found.pixels)._repr_html_()


def test_the_probability_told_is_the_one_that_the_decision_rests_on() -> None:
    assert reading(predicted_label="Normal").probability == 0.83 and reading_of_three().probability == 0.5
    assert probability_heading(reading().task) == "Probability of Disease"
    assert probability_heading(reading_of_three().task) == "Probability"


def test_the_table_on_a_terminal_says_what_the_page_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    found = reading(refer=("uncertain",), probabilities={"Normal": 0.0001, "Disease": 0.9999})
    unlike = reading(refer=("uncertain", "unfamiliar"))
    assert print_readings([found, unlike, Failure(path="b.png", error="is empty")], found.task) == 1
    head, _, first, second, third = capsys.readouterr().out.splitlines()
    assert head.split("  ")[0].strip() == "Image" and "Probability of Disease   Operating point" in head
    assert ">0.999" in first and "0.410" in first and "Uncertain" in first
    assert "Not read: unlike the training images" in second and "Disease" not in second and "0.83" not in second
    assert "Not read: is empty" in third
