"""Which images are one exam, and whose label it is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overread.auditing.plan import Plan
from overread.cases import Case, Manifest, PublicNames, Source, pseudonym
from overread.cases.exams.gather import gather_exams
from overread.cases.exams.gathering import Gathering
from overread.cases.exams.known import gathering_of
from overread.decision import Task
from overread.errors import InvalidData, InvalidOption
from overread.formats import Instance
from overread.study.as_trained import as_trained
from overread.study.data import read_manifest
from support.exams import frames_of, write_pages
from support.tables import write_files, write_table

EYES = "id,left,right,label\n1,1_l.png,1_r.png,a\n2,2_l.png,2_r.png,b\n3,3_l.png,3_r.png,a\n"
HEAD = "path,label,exam_id\n"


def gathered(data: Path, **options: Any) -> Manifest:
    return read_manifest(Source(data=str(data), **options))


def said(manifest: Manifest) -> str:
    return "\n".join(manifest.notes)


def exams(manifest: Manifest) -> dict[str, list[str]]:
    return {case.name: [*case.files] for case in manifest.cases}


def test_a_row_that_names_several_images_is_one_exam_with_its_label(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}_{side}.png" for n in (1, 2, 3) for side in "lr"])
    manifest = gathered(write_table(tmp_path / "labels.csv", EYES))
    assert exams(manifest) == {f"{n}": [f"{n}_l.png", f"{n}_r.png"] for n in (1, 2, 3)}
    assert [case.label for case in manifest.cases] == ["a", "b", "a"]
    assert "6 images are 3 exams, and the labels are those of exams" in said(manifest)


def test_the_label_of_a_row_is_copied_to_its_images_only_where_that_is_said(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}_{side}.png" for n in (1, 2, 3) for side in "lr"])
    manifest = gathered(write_table(tmp_path / "labels.csv", EYES), labels_of="image")
    assert [(case.name, case.label) for case in manifest.cases][:2] == [("1_l.png", "a"), ("1_r.png", "a")]
    assert not any(case.instances for case in manifest.cases)
    assert "each has the label of its row (--labels-of image): wrong for those that do not show it" in said(manifest)


def test_a_row_that_names_a_folder_is_one_exam(tmp_path: Path) -> None:
    studies = [f"XR/patient{n}/study{k}" for n in (11, 12, 13) for k in (1, 2)]
    write_files(tmp_path / "data", [f"{study}/image{i}.png" for study in studies for i in (1, 2)])
    rows = "".join(f"MURA/{study}/,{i % 2}\n" for i, study in enumerate(studies))
    manifest = gathered(tmp_path / "data", labels=(str(write_table(tmp_path / "labels.csv", rows)),))
    assert sorted(exams(manifest)) == studies
    assert len({case.patient_id for case in manifest.cases}) == 3


def test_an_image_that_is_not_there_is_counted_and_the_others_are_the_exam(tmp_path: Path) -> None:
    write_files(tmp_path, ["1_l.png", "1_r.png", "2_l.png", "3_l.png", "3_r.png"])
    manifest = gathered(write_table(tmp_path / "labels.csv", EYES))
    assert [len(case.instances) for case in manifest.cases] == [2, 1, 2]
    assert "1 row names an image that is not there, beside one that is" in said(manifest).replace("of labels.csv ", "")


def test_an_image_in_two_exams_is_refused_with_its_rows(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}_{side}.png" for n in (1, 2, 3) for side in "lr"])
    table = write_table(tmp_path / "labels.csv", EYES + "4,3_l.png,2_r.png,b\n")
    with pytest.raises(InvalidData, match=r"rows 3 and 5 of labels.csv put one image into different exams.* 2 images"):
        gathered(table)
    own = write_table(tmp_path / "own.csv", HEAD + "1_l.png,a,x\n1_r.png,a,x\n1_l.png,a,y\n2_l.png,b,y\n")
    with pytest.raises(InvalidData, match=r"rows 2 and 4 of own.csv put one image into different exams"):
        gathered(own)


def test_columns_of_other_images_are_one_exam_where_they_are_named_together(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}_{side}.png" for n in (1, 2, 3) for side in "lr"])
    table = write_table(tmp_path / "labels.csv", EYES.replace("left,right", "scan,smear"))
    assert len(gathered(table, image_column="scan+smear")) == 3
    with pytest.raises(InvalidOption, match=r"'spear' is no column"):
        gathered(table, image_column="scan+spear")


def test_images_whose_labels_differ_within_an_exam_stay_images_and_count_as_of_one_patient(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(6)])
    table = write_table(tmp_path / "t.csv", HEAD + "0.png,a,x\n1.png,b,x\n2.png,a,y\n3.png,a,y\n4.png,b,z\n5.png,b,\n")
    manifest = gathered(table)
    assert len(manifest) == 6
    assert "those of each image, for they differ in 1 of 3 exams: judged image by image" in said(manifest)
    assert [case.patient_id for case in manifest.cases] == ["exam x", "exam x", "exam y", "exam y", "exam z", None]
    with pytest.raises(InvalidData, match=r"images of 1 exam of 3 have different labels.*not put upon the others"):
        gathered(table, labels_of="exam")


def test_an_image_of_no_exam_is_by_itself(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(4)])
    manifest = gathered(write_table(tmp_path / "t.csv", HEAD + "0.png,a,x\n1.png,a, x \n2.png,b,\n3.png,b,\n"))
    assert exams(manifest) == {"x": ["0.png", "1.png"], "2.png": [], "3.png": []}
    assert "2 images named of no exam, each by itself" in said(manifest)


def test_frames_of_one_file_may_be_of_different_exams(tmp_path: Path) -> None:
    write_files(tmp_path, ["film.png"])
    rows = "".join(f"film.png,{'ab'[n > 2]},{n},{'xy'[n > 2]}\n" for n in (1, 2, 3, 4))
    manifest = gathered(write_table(tmp_path / "t.csv", "path,label,frame,exam_id\n" + rows))
    film = tmp_path / "film.png"
    assert [case.instances for case in manifest.cases] == [
        (Instance(film, 1), Instance(film, 2)),
        (Instance(film, 3), Instance(film, 4)),
    ]


def test_exams_that_are_numbered_anew_for_each_patient_are_told_apart(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(8)])
    rows = "".join(f"{n}.png,{'ab'[n // 4]},{n // 2 % 2},p{n // 4}\n" for n in range(8))
    manifest = gathered(write_table(tmp_path / "t.csv", "path,label,exam_id,patient_id\n" + rows))
    assert [case.name for case in manifest.cases] == [f"{pseudonym(p)}/{n}" for p in ("p0", "p1") for n in "01"]
    assert "exams are numbered anew for each patient" in said(manifest)


def test_ids_that_differ_in_capitals_alone_are_counted(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(4)])
    manifest = gathered(write_table(tmp_path / "t.csv", HEAD + "0.png,a,x\n1.png,a,x\n2.png,b,X\n3.png,b,X\n"))
    assert len(manifest) == 2
    assert "1 exam is called as another but for capitals, and counts as a different one" in said(manifest)


def test_a_row_of_an_exam_that_contradicts_the_others_blocks_the_audit_and_is_cited(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(6)])
    rows = "0.png,a,x,p1\n1.png,a,x,p2\n2.png,b,y,p3\n3.png,b,y,p3\n4.png,a,z,\n5.png,a,z,p4\n"
    manifest = gathered(write_table(tmp_path / "t.csv", "path,label,exam_id,patient_id\n" + rows))
    assert [case.patient_id for case in manifest.cases] == ["p1", "p3", "p4"]
    with pytest.raises(InvalidData, match=r"first rows 2 and 3 in the patient"):
        manifest.require_agreement()


def test_an_exam_is_on_one_side(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{side}/{label}/e{n}_{i}.png" for side in ("train", "test") for label in "ab"
                           for n in (int(side == "test"), 2) for i in (1, 2)])  # fmt: skip
    with pytest.raises(InvalidData, match=r"2 exams of 6 have images of several sides, first images"):
        gathered(tmp_path, exam_pattern=r"[ab]/e\d")
    assert len(gathered(tmp_path, exam_pattern=r"[ab]/e\d", ignore_sides=True)) == 6


def test_folders_of_one_name_in_two_classes_are_two_exams(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{label}/e{n}/{i}.png" for label in ("ill", "well") for n in (1, 2) for i in (1, 2)])
    manifest = gathered(tmp_path, exams="folder")
    assert [case.name for case in manifest.cases] == ["ill/e1", "ill/e2", "well/e1", "well/e2"]


def test_class_folders_are_no_exams(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{label}/{i}.png" for label in ("ill", "well") for i in (1, 2, 3)])
    with pytest.raises(InvalidData, match="the 2 folders of the images are the classes, and no exams"):
        gathered(tmp_path, exams="folder")


def test_a_column_that_may_name_exams_is_offered_and_not_taken(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}.png" for n in range(6)])
    rows = "".join(f"{n}.png,{'ab'[n // 3]},s{n // 2},v{n}\n" for n in range(6))
    table = write_table(tmp_path / "t.csv", "path,label,StudyInstanceUID,visit\n" + rows)
    manifest = gathered(table)
    assert len(manifest) == 6
    assert "column studyinstanceuid may name exams (3 of 6 images): --exams studyinstanceuid" in said(manifest)
    other = write_table(
        tmp_path / "o.csv", "file,label,Study ID\n" + "".join(f"{n}.png,{'aabbab'[n]},s{n // 2}\n" for n in range(6))
    )
    assert "--exams 'Study ID'" in said(gathered(other))
    assert len(gathered(other, exams="study id")) == 6  # the labels of one differ
    assert "for they differ in 1 of 3 exams" in said(gathered(other, exams="study id"))


def test_labels_of_exams_that_nothing_names_are_refused(tmp_path: Path) -> None:
    write_files(tmp_path, ["a/1.png", "b/2.png"])
    with pytest.raises(InvalidOption, match="no two images are known to be of one exam"):
        gathered(tmp_path, labels_of="exam")


NAMES = st.text("ab1 é,", min_size=1, max_size=4).map(str.strip).filter(bool)
FILES = st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(1, 3)), min_size=1, max_size=4, unique=True)


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.tuples(NAMES, st.integers(1, 4), st.sampled_from("xy"), st.booleans()), min_size=2,
                      max_size=6, unique_by=lambda one: one[0].casefold()), patients=st.booleans())  # fmt: skip
def test_a_table_of_exams_is_read_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[tuple[str, int, str, bool]], patients: bool
) -> None:
    folder = tmp_path_factory.mktemp("own")
    cases, number = [], 0
    for index, (name, size, label, framed) in enumerate(sizes):
        files = [f"f{number + i}.png" for i in range(size)]
        number += size
        instances = [Instance(folder / file, i + 1 if framed else None) for i, file in enumerate(files)]
        exam = size > 1 or framed
        cases.append(
            Case(
                path=folder / files[0],
                name=name if exam else files[0],
                label=label,
                patient_id=f"p{index}" if patients else None,
                split="train",
                instances=tuple(instances) if exam else (),
                files=tuple(files) if exam else (),
                extra={"site": f"s{index % 2}"},
            )
        )
    write_files(folder, [file for case in cases for file in case.files or (case.name,)])
    whole = Manifest(cases=tuple(cases), task=Task.of(("x", "y")))
    whole.write_csv(folder / "t.csv")
    read = Manifest.from_csv(folder / "t.csv", task=whole.task)
    read = gather_exams(read, Source(data=str(folder / "t.csv")))

    def told(manifest: Manifest) -> list[tuple[Any, ...]]:
        return [(c.name, c.files, c.instances, c.label, c.split, dict(c.extra)) for c in manifest.cases]

    if sum(len(case.instances) > 1 for case in cases):
        assert told(read) == told(whole)
    assert len({case.patient_id for case in read.cases}) == (len(cases) if patients else 1)


def test_folders_that_may_be_exams_are_offered_and_not_taken(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{c}/e{n}/{i}.png" for c in ("ill", "well") for n in (1, 2, 3) for i in range(2 + n % 2)])
    manifest = gathered(tmp_path)
    assert len(manifest) == 16
    assert "the images lie in 6 folders of 2 to 3: if each is one exam, --exams folder" in said(manifest)


def test_a_pattern_without_slash_finds_the_nearest_part_of_the_path(tmp_path: Path) -> None:
    write_files(
        tmp_path, [f"{label}/e{n}_{label}/{i}.png" for label in ("ill", "well") for n in (1, 2) for i in (1, 2)]
    )
    manifest = gathered(tmp_path, exam_pattern=r"^e\d_\w+$")
    assert [case.name for case in manifest.cases] == ["e1_ill", "e2_ill", "e1_well", "e2_well"]
    by_reading = Gathering(by="pattern", pattern=r"^e\d_\w+$")
    assert by_reading.named_in(f"{tmp_path}/e9_other/e1_ill/1") == "e1_ill"


def test_a_cleaned_table_of_exams_names_their_files_from_where_it_lies(tmp_path: Path) -> None:
    write_files(
        tmp_path / "data", [f"{label}/e{n}/{i}.png" for label in ("ill", "well") for n in (1, 2) for i in (1, 2)]
    )
    (tmp_path / "tables").mkdir()
    manifest = gathered(tmp_path / "data", exams="folder")
    plan = Plan(kept=manifest.cases, dropped={}, moved={})
    plan.write(tmp_path / "tables" / "t.csv", SimpleNamespace(manifest=manifest))  # type: ignore[arg-type]
    read = gathered(tmp_path / "tables" / "t.csv")
    assert [case.name for case in read.cases] == [case.name for case in manifest.cases]
    assert [case.label for case in read.cases] == [case.label for case in manifest.cases]
    assert [[one.path.resolve() for one in case.instances] for case in read.cases] == [
        [one.path.resolve() for one in case.instances] for case in manifest.cases
    ]


def test_what_stands_for_an_exam_in_public_hides_the_names_of_all_its_files(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{n}_Meier_{side}.png" for n in (1, 2, 3) for side in ("left", "right")])
    rows = "".join(f"{n}_Meier_left.png,{n}_Meier_right.png,{'ab'[n % 2]}\n" for n in (1, 2, 3))
    manifest = gathered(write_table(tmp_path / "labels.csv", "left,right,label\n" + rows))
    names = PublicNames(manifest)
    assert names.hide("2_Meier_right.png is alike") == "exam 2 is alike"
    assert [row[:2] for row in names.rows()][:2] == [(1, "1_Meier_left.png"), (1, "1_Meier_right.png")]


def test_a_bundle_knows_how_the_exams_of_its_study_were_told(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{label}/e{n}/{i}.png" for label in ("ill", "well") for n in (1, 2) for i in (1, 2)])
    assert gathering_of(gathered(tmp_path, exams="folder").cases).by == "folder"
    write_files(tmp_path / "eyes", [f"{n}_{side}.png" for n in (1, 2, 3) for side in "lr"])
    assert gathering_of(gathered(write_table(tmp_path / "eyes" / "labels.csv", EYES)).cases).by == "column"


def bundle_of(**gathering: Any) -> Any:
    return SimpleNamespace(exams=Gathering(**gathering) if gathering else None)


def test_images_are_gathered_as_the_exams_of_the_bundle_that_is_evaluated(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{c}/e{n}/{i}.png" for c in ("ill", "well") for n in (1, 2, 3) for i in (1, 2)])
    images = gathered(tmp_path)
    for bundle in (bundle_of(by="folder"), bundle_of(by="pattern", pattern=r"[a-z]+/e\d")):
        found = as_trained(images, bundle)
        assert len(found) == 6
        assert "exams are gathered as those that the bundle was trained on" in said(found)
    with pytest.raises(InvalidData, match="exams of several images, which a table told"):
        as_trained(images, bundle_of(by="column"))
    with pytest.raises(InvalidData, match="each of these images is one by itself"):
        as_trained(images, bundle_of(by="pattern", pattern=r".*/.*"))
    assert as_trained(images, bundle_of()) is images
    exams_given = gathered(tmp_path, exams="folder")
    assert as_trained(exams_given, bundle_of(by="column")) is exams_given
    assert "the mean of its evidence over all frames" in said(as_trained(exams_given, bundle_of()))


def test_volumes_of_a_subject_that_a_row_names_are_exams_by_themselves(tmp_path: Path) -> None:
    for number in range(6):
        for session in (1, 2):
            write_pages(tmp_path / f"sub-{number}" / f"ses-{session}", frames_of(number, ill=False, count=2, size=8))
    rows = "".join(f"sub-{n}\t{'fm'[n % 2]}\n" for n in range(6))
    table = write_table(tmp_path / "participants.tsv", "participant_id\tsex\n" + rows)
    manifest = gathered(tmp_path, labels=(str(table),), label_column="sex")
    assert (len(manifest), len({case.patient_id for case in manifest.cases})) == (12, 6)
    assert "several files each that are exams by themselves: each has the label of its row" in said(manifest)


def test_a_class_that_the_names_of_numbered_folders_end_with_is_that_of_the_folder(tmp_path: Path) -> None:
    write_files(tmp_path, [f"{side}/XR_WRIST/patient{n:05}/study1_{('negative', 'positive')[n % 2]}/image{i}.png"
                           for side, first in (("train", 0), ("valid", 20)) for n in range(first, first + 6)
                           for i in range(1, 2 + n % 3)])  # fmt: skip
    manifest = gathered(tmp_path)
    assert (len(manifest), manifest.positive, len(manifest.select("val"))) == (12, "positive", 6)
    assert manifest.cases[0].name == "train/XR_WRIST/patient00000/study1_negative"
    assert "the class is what the names of 12 folders end with (negative and positive)" in said(manifest)


def test_sides_and_views_that_the_names_of_folders_end_with_are_no_classes(tmp_path: Path) -> None:
    write_files(
        tmp_path, [f"patient{n}_{side}/{i}.png" for n in range(6) for side in ("left", "right") for i in (1, 2)]
    )
    with pytest.raises(InvalidData, match="does not tell what its images show"):
        gathered(tmp_path)
