"""A file that was damaged or altered by hand makes no object that is not valid."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from overread.cases import Source
from overread.errors import OverreadError
from overread.machine.content.values import from_values
from overread.recipe import Recipe
from overread.run import RunFolder, StudyRequest, TrainingRun
from overread.study.settle import settle

ANYTHING: list[Any] = [None, 2**70, 1e400, True, "x\0y", [[1]], {"a": {"b": 1}}]


@dataclasses.dataclass(frozen=True)
class Made:
    name: str
    share: float | None = None
    sides: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)


@pytest.mark.parametrize(
    ("values", "made"),
    [
        ({"name": "a"}, Made("a")),
        ({"name": "a", "share": 1, "sides": ["b", "c"]}, Made("a", 1, ("b", "c"))),
        ({"name": "a", "counts": {"train": {"x": 3}}}, Made("a", counts={"train": {"x": 3}})),
    ],
)
def test_values_become_what_they_stand_for(values: dict[str, Any], made: Made) -> None:
    assert from_values(Made, values) == made


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"name": None},
        {"name": "a", "other": 1},
        {"name": "a", "share": "1"},
        {"name": "a", "share": True},
        {"name": "a", "sides": "bc"},
        {"name": "a", "sides": [1]},
        {"name": "a", "counts": {"train": 3}},
    ],
)
def test_values_of_another_type_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_values(Made, values)


def places_in(value: Any, *above: Any) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for name, each in inside for place in places_in(each, *above, name))]


def with_value(values: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    changed = json.loads(json.dumps(values))
    *above, last = place
    inside = changed
    for name in above:
        inside = inside[name]
    inside[last] = new
    return changed


def test_whatever_a_value_of_a_record_is_changed_to_is_a_sentence_or_a_run(tmp_path: Path) -> None:
    request = StudyRequest(
        recipe=Recipe(network="compact"),
        source=Source(data=str(tmp_path / "nothing"), patient_pattern="^P"),
        options={"level": 0.9, "prevalence": None, "by": ["sex"]},
    )
    run = TrainingRun(
        request=request, fingerprint="f", images={"train": {"a": 2}}, patients={"train": 1}, study="s", left_out={}
    )
    folder = RunFolder.open(tmp_path / "run")
    folder.write(run)
    for path in (folder.record, folder.places):
        values = json.loads(path.read_text())
        for place in places_in(values):
            for new in ANYTHING:
                path.write_text(json.dumps(with_value(values, place, new)))
                with pytest.raises(OverreadError):  # if only that the data are not there
                    settle(None, folder=folder, former=folder.read(TrainingRun))
        path.write_text(json.dumps(values))
