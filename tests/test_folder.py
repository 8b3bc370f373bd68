"""Folders as people have them: which are classes, sides of a split and storage."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from overread.cases.folder import describe_layout, read_folder
from overread.errors import InvalidData
from support.image_files import fill_folders, png, write_tree


def read(root: Path, *class_names: str) -> tuple[dict[str, int], dict[str | None, int], str]:
    """Images by class and by side, and what was said."""
    cases, notes = read_folder(root, class_names)
    classes, sides = Counter(case.label for case in cases), Counter(case.split for case in cases)
    return dict(classes), dict(sides), "\n".join(notes)


@pytest.mark.parametrize(
    "pattern",
    [
        "{side}/{label}", "{label}/{side}", "{side}/images/{label}", "data/{side}/{label}/pics", "{label}/{side}/png",
        "archive/data/{label}/{side}", "of_{side}/{side}/{label}",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "names", [("train", "test"), ("Training", "Testing"), ("01_train", "02_test"), ("TRAIN", "test1"),
              ("train_images", "test_images"), ("training_set", "test_set"), ("cxr_train", "cxr_test")],
)  # fmt: skip
def test_sides_lie_above_or_below_the_classes_in_any_spelling(
    pattern: str, names: tuple[str, str], tmp_path: Path
) -> None:
    for side, number in zip(names, (6, 3), strict=True):
        fill_folders(
            tmp_path, *(pattern.format(side=side, label=label) for label in ("NORMAL", "PNEUMONIA")), number=number
        )
    classes, sides, _ = read(tmp_path)
    assert classes == {"NORMAL": 9, "PNEUMONIA": 9}
    assert sides == {"train": 12, "test": 6}


@pytest.mark.parametrize("name", ["validation_set", "val", "Valid", "VALIDATION", "validate"])
def test_the_validation_side_has_many_names(name: str, tmp_path: Path) -> None:
    fill_folders(tmp_path, *(f"{side}/{label}" for side in ("train", name, "test") for label in "ab"))
    assert read(tmp_path)[1] == {"train": 8, "val": 8, "test": 8}


def test_a_folder_beside_sides_is_named_with_what_to_do(tmp_path: Path) -> None:
    fill_folders(tmp_path, "train/a", "train/b", "test/a", "test/b", "extra/a", "notes")
    with pytest.raises(
        InvalidData,
        match=r"split folders and also extra and notes: .* Take extra and notes out, or give .* such as .*test",
    ):
        read(tmp_path)


def test_a_copy_of_the_whole_within_itself_is_named(tmp_path: Path) -> None:
    fill_folders(tmp_path, *(f"{top}/train/{label}" for top in ("set", "set/set") for label in "ab"))
    with pytest.raises(InvalidData, match="set has split folders and also set"):
        read(tmp_path)


def test_a_copy_of_the_classes_beside_them_is_no_further_class(tmp_path: Path) -> None:
    fill_folders(tmp_path, "yes", "no", "brain/yes", "brain/no")
    with pytest.raises(InvalidData, match="brain holds folders named as those beside it"):
        read(tmp_path)


def test_folders_below_classes_may_be_named_as_classes(tmp_path: Path) -> None:
    fill_folders(tmp_path, "NORMAL/NORMAL", "ILL/ILL", "OTHER")
    assert read(tmp_path)[0] == {"NORMAL": 4, "ILL": 4, "OTHER": 4}
    fill_folders(tmp_path / "grades", *(f"{grade}/{patient}" for grade in range(3) for patient in range(3)))
    assert read(tmp_path / "grades")[0] == {"0": 12, "1": 12, "2": 12}


def test_a_class_beside_others_without_sides_is_named(tmp_path: Path) -> None:
    fill_folders(tmp_path, "NORMAL/train", "NORMAL/test", "PNEUMONIA")
    with pytest.raises(InvalidData, match="PNEUMONIA lies on no side"):
        read(tmp_path)


def test_what_is_called_a_class_is_no_side(tmp_path: Path) -> None:
    fill_folders(tmp_path, "control", "test")
    with pytest.raises(InvalidData, match="--map control=control,test=test"):
        read(tmp_path)
    assert read(tmp_path, "control", "test")[0] == {"control": 4, "test": 4}


def test_a_side_without_labels_is_left_out_and_counted(tmp_path: Path) -> None:
    fill_folders(tmp_path, "train/a", "train/b")
    fill_folders(tmp_path, "test", number=20)
    classes, _, said = read(tmp_path)
    assert classes == {"a": 4, "b": 4}
    assert "20 images lie in no class folder, have no label and are left out" in said


@pytest.mark.parametrize(
    "names",
    [
        ["0", "1"], ["0", "1", "2", "3", "4"], ["1", "2", "3"], ["00", "01", "02"], ["grade_0", "grade_1", "grade_2"],
        ["stage1", "stage2"], ["type_1", "type_2", "type_3"], ["class_01", "class_02"], ["Grade I", "Grade II"],
        ["KL0", "KL1", "KL2"], ["T1", "T2", "T3", "T4"], ["CIN1", "CIN2", "CIN3"], ["BI-RADS 2", "BI-RADS 4a"],
        ["type_a", "type_b"], ["bbps-0-1", "bbps-2-3"], ["01_TUMOR", "02_STROMA", "08_EMPTY"], ["A", "B"],
        ["n02085620-Chihuahua", "n02085782-spaniel"], ["test_positive", "test_negative"], ["F0", "F1", "F2"],
        ["with_mask", "without_mask"], ["polyp", "normal"], ["normal", "image_artefact"], ["HPV16", "HPV18"],
        ["Class 1", "Class 2", "Class 10"], ["mild", "moderate", "severe"], ["covid-19", "normal"], ["full", "partial"],
    ],
)  # fmt: skip
def test_folders_that_are_classes_stay_classes(names: list[str], tmp_path: Path) -> None:
    fill_folders(tmp_path, *names)
    assert read(tmp_path)[0] == dict.fromkeys(names, 4)


@pytest.mark.parametrize(
    "names",
    [
        ["images_001", "images_002"], ["part_1", "part_2", "part_3"], ["batch2", "batch3"], ["set-a", "set-b"],
        ["imgs", "data"], ["images", "masks"], ["images", "labels"],
        ["HAM10000_images_part_1", "HAM10000_images_part_2"],
        ["2019-03-01", "2019-03-02"], ["20190301", "20200412"], ["patient_1", "patient_2"], ["P1", "P2", "P3"],
        ["sub-01", "sub-02"], ["Case 1", "Case 2"], ["0001", "0002", "0003"], ["101", "102"], ["DICOM1", "DICOM2"],
        ["1.2.840.113619.2.1", "1.2.840.113619.2.2"], ["LIDC-IDRI-0001", "LIDC-IDRI-0002"], ["series3", "series4"],
        ["hospital_1", "hospital_2"], ["PA000001", "PA000002"], ["4f2a9c01", "9b03d7aa"], ["scan_a", "scan_b"],
        ["disc1", "disc2"],
        ["study1_positive", "study1_negative", "study2_positive"], 
        ["NORMAL_train", "NORMAL_test", "ILL_train", "ILL_test"], ["NORMAL", "ILL", "images"],
    ],
)  # fmt: skip
def test_storage_is_no_class_and_the_user_may_say_otherwise(names: list[str], tmp_path: Path) -> None:
    fill_folders(tmp_path, *names)
    with pytest.raises(InvalidData, match=r"does not tell what its images show: the folders .*--labels.*--map"):
        read(tmp_path)
    assert read(tmp_path, *names)[0] == dict.fromkeys(names, 4)


def test_many_folders_with_few_images_each_are_patients_whatever_their_names(tmp_path: Path) -> None:
    people = [f"{first}{last}" for first in ("Abel", "Bora", "Cora", "Dora") for last in ("ik", "os", "um", "ix")]
    fill_folders(tmp_path, *people, number=2)
    with pytest.raises(InvalidData, match="are 16 with few images each"):
        read(tmp_path)


@pytest.mark.parametrize("above", [("fold_1", "fold_2"), ("augmented", "original"), ("part1", "part2"), ("imgs",)])
def test_storage_above_classes_is_entered_and_said(above: tuple[str, ...], tmp_path: Path) -> None:
    fill_folders(tmp_path, *(f"{folder}/{label}" for folder in above for label in ("cat", "dog")))
    classes, _, said = read(tmp_path)
    assert classes == {"cat": 4 * len(above), "dog": 4 * len(above)}
    assert len(above) == 1 or f"the folders {above[0]} and {above[1]} are named as places" in said


def test_patients_above_classes_are_entered_where_a_class_below_reads_as_the_negative_one(tmp_path: Path) -> None:
    people = [str(10253 + 7 * i) for i in range(6)]
    fill_folders(tmp_path / "idc", *(f"{person}/{label}" for person in people for label in "01"))
    classes, _, said = read(tmp_path / "idc")
    assert classes == {"0": 24, "1": 24}
    assert "--patient-pattern '^([^/]+)/'" in said
    fill_folders(tmp_path / "sides", *(f"{person}/{label}" for person in people for label in ("left", "right")))
    with pytest.raises(InvalidData, match=r"are named by identifiers|running number"):
        read(tmp_path / "sides")
    assert read(tmp_path / "sides", "left", "right")[0] == {"left": 24, "right": 24}


def test_folders_that_are_called_storage_and_hold_further_ones_leave_the_choice_to_the_user(tmp_path: Path) -> None:
    below = {"lung_images": ("lung_aca", "lung_n"), "colon_images": ("colon_aca", "colon_n")}
    fill_folders(tmp_path, *(f"{above}/{name}" for above, names in below.items() for name in names))
    with pytest.raises(
        InvalidData,
        match=r"--map colon_images=.* or --map colon_aca=colon_aca,colon_n=colon_n,lung_aca=lung_aca,lung_n=lung_n",
    ):
        read(tmp_path)
    assert read(tmp_path, "lung_aca", "lung_n", "colon_aca", "colon_n")[0].keys() == {
        "lung_aca", "lung_n", "colon_aca", "colon_n"
    }  # fmt: skip
    fill_folders(tmp_path / "plain", "normal_images", "tumour_images")
    assert read(tmp_path / "plain")[0] == {"normal_images": 4, "tumour_images": 4}


def test_the_fewer_of_sides_and_others_are_to_be_taken_out(tmp_path: Path) -> None:
    fill_folders(tmp_path, "Benign cases", "Malignant cases", "Normal cases", "Test cases")
    with pytest.raises(InvalidData, match="Take Test cases out"):
        read(tmp_path)


def test_a_table_beside_storage_is_named(tmp_path: Path) -> None:
    fill_folders(tmp_path, "images_001", "images_002")
    write_tree(tmp_path, {"labels.csv": "image,finding\n"})
    with pytest.raises(InvalidData, match=r"labels\.csv"):
        read(tmp_path)


@pytest.mark.parametrize("folder", ["", "images", "train_images"])
def test_images_without_classes_are_refused_with_what_could_be_done(folder: str, tmp_path: Path) -> None:
    names = [f"{kind} ({i}).png" for kind in ("benign", "normal") for i in range(5)]
    write_tree(tmp_path / folder, dict.fromkeys(names, png()))
    message = (
        r"no class sub-folders for 10 images.*--labels TABLE.*begin with benign \(5\) and normal \(5\), which may be"
    )
    with pytest.raises(InvalidData, match=message):
        read(tmp_path)


def test_more_loose_images_than_labelled_ones_are_not_left_out_in_passing(tmp_path: Path) -> None:
    fill_folders(fill_folders(tmp_path, ".", number=30), "a", "b")
    with pytest.raises(InvalidData, match="no class sub-folders for 30 images"):
        read(tmp_path)


def test_sub_folders_that_are_merged_are_named(tmp_path: Path) -> None:
    fill_folders(tmp_path, "NORMAL/a", "NORMAL/b/c", "NORMAL", "ILL")
    assert "the class NORMAL takes the images of 2 sub-folders: a, b/c" in read(tmp_path)[2]


@pytest.mark.parametrize(
    ("pattern", "offered"),
    [("{label}/{patient}", "^[^/]+/([^/]+)/"), ("all/train/{label}/{patient}/x", "^[^/]+/[^/]+/[^/]+/([^/]+)/")],
)
def test_sub_folders_that_look_like_patients_are_offered_as_such(pattern: str, offered: str, tmp_path: Path) -> None:
    people = {"normal": ("patient07", "patient08"), "ill": ("patient09", "patient10")}
    fill_folders(tmp_path, *(pattern.format(label=label, patient=p) for label, some in people.items() for p in some))
    classes, _, said = read(tmp_path)
    assert classes == {"normal": 8, "ill": 8}
    assert f"--patient-pattern '{offered}'" in said


def test_sub_folders_that_do_not_look_like_patients_are_not_offered(tmp_path: Path) -> None:
    fill_folders(tmp_path, *(f"{label}/{site}" for label in ("PNEUMONIA", "NORMAL") for site in ("bacteria", "virus")))
    assert "--patient-pattern" not in read(tmp_path)[2]


def test_folders_that_hold_the_same_folders_each_are_no_classes_where_those_below_may_be(tmp_path: Path) -> None:
    def crossed(above: tuple[str, str], below: tuple[str, str]) -> Path:
        return fill_folders(
            tmp_path / above[0] / below[0], *(f"{first}/{second}" for first in above for second in below)
        )

    classes, _, said = read(crossed(("CC", "MLO"), ("benign", "malignant")))
    assert classes == {"benign": 8, "malignant": 8}
    assert "the folders CC and MLO hold folders of the same names each: the folders below them are the classes" in said
    with pytest.raises(InvalidData, match=r"--map CC=CC,MLO=MLO or --map melanoma=melanoma,nevus=nevus"):
        read(crossed(("CC", "MLO"), ("nevus", "melanoma")))
    assert read(crossed(("benign", "malignant"), ("40X", "100X")))[0] == {"benign": 8, "malignant": 8}


def test_a_blank_behind_a_class_makes_no_other(tmp_path: Path) -> None:
    fill_folders(tmp_path, "train/Tumor", "test/Tumor ", "train/Healthy", "test/Healthy")
    assert read(tmp_path)[0] == {"Tumor": 8, "Healthy": 8}


def test_folders_without_images_are_no_class_unless_they_ought_to_hold_some(tmp_path: Path) -> None:
    write_tree(fill_folders(tmp_path, "a", "b"), {"docs/a.txt": "x", "code/b.py": "x"})
    classes, _, said = read(tmp_path)
    assert classes == {"a": 4, "b": 4}
    assert "2 files are no images (1 .py, 1 .txt)" in said
    write_tree(tmp_path, {"volumes/1.mat": b"x", "volumes/2.mat": b"x"})
    with pytest.raises(InvalidData, match=r"class folder volumes .* holds no image: 2 MATLAB files \(\.mat\) .*PNG"):
        read(tmp_path)


def test_the_layout_is_described_without_cases(tmp_path: Path) -> None:
    fill_folders(tmp_path, "train/a", "train/b", "test/a", "test/b")
    layout = describe_layout(tmp_path)
    assert layout.classes == {"a": 8, "b": 8}
    assert {place.side for place in layout.places} == {"train", "test"}
    assert not layout.no_classes


def test_a_table_in_a_file_that_is_not_read_is_named_where_the_labels_are_missing(tmp_path: Path) -> None:
    write_tree(tmp_path, {"1.png": png(), "2.png": png(), "labels.xls": b"\xd0\xcf\x11\xe0", ".hidden.json": "{}"})
    with pytest.raises(InvalidData, match=r"labels\.xls is not read: save it as XLSX or CSV"):
        read(tmp_path)
