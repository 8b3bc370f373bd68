"""The sides of a study: by patient, stratified, seeded, and refused where they cannot be."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overread.cases import Case, Manifest, fold_cases, split_cases
from overread.decision import Task
from overread.errors import InvalidData, InvalidOption


def manifest_of(rows: list[tuple[str, str | None, str | None]]) -> Manifest:
    """A manifest of (label, patient, side) rows."""
    cases = [
        Case(path=Path(f"{i}.png"), name=f"{i}.png", label=label, patient_id=patient, split=side)
        for i, (label, patient, side) in enumerate(rows)
    ]
    return Manifest(cases=tuple(cases), task=Task.of(sorted({case.label for case in cases})))


patients = st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 6)), min_size=0, max_size=40)
SURE = [("a", 2)] * 4 + [("b", 1)] * 4


@given(patients, st.integers(0, 5))
def test_a_patient_never_spans_two_splits(drawn: list[tuple[str, int]], seed: int) -> None:
    rows = [(label, f"p{i}", None) for i, (label, images) in enumerate(SURE + drawn) for _ in range(images)]
    split = split_cases(manifest_of(rows), seed=seed)
    sides = defaultdict(set)
    for case in split.manifest.cases:
        sides[case.patient_id].add(case.split)
    assert all(len(found) == 1 for found in sides.values())
    assert {case.split for case in split.manifest.cases} == {"train", "val", "test"}


@given(st.integers(0, 50))
def test_each_class_comes_near_its_share_of_every_side(seed: int) -> None:
    rows = [("a" if i % 4 else "b", f"p{i // 3}", None) for i in range(600)]
    counts = split_cases(manifest_of(rows), seed=seed).counts()
    for name, total in (("a", 450), ("b", 150)):
        assert abs(counts["test"][name] / total - 0.15) < 0.03
        assert abs(counts["val"][name] / total - 0.1275) < 0.03


def test_the_same_seed_gives_the_same_split_and_another_seed_another() -> None:
    manifest = manifest_of([("ab"[i % 2], f"p{i}", None) for i in range(200)])
    first, again, other = (split_cases(manifest, seed=seed).manifest for seed in (1, 1, 2))
    assert first == again != other


def test_given_sides_are_respected() -> None:
    rows = [("ab"[i % 2], f"p{i}", ("train", "val", "test")[i % 3]) for i in range(180)]
    manifest = manifest_of(rows)
    assert split_cases(manifest).manifest.cases == manifest.cases


def test_a_validation_side_that_is_too_small_is_carved_from_train_by_patient() -> None:
    rows = [("ab"[i % 2], f"p{i // 2}", "train") for i in range(400)]
    rows += [("ab"[i % 2], f"v{i}", "val") for i in range(16)] + [("ab"[i % 2], f"t{i}", "test") for i in range(60)]
    split = split_cases(manifest_of(rows))
    assert 50 <= len(split.manifest.select("val")) <= 75
    assert len(split.manifest.select("test")) == 60
    assert any("16 images, too few" in note for note in split.notes)


def test_a_small_validation_side_is_kept_when_carving_gives_no_larger_one() -> None:
    rows = [("ab"[i % 2], f"p{i}", "train") for i in range(40)]
    rows += [("ab"[i % 2], f"v{i}", "val") for i in range(12)] + [("ab"[i % 2], f"t{i}", "test") for i in range(12)]
    assert len(split_cases(manifest_of(rows)).manifest.select("val")) == 12


def test_a_class_that_comes_from_one_patient_is_refused_with_what_it_would_take() -> None:
    rows = [("healthy", f"p{i}", None) for i in range(30)] + [("lesion", "p0", None)] * 58
    with pytest.raises(
        InvalidData, match=r"no image of class lesion: its 58 images come from 1 patient, .* three patients"
    ):
        split_cases(manifest_of(rows))


@pytest.mark.parametrize(
    ("patient", "whose"),
    [(None, "show 2 pictures, for near copies count as one"),
     ("p", "come from 12 patients, whom shared pictures join to 2 groups")],
)  # fmt: skip
def test_a_class_of_few_pictures_is_refused_with_how_near_copies_join_its_images(
    patient: str | None, whose: str
) -> None:
    manifest = manifest_of([("ab"[i < 12], patient and f"{patient}{i}", None) for i in range(60)])
    cases = [dataclasses.replace(case, group=f"g{i % 2}" if i < 12 else None) for i, case in enumerate(manifest.cases)]
    with pytest.raises(InvalidData, match=f"no image of class b: its 12 images {whose}, and train"):
        split_cases(manifest.replace(cases))


def test_the_real_larynx_frames_cannot_be_split_by_patient(shared_data: Path) -> None:
    with pytest.raises(InvalidData, match="58 images come from 1 patient"):
        split_cases(Manifest.read(shared_data / "larynx_vocalfolds"))


def test_the_real_chest_radiographs_get_a_validation_side_without_shared_patients(shared_data: Path) -> None:
    split = split_cases(Manifest.read(shared_data / "chest_xray"))
    assert split.counts()["test"] == {"NORMAL": 234, "PNEUMONIA": 390}
    assert split.warnings == ()
    sides = defaultdict(set)
    for case in split.manifest.cases:
        sides[case.patient_id].add(case.split)
    assert max(len(found) for found in sides.values()) == 1


def test_images_without_patients_are_warned_of() -> None:
    (warning,) = split_cases(manifest_of([("ab"[i % 2], None, None) for i in range(160)])).warnings
    assert "160 of 160 images name no patient" in warning


def with_groups(manifest: Manifest, groups: list[str | None]) -> Manifest:
    pairs = zip(manifest.cases, groups, strict=True)
    return manifest.replace(dataclasses.replace(case, group=group) for case, group in pairs)


groups = st.lists(st.one_of(st.none(), st.sampled_from("uvwxyz")), min_size=90, max_size=90)


@given(groups, st.integers(0, 5), st.booleans())
def test_copies_and_all_images_of_their_patients_stay_on_one_side(
    drawn: list[str | None], seed: int, patients_are_named: bool
) -> None:
    rows = [("ab"[i % 2], f"p{i // 3}" if patients_are_named else None, None) for i in range(600)]
    manifest = with_groups(manifest_of(rows), drawn + [None] * 510)
    dealt = [split_cases(manifest, seed=seed).manifest, *fold_cases(manifest, folds=3, seed=seed)]
    for split in dealt:
        for name in ("group", "patient_id"):
            sides = defaultdict(set)
            for case in split.cases:
                if getattr(case, name):
                    sides[getattr(case, name)].add(case.split)
            assert all(len(found) == 1 for found in sides.values())


def test_copies_are_kept_together_where_validation_is_carved_and_left_where_the_data_put_them() -> None:
    sides = ["train"] * 400 + ["test"] * 100
    manifest = manifest_of([("ab"[i % 2], None, side) for i, side in enumerate(sides)])
    drawn = [str(i // 4) if i < 200 else None for i in range(500)]
    drawn[300] = drawn[450] = "on two given sides"
    split = split_cases(with_groups(manifest, drawn))
    found = split.manifest.cases
    assert all(len({case.split for case in found[i : i + 4]}) == 1 for i in range(0, 200, 4))
    assert found[450].split == "test" != found[300].split
    assert "51 groups of identical or near-identical images: the images of each are kept on one side" in split.notes
    assert split.patients()["train"] + split.patients()["val"] == 50 + 200


def test_images_without_copies_are_split_as_they_were_before_copies_were_joined() -> None:
    manifest = manifest_of([("ab"[i % 2], f"p{i // 2}", None) for i in range(300)])
    assert split_cases(manifest).manifest == split_cases(with_groups(manifest, [None] * 300)).manifest


def test_patients_on_two_given_sides_are_warned_of_by_count_alone() -> None:
    rows = [("ab"[i % 2], f"Jane{i % 40}", ("train", "val", "test")[i // 80]) for i in range(240)]
    (warning,) = split_cases(manifest_of(rows)).warnings
    assert "40 patients stand on more than one given side" in warning
    assert "Jane" not in warning


def test_half_given_sides_and_absurd_fractions_are_refused() -> None:
    rows = [("a", "p1", "train"), ("b", "p2", None)]
    with pytest.raises(InvalidData, match="1 of 2 cases have no split"):
        split_cases(manifest_of(rows))
    with pytest.raises(InvalidOption, match=r"test fraction 0\.9"):
        split_cases(manifest_of(rows), test=0.9)


def folds_of(cases: list[Case], folds: int, seed: int = 0) -> tuple[Manifest, ...]:
    return fold_cases(Manifest(cases=tuple(cases), task=Task.of(("a", "b"))), folds=folds, seed=seed)


@given(st.integers(0, 5), st.integers(2, 6), st.integers(1, 4))
def test_every_case_is_in_one_fold_and_no_patient_in_two(seed: int, folds: int, images: int) -> None:
    cases = [
        Case(path=Path(f"{i}.png"), name=f"{i}.png", label="ab"[i // images % 2], patient_id=f"p{i // images}")
        for i in range(24 * images)
    ]
    dealt = folds_of(cases, folds, seed)
    tested = [{manifest.cases[i].name for i in manifest.select("test")} for manifest in dealt]
    assert sum(map(len, tested)) == len(set.union(*tested)) == len(cases)
    patients = [{manifest.cases[i].patient_id for i in manifest.select("test")} for manifest in dealt]
    assert sum(map(len, patients)) == len(set.union(*patients))
    for manifest in dealt:
        labels = [manifest.cases[i].label for i in manifest.select("test")]
        assert abs(labels.count("a") - labels.count("b")) <= 2 * images
    assert dealt == folds_of(cases, folds, seed)


def test_a_given_test_side_stays_out_of_the_folds() -> None:
    sides = ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    cases = [
        Case(path=Path(f"{i}.png"), name=f"{i}.png", label="ab"[i % 2], split=side) for i, side in enumerate(sides)
    ]
    dealt = folds_of(cases, 5)
    assert {len(manifest) for manifest in dealt} == {30}
    assert all({case.split for case in manifest.cases} == {"train", "test"} for manifest in dealt)
    assert "10 images of the given test side are left out and stay unopened" in dealt[0].notes


@pytest.mark.parametrize("folds", [0, 1, 21])
def test_a_number_of_folds_that_makes_no_cross_validation_is_refused(folds: int) -> None:
    with pytest.raises(InvalidOption, match=f"folds={folds} is outside 2 to 20"):
        folds_of([Case(path=Path("a"), name="a", label="a"), Case(path=Path("b"), name="b", label="b")], folds)
