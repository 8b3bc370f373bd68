"""Layouts of well-known downloads, and such as people report that loaders of Keras, fastai and others read wrongly."""

from __future__ import annotations

import shutil
from pathlib import Path

from support.layouts.expected import Expected
from support.layouts.pictures import Pictures

TWO = {"benign": 40, "malignant": 30}


def paths_with_blanks_and_folders(folder: Path) -> Expected:
    """keras-preprocessing#92: paths with blanks, folders of dates and suffixes in capitals."""
    pictures = Pictures(folder)
    rows = []
    for i in range(70):
        name = f"March {1 + i % 4} 2018/Top view_1-2/IMG_{6800 + i}.JPG"
        pictures.draw(f"Data sets/{name}", i % 2, kind="JPEG")
        rows.append([name, ("benign", "malignant")[i % 2]])
    pictures.table("short_dir_train.csv", [["filepath", "label"], *rows])
    return Expected(classes={"benign": 35, "malignant": 35}, positive="malignant")


def paths_below_the_folder_of_a_side(folder: Path) -> Expected:
    """fastai#1169: train.csv lies beside train, and its paths begin below it."""
    pictures = Pictures(folder)
    rows = []
    for i in range(70):
        name = f"n{i % 2:08d}/n{i % 2:08d}_{i}.JPEG"
        pictures.draw(f"train/{name}", i % 2, kind="JPEG")
        rows.append([name, ("healthy", "polyp")[i % 2]])
    pictures.table("train.csv", [["filenames", "cats"], *rows])
    options = {"--labels": "train.csv"}
    return Expected(classes={"healthy": 35, "polyp": 35}, positive="polyp", sides=None, options=options)


def capitals_in_the_table(folder: Path) -> Expected:
    """The table was made where IMG_01.JPG and img_01.jpg are one file."""
    pictures = Pictures(folder)
    rows = []
    for i in range(60):
        pictures.draw(f"images/img_{i:02d}.jpg", i % 2, kind="JPEG")
        rows.append([f"IMG_{i:02d}.JPG", ("benign", "malignant")[i % 2]])
    pictures.table("labels.csv", [["image", "label"], *rows])
    return Expected(classes={"benign": 30, "malignant": 30}, positive="malignant")


def sample_of_a_submission(folder: Path) -> Expected:
    """A competition's sample_submission.csv names the test images and calls them all 0; it is no truth."""
    pictures = Pictures(folder)
    rows = []
    for i in range(70):
        pictures.draw(f"train/{i:040x}.tif", i % 2, kind="TIFF")
        rows.append([f"{i:040x}", str(i % 2)])
    pictures.table("train_labels.csv", [["id", "label"], *rows])
    names = pictures.draw_all(20, 0, "test/ff{:038x}.tif")
    pictures.table("sample_submission.csv", [["id", "label"], *([Path(name).stem, "0"] for name in names)])
    says = ("sample_submission.csv is not used",)
    return Expected(classes={"0": 35, "1": 35}, exact_names=False, positive="1", sides=None, says=says)


def all_unassigned(folder: Path) -> Expected:
    """A cloud service's table may leave the sides to it."""
    pictures = Pictures(folder)
    rows = []
    for i in range(60):
        pictures.draw(f"images/{i:03d}.png", i % 2)
        rows.append(["UNASSIGNED", f"gs://bucket/set/images/{i:03d}.png", ("clear", "opacity")[i % 2]])
    pictures.table("import.csv", rows)
    return Expected(classes={"clear": 30, "opacity": 30}, positive="opacity")


def metadata_in_each_folder(folder: Path) -> Expected:
    """The image folders of Hugging Face: metadata.csv of file_name and label in each side."""
    pictures = Pictures(folder)
    for side, count in {"train": 50, "test": 20}.items():
        names = [f"{i:04d}.png" for i in range(count)]
        for i, name in enumerate(names):
            pictures.draw(f"{side}/{name}", i % 2)
        rows = [[name, ("normal", "drusen")[i % 2]] for i, name in enumerate(names)]
        pictures.table(f"{side}/metadata.csv", [["file_name", "label"], *rows])
    return Expected(classes={"normal": 35, "drusen": 35}, positive="drusen", sides={"train": 50, "test": 20})


def findings_that_may_be_uncertain(folder: Path) -> Expected:
    """CheXpert: a column a finding with 1.0, 0.0, -1.0 and nothing, and a path that begins with the set's own name."""
    pictures = Pictures(folder)
    rows = []
    for i in range(80):
        path = f"train/patient{i // 2:05d}/study1/view{1 + i % 2}_frontal.jpg"
        pictures.draw(path, i // 2 % 2, kind="JPEG")
        findings = [("0.0", "1.0")[i // 2 % 2], ("", "1.0", "-1.0")[i % 3], ("", "1.0")[i % 2]]
        rows.append([f"CheXpert-v1.0-small/{path}", "Male", "AP", *findings])
    header = ["Path", "Sex", "AP/PA", "Edema", "Consolidation", "Fracture"]
    pictures.table("train.csv", [header, *rows])
    known = {
        "No Finding": 7,
        "Consolidation|Fracture": 7,
        "Edema|?Consolidation": 7,
        "Edema|Fracture": 7,
        "Consolidation": 7,
        "Fracture|?Consolidation": 7,
        "Edema": 7,
        "Consolidation|Edema|Fracture": 7,
        "?Consolidation": 6,
        "Fracture": 6,
        "Consolidation|Edema": 6,
        "Edema|Fracture|?Consolidation": 6,
    }
    said = "26 cells are -1 .uncertain. and taken as not known"
    # Two findings are never called absent, so that nothing could be learnt of them.
    return Expected(classes=known, sides=None, says=(said,), options={"--blank": "absent"}, asks=True)


def a_row_for_every_finding(folder: Path) -> Expected:
    """VinDr: a row a box, so that one image has several class names: one finding has to be chosen."""
    pictures = Pictures(folder)
    rows = []
    for i in range(60):
        pictures.draw(f"train/{i:032x}.png", i % 2)
        found = ["Cardiomegaly", "Aortic enlargement"][: 1 + i // 2 % 2] if i % 2 else ["No finding"]
        rows += [[f"{i:032x}", name, str(len(name)), f"R{1 + i % 3}", "1", "2", "9", "9"] for name in found]
    header = ["image_id", "class_name", "class_id", "rad_id", "x_min", "y_min", "x_max", "y_max"]
    pictures.table("train.csv", [header, *rows])
    return Expected(refused=("train.csv", "row|--finding|--label-column"))


def classes_beside_a_folder_of_the_same(folder: Path) -> Expected:
    """yes and no, and a folder that holds yes and no again: a third class it is not."""
    pictures = Pictures(folder)
    pictures.class_folders({"no": 30, "yes": 30})
    for name in ("no", "yes"):
        shutil.copytree(folder / name, folder / "brain_tumor_dataset" / name)
    return Expected(refused=("brain_tumor_dataset",))


def trees_below_classes(folder: Path) -> Expected:
    """Slides of histology: class, kind, patient, magnification."""
    pictures = Pictures(folder)
    trees = {"benign": ("adenosis", "tubular"), "malignant": ("ductal", "lobular")}
    for shows, (label, kinds) in enumerate(trees.items()):
        for number, kind in enumerate(kinds):
            for patient in range(5):
                name = f"SOB_{label[0].upper()}_{kind[0].upper()}_14-22{number}{patient}"
                for zoom in ("40X", "100X"):
                    above = f"set_v1/slides/{label}/SOB/{kind}/{name}/{zoom}"
                    pictures.draw_all(2, shows, f"{above}/{name}-{zoom}-{{}}.png")
    return Expected(classes={"benign": 40, "malignant": 40}, positive="malignant", says=("SOB|adenosis",))


def left_behind_by_drives_and_editors(folder: Path) -> Expected:
    """Waste bins of Windows and network drives, version control, locks of office programs."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO)
    for waste in ("$RECYCLE.BIN", "#recycle", "System Volume Information", "lost+found", ".Trash-1000", ".git/lfs"):
        pictures.draw(f"{waste}/{len(waste)}.png")
    pictures.write("__pycache__/load.cpython-311.pyc", b"\xa7\r\r\n")
    pictures.write("~$labels.xlsx", b"\4Anna")
    pictures.write(".~lock.labels.csv#", ",anna,laptop,01.02.2024 10:00,;")
    pictures.write("benign/Icon\r")
    pictures.write("benign/ehthumbs.db", b"\xd0\xcf\x11\xe0")
    return Expected(classes=TWO, positive="malignant")


def zeros_and_ones_of_one_finding(folder: Path) -> Expected:
    """One column besides the id, and it is named like a finding."""
    pictures = Pictures(folder)
    rows = []
    for i in range(60):
        pictures.draw(f"head/head_ct/{i:03d}.png", i % 2)
        rows.append([str(i), f" {i % 2}"])
    pictures.table("labels.csv", [["id", " hemorrhage"], *rows])
    return Expected(classes={"no": 30, "hemorrhage": 30}, exact_names=False, positive="hemorrhage")


def table_inside_the_folder_of_images(folder: Path) -> Expected:
    pictures = Pictures(folder)
    rows = [[f"{i:03d}.png", ("benign", "malignant")[i % 2]] for i in range(60)]
    for i, (name, _) in enumerate(rows):
        pictures.draw(name, i % 2)
    pictures.table("labels.csv", [["name", "class"], *rows])
    return Expected(classes={"benign": 30, "malignant": 30}, positive="malignant")


def table_in_a_folder_of_its_own(folder: Path) -> Expected:
    pictures = Pictures(folder)
    rows = [[f"{i:03d}.png", ("benign", "malignant")[i % 2]] for i in range(60)]
    for i, (name, _) in enumerate(rows):
        pictures.draw(f"images/{name}", i % 2)
    pictures.table("annotations/labels.csv", [["name", "class"], *rows])
    options = {"--labels": "annotations/labels.csv"}
    return Expected(classes={"benign": 30, "malignant": 30}, positive="malignant", options=options)


def table_in_upper_folder_of_parts(folder: Path) -> Expected:
    """Storage with names of all kinds, and one table above it."""
    pictures = Pictures(folder)
    rows = []
    for i in range(80):
        part = ("part_1", "part 2", "batch3", "00")[i % 4]
        pictures.draw(f"{part}/x{i:03d}.png", i // 4 % 2)
        rows.append([f"x{i:03d}", ("benign", "malignant")[i // 4 % 2]])
    pictures.table("labels.csv", [["image_id", "dx"], *rows])
    return Expected(classes={"benign": 40, "malignant": 40}, positive="malignant", options={"--labels": "labels.csv"})


def cells_with_line_breaks_and_separators(folder: Path) -> Expected:
    """Free text with commas, line breaks, quotes and U+2028 stands in a column that is not used."""
    pictures = Pictures(folder)
    texts = ("seen by A, B", "first line\nsecond line", 'called "sure"', "one\u2028two", "x\u0085y", "\x0c")
    rows = []
    for i in range(60):
        pictures.draw(f"images/{i:03d}.png", i % 2)
        rows.append([f"{i:03d}.png", texts[i % 6], ("benign", "malignant")[i % 2]])
    pictures.table("labels.csv", [["image", "remark", "label"], *rows])
    options = {"--label-column": "label"}
    return Expected(classes={"benign": 30, "malignant": 30}, positive="malignant", options=options)


def one_row_is_too_long(folder: Path) -> Expected:
    """An unquoted comma: the row is cited."""
    pictures = Pictures(folder)
    names = pictures.draw_all(60, 0, "images/{:03d}.png")
    lines = [f"{Path(name).name},{'ab'[i % 2]}" for i, name in enumerate(names)]
    lines[9] += ",with, commas"
    pictures.write("labels.csv", "\n".join(["image,label", *lines]))
    return Expected(refused=(r"row 11\b", "labels.csv"))
