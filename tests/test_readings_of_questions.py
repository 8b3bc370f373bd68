"""What is said of an image of which several things are told: findings, ordered grades, and several tasks at once."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from overread import Reader
from overread.cli.tables import print_readings
from overread.decision import OrderedGrades, SeveralTasks, Task
from overread.errors import InvalidOption
from overread.reading import Failure, Reading, explain, to_frame, write_readings
from overread.reading.fields import FIELDS, column_names, reading_schema
from overread.reading.sentences import decision, headline, label_in_words, possible, reasons
from overread.reading.table import default_kind, from_table, to_table
from support.small_readers import (
    BOTH,
    CHEST,
    GRADES,
    GRADES_LOGITS,
    KINDS,
    picture,
    png,
    readers_of_kinds,
    small_reader,
)


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    return readers_of_kinds(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def found(readers: dict[str, Reader]) -> dict[str, Reading]:
    return {name: reader.read(picture(), name="a.png") for name, reader in readers.items()}


def test_each_finding_is_held_against_its_own_operating_point_the_most_certain_first(found: dict[str, Reading]) -> None:
    told = [(one.name, one.threshold, one.answer) for one in found["findings"].questions]
    assert told == [
        ("Mass", 0.4, "present"),
        ("Effusion", 0.5, "present"),
        ("Edema", 0.4, "unsure"),
        ("Nodule", 0.4, "absent"),
    ]
    assert all(one.probability == found["findings"].probabilities[one.name] for one in found["findings"].questions)
    assert found["findings"].refer == ("uncertain",) and found["findings"].predicted_label == "Effusion|Mass|Edema"


def test_each_cut_of_grades_tells_whether_it_is_reached(found: dict[str, Reading]) -> None:
    one, two = found["grades"].questions
    assert (one.name, one.answer, two.name, two.answer) == ("1 or more", "yes", "2 or more", "yes")
    at_least_two = sum(found["grades"].probabilities[name] for name in "234")
    assert two.probability == pytest.approx(at_least_two) and two.reached and found["grades"].prediction_set == ("2",)


def test_each_of_several_tasks_reads_as_it_would_alone(found: dict[str, Reading], readers: dict[str, Reader]) -> None:
    parts = found["both"].parts
    assert [*parts] == ["retinopathy", "signs"] and found["grades"].parts == {}
    alone, part = found["grades"], parts["retinopathy"]
    assert part.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
    assert (part.predicted_label, part.prediction_set, part.refer) == ("2", ("2",), ())
    assert [(one.name, one.answer) for one in part.questions] == [("1 or more", "yes"), ("2 or more", "yes")]
    assert part.evidence("2 or more") == pytest.approx(found["both"].evidence("retinopathy: 2 or more"))
    assert parts["signs"].evidence("scar") == pytest.approx(found["both"].evidence("signs: scar"))
    assert found["both"].predicted_labels == {"retinopathy": "2", "signs": "drusen"}


def test_a_part_of_two_classes_has_its_operating_point(tmp_path: Path) -> None:
    task = SeveralTasks.together({"ill": Task.of(("no", "yes")), "grade": OrderedGrades(tuple("abc"))})
    part = small_reader(tmp_path / "bundle", task, (0.1, 6.0, 0.5)).read(picture()).parts["ill"]
    assert (part.threshold, part.predicted_label, part.positive, part.refer) == (0.5, "yes", True, ("uncertain",))
    assert decision(part).startswith("Reads as yes: probability") and "no or yes" in reasons(part, 0.9)[0]


def test_findings_are_told_in_words(found: dict[str, Reading]) -> None:
    assert headline(found["findings"]) == "Mass, Effusion; unsure: Edema"
    assert decision(found["findings"]) == (
        "Reads as Mass (0.98 at or above 0.40), Effusion (0.88 at or above 0.50); unsure: Edema (0.55 at or above 0.40)"
    )
    (sentence,) = reasons(found["findings"], 0.9)
    assert sentence.startswith("Uncertain: the program cannot tell whether this image shows Edema. Of the images of ")
    assert "each finding, and of those without it, at most about 1 in 10" in sentence and "class" not in sentence


def test_an_image_without_findings_is_told_in_words(tmp_path: Path) -> None:
    none = small_reader(tmp_path / "none", CHEST, (-6.0,) * 4).read(picture())
    assert (headline(none), decision(none), none.refer) == ("No finding", "Reads as no finding", ())
    unsure = small_reader(tmp_path / "unsure", CHEST, (0.1, 0.2, 0.3, 0.4)).read(picture())
    assert headline(unsure) == "No sure finding; unsure: Nodule, Edema, Mass and 1 more"
    assert "which of Nodule, Edema, Mass and Effusion this image shows, if any" in reasons(unsure, 0.9)[0]


def test_a_finding_too_rare_to_be_ruled_out_refers_no_image_and_is_told_where_it_is_reached(
    tmp_path: Path,
) -> None:
    absent = small_reader(tmp_path / "absent", CHEST, (6.0, -6.0, -6.0, -6.0), rare=("Nodule",)).read(picture())
    assert [one.name for one in absent.questions if one.unsure] == ["Nodule"]
    assert (absent.refer, headline(absent)) == ((), "Effusion")
    reached = small_reader(tmp_path / "reached", CHEST, (6.0, -6.0, 0.3, 0.4), rare=("Nodule",)).read(picture())
    assert (reached.refer, headline(reached)) == (("uncertain",), "Effusion; unsure: Nodule and Edema")
    assert "whether this image shows Edema." in reasons(reached, 0.9)[0]
    both = small_reader(tmp_path / "both", BOTH, (6.0, 0.2, -3.0, -3.0, 6.0, -6.0), rare=("signs: scar",))
    parts = both.read(picture()).parts
    assert (parts["retinopathy"].refer, parts["signs"].refer) == (("uncertain",), ())


def test_grades_are_told_in_words(found: dict[str, Reading], tmp_path: Path) -> None:
    assert headline(found["grades"]) == "Grade 2"
    assert decision(found["grades"]) == (
        "Reads as grade 2 of 0 to 4; 1 or more: yes, probability 0.98 at or above 0.50; "
        "2 or more: yes, probability 0.72 at or above 0.40"
    )
    named = OrderedGrades(("none", "mild", "severe"))
    mild = small_reader(tmp_path / "named", named, (6.0, 0.2)).read(picture())
    assert headline(mild) == "severe" and decision(mild).startswith("Reads as severe of none to severe; mild or more: ")
    assert "this image could be mild or severe." in reasons(mild, 0.9)[0]
    wide = small_reader(tmp_path / "wide", GRADES, (0.5, 0.5, 0.5, -6.0)).read(picture())
    assert wide.refer == ("uncertain",) and possible(wide) == "0 to 2"
    assert "this image could be grade 0 to 2. Of the images of each grade, at most" in reasons(wide, 0.9)[0]


def test_several_tasks_are_told_one_after_the_other(found: dict[str, Reading], tmp_path: Path) -> None:
    assert headline(found["both"]) == "retinopathy: Grade 2; signs: drusen"
    assert decision(found["both"]).split(". ")[1] == "signs: Reads as drusen (0.98 at or above 0.40)"
    unsure = small_reader(tmp_path / "unsure", BOTH, (*GRADES_LOGITS, 6.0, 0.2)).read(picture())
    (sentence,) = reasons(unsure, 0.9)
    assert sentence.startswith("Uncertain: signs: the program cannot tell whether this image shows scar. Of the images")
    assert "retinopathy" not in sentence and unsure.parts["retinopathy"].refer == ()


def test_a_label_is_told_in_words() -> None:
    assert label_in_words("Effusion|Mass", CHEST) == "Effusion, Mass"
    assert label_in_words("retinopathy: 2; signs: No Finding", BOTH) == "retinopathy: 2; signs: No finding"
    assert label_in_words("Normal", Task.of(("Normal", "Disease"))) == "Normal"


def test_an_unfamiliar_image_is_not_read_whatever_the_task(readers: dict[str, Reader]) -> None:
    for reader in readers.values():
        unlike = reader.read(np.tile(np.array([[0, 255], [255, 0]], np.uint8), (8, 8)))
        assert headline(unlike) == decision(unlike) == "Not read: unlike the training images"


@pytest.mark.parametrize("kind", KINDS)
def test_json_is_as_the_schema_says_and_has_what_only_such_tasks_have(kind: str, found: dict[str, Reading]) -> None:
    said = json.loads(json.dumps(found[kind].to_dict()))
    jsonschema.Draft202012Validator(reading_schema()).validate(said)
    assert said["questions"] == [one.to_dict() for one in found[kind].questions]
    assert said.get("predicted_labels") == found[kind].predicted_labels
    examples = {field.name: field.example for field in FIELDS}
    jsonschema.Draft202012Validator(reading_schema()).validate({"path": None, **examples, "error": None})


def test_a_table_has_columns_for_each_finding_and_cut_and_task(found: dict[str, Reading]) -> None:
    names = column_names(found["findings"].task)
    assert names[1:6] == ["predicted_label", *(f"probability_{name}" for name in CHEST.classes)]
    assert names[-9:] == [f"{what}_{name}" for name in CHEST.classes for what in ("threshold", "answer")] + ["error"]
    stream = io.StringIO()
    failed = Failure(path="b.png", error="is empty")
    assert write_readings(stream, [found["both"], failed], found["both"].task) == 1
    row, empty = csv.DictReader(stream.getvalue().splitlines())
    assert (row["predicted_label_retinopathy"], row["answer_retinopathy: 2 or more"]) == ("2", "yes")
    at_least = found["both"].questions[1].probability
    assert (row["probability_retinopathy: 2 or more"], row["threshold_signs: scar"]) == (f"{at_least:.6f}", "0.400000")
    assert row["answer_signs: scar"] == "absent" and not any(empty[name] for name in names[1:-1] if name in empty)
    frame = to_frame([found["grades"], failed])
    assert frame["answer_2 or more"].tolist()[0] == "yes" and frame["threshold_1 or more"][0] == 0.5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("of_file", dict.fromkeys(("csv", default_kind())))
def test_a_file_of_readings_comes_back(kind: str, of_file: str, found: dict[str, Reading], tmp_path: Path) -> None:
    content, failures = to_table([found[kind], Failure(path="b.png", error="is empty")], found[kind].task, of_file)
    (tmp_path / f"part.{of_file}").write_bytes(content)
    table = from_table(tmp_path / f"part.{of_file}")
    assert failures == 1 and [*table.labels] == [found[kind].predicted_label, None]
    for name, value in found[kind].probabilities.items():
        assert table.probabilities[name][0] == pytest.approx(value, abs=1e-6)


def test_a_map_is_of_the_most_probable_finding_or_the_highest_cut_unless_another_is_named(
    found: dict[str, Reading],
) -> None:
    assert (found["findings"].mapped, found["grades"].mapped) == ("Mass", "2 or more")
    assert found["both"].mapped == "retinopathy: 2 or more"
    evidence = found["findings"].evidence()
    assert (evidence == found["findings"].activation_map[..., CHEST.column("Mass")]).all()
    with pytest.raises(InvalidOption, match="no grade '5': expected one of 0, 1, 2, 3, 4, 1 or more, 2 or more"):
        found["grades"].evidence("5")


def test_the_evidence_for_a_cut_is_drawn(readers: dict[str, Reader], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(picture()))
    (made,) = explain(readers["grades"], tmp_path / "a.png", tmp_path / "out", shown="1 or more")
    assert made.shown == "1 or more" and made.picture is not None
    (made,) = explain(readers["both"], tmp_path / "a.png", tmp_path / "other")
    assert made.shown == "retinopathy: 2 or more"


def test_a_notebook_shows_each_finding_with_its_operating_point(found: dict[str, Reading]) -> None:
    shown = found["findings"]._repr_html_()
    assert "Reads as Mass (0.98 at or above 0.40)" in shown
    assert "<tr><td>Edema</td><td>0.55</td><td>0.40</td><td>unsure</td></tr>" in shown


def test_the_table_on_a_terminal_is_short(
    found: dict[str, Reading], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    for kind in found:
        assert print_readings([found[kind], Failure(path="b.png", error="is empty")], found[kind].task) == 1
    said = capsys.readouterr().out
    assert "Mass 0.98, Effusion 0.88; unsure: Edema 0.55   Uncertain" in said
    assert "Grade 2 (1 or more: yes, 2 or more: yes)   drusen 0.98" in said
    assert said.count("Not read: is empty") == 3
