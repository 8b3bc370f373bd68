"""Layouts in which tables or their columns name the sides of a split."""

from __future__ import annotations

from pathlib import Path

from support.layouts.expected import Expected
from support.layouts.pictures import Pictures

SIDES = {"train": 50, "test": 20}


def table_for_each_side(folder: Path) -> Expected:
    """The same ids mean other images in train and in test, and the last columns are empty."""
    pictures = Pictures(folder)
    for side, count in SIDES.items():
        rows = []
        for i in range(1, count + 1):
            pictures.draw(f"{side}/IDRiD_{i:03d}.jpg", i % 2, kind="JPEG")
            rows.append([f"IDRiD_{i:03d}", str(i % 2), str(i % 3), "", ""])
        name = {"train": "a. Grading_Training Labels.csv", "test": "b. Grading_Testing Labels.csv"}[side]
        pictures.table(name, [["Image name", "Retinopathy grade", "Risk of edema ", "", ""], *rows])
    options = {"--label-column": "Retinopathy grade"}
    return Expected(
        classes={"0": 35, "1": 35}, exact_names=False, positive="1", sides=SIDES, options=options, asks=True
    )  # fmt: skip


def storage_for_each_side(folder: Path) -> Expected:
    """train_images with train.csv; the labels of test.csv were kept back by the competition."""
    pictures = Pictures(folder)
    rows = [[f"id{i:05x}", str(i % 3)] for i in range(60)]
    for name, grade in rows:
        pictures.draw(f"train_images/{name}.png", int(grade))
    pictures.table("train.csv", [["id_code", "diagnosis"], *rows])
    pictures.draw_all(15, 0, "test_images/test{:05x}.png")
    pictures.table("test.csv", [["id_code"], *([f"test{i:05x}"] for i in range(15))])
    return Expected(classes={"0": 20, "1": 20, "2": 20}, sides=None, says=(r"\b15\b|test",))


def table_in_each_folder(folder: Path) -> Expected:
    """What an annotation service exports: _classes.csv beside the images of each side, with blanks in its header."""
    pictures = Pictures(folder)
    for side, count in {"train": 40, "valid": 20, "test": 20}.items():
        rows = []
        for i in range(count):
            name = f"{side}_{i:03d}_png.rf.{i:032x}.jpg"
            pictures.draw(f"{side}/{name}", i % 2, kind="JPEG")
            rows.append([name, str(1 - i % 2), str(i % 2)])
        pictures.table(f"{side}/_classes.csv", [["filename", " NORMAL", " PNEUMONIA"], *rows])
    sides = {"train": 40, "val": 20, "test": 20}
    return Expected(classes={"NORMAL": 40, "PNEUMONIA": 40}, positive="PNEUMONIA", sides=sides)


def side_before_a_path_in_a_bucket(folder: Path) -> Expected:
    """What a cloud service imports: side, path, label, and no header."""
    pictures = Pictures(folder)
    rows = []
    for i in range(80):
        side = "TRAIN" if i < 40 else "VALIDATE" if i < 60 else "TEST"
        pictures.draw(f"images/{i:03d}.png", i % 2)
        rows.append([side, f"gs://bucket/set/images/{i:03d}.png", ("clear", "opacity")[i % 2]])
    pictures.table("import.csv", rows)
    sides = {"train": 40, "val": 20, "test": 20}
    return Expected(classes={"clear": 40, "opacity": 40}, positive="opacity", sides=sides)


def column_of_truth_values(folder: Path) -> Expected:
    """is_valid, as fastai has it."""
    pictures = Pictures(folder)
    rows = []
    for i in range(80):
        pictures.draw(f"train/{i:03d}.jpg", i % 2, kind="JPEG")
        rows.append([f"train/{i:03d}.jpg", ("nofracture", "fracture")[i % 2], str(i >= 60)])
    pictures.table("labels.csv", [["name", "label", "is_valid"], *rows])
    return Expected(classes={"nofracture": 40, "fracture": 40}, positive="fracture", sides=None, says=("is_valid",))


def column_of_sides(folder: Path) -> Expected:
    pictures = Pictures(folder)
    rows = []
    for i in range(80):
        side = "Train" if i < 40 else "Val" if i < 60 else "Test"
        pictures.draw(f"img/{i:03d}.png", i % 2)
        rows.append([f"img/{i:03d}.png", ("Healthy", "Sick")[i % 2], side, f"H{i // 2}"])
    pictures.table("meta.csv", [["file_name", "class", "subset", "subject"], *rows])
    sides = {"train": 40, "val": 20, "test": 20}
    options = {"--split-column": "subset", "--label-column": "class", "--patient-column": "subject"}
    return Expected(classes={"Healthy": 40, "Sick": 40}, positive="Sick", sides=sides, patients=40, options=options)


def patient_column_that_nobody_named(folder: Path) -> Expected:
    """It is taken as the patient, or named as what looks like it."""
    pictures = Pictures(folder)
    rows = []
    for i in range(72):
        pictures.draw(f"images/{i:03d}.png", i // 2 % 2)
        rows.append([f"{i:03d}.png", ("benign", "malignant")[i // 2 % 2], f"MRN{1000 + i // 2}"])
    pictures.table("labels.csv", [["image", "label", "mrn"], *rows])
    return Expected(classes={"benign": 36, "malignant": 36}, positive="malignant", says=("mrn",))


def own_table_of_cases(folder: Path) -> Expected:
    """The table that the program itself writes goes on to be read, whatever lies beside it."""
    pictures = Pictures(folder)
    rows = []
    for i in range(72):
        pictures.draw(f"images_{1 + i % 2}/{i:03d}.png", i // 2 % 2)
        side = "test" if i >= 52 else "train"
        rows.append([f"images_{1 + i % 2}/{i:03d}.png", ("benign", "malignant")[i // 2 % 2], f"p{i // 2}", side])
    pictures.table("cases.csv", [["path", "label", "patient_id", "split"], *rows])
    return Expected(
        classes={"benign": 36, "malignant": 36}, positive="malignant", sides={"train": 52, "test": 20}, patients=36
    )
