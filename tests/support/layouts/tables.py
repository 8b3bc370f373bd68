"""Layouts in which one table says what the images show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from support.layouts.expected import Expected
from support.layouts.pictures import Pictures

TWO = {"benign": 40, "malignant": 30}
Rows = list[list[str]]


def _labelled(pictures: Pictures, pattern: str = "images/{:03d}.png") -> list[tuple[str, str]]:
    """Forty benign and thirty malignant images in one folder: the stem and the label of each."""
    names = [(name, "benign") for name in pictures.draw_all(40, 0, pattern)]
    names += [(name, "malignant") for name in pictures.draw_all(30, 1, pattern, first=40)]
    return [(Path(name).stem, label) for name, label in names]


def _of_one_table(
    folder: Path, image: Callable[[str], str], header: Sequence[str] = ("image", "label"), **how
) -> Expected:
    pictures = Pictures(folder)
    rows = [[image(stem), label] for stem, label in _labelled(pictures)]
    pictures.table("labels.csv", [header, *rows] if header else rows, **how)
    return Expected(classes=TWO, positive="malignant")


def names_with_suffix(folder: Path) -> Expected:
    return _of_one_table(folder, "{}.png".format)


def names_without_suffix(folder: Path) -> Expected:
    return _of_one_table(folder, str)


def ids_as_spreadsheets_leave_them(folder: Path) -> Expected:
    """Leading zeros are gone, and the header has a blank."""
    return _of_one_table(folder, lambda stem: str(int(stem)), ("id", " diagnosis"))


def ids_that_are_decimals(folder: Path) -> Expected:
    """A data frame with a gap has made numbers of the ids."""
    return _of_one_table(folder, lambda stem: f"{int(stem)}.0")


def ids_without_prefix(folder: Path) -> Expected:
    pictures = Pictures(folder)
    rows = [[stem.removeprefix("scan_"), label] for stem, label in _labelled(pictures, "images/scan_{:04d}.png")]
    pictures.table("labels.csv", [("id", "diagnosis"), *rows])
    return Expected(classes=TWO, positive="malignant")


def semicolons_of_a_spreadsheet(folder: Path) -> Expected:
    return _of_one_table(folder, str, delimiter=";", encoding="utf-8-sig", newline="\r\n")


def separator_in_the_first_line(folder: Path) -> Expected:
    return _of_one_table(folder, str, delimiter=";", above="sep=;\r\n", newline="\r\n")


def paths_of_windows(folder: Path) -> Expected:
    return _of_one_table(folder, lambda stem: rf"C:\Users\anna\data set\images\{stem}.png", ("filepath", "label"))


def paths_of_another_machine(folder: Path) -> Expected:
    return _of_one_table(folder, lambda stem: f"/home/anna/project/images/{stem}.png", ("filepath", "label"))


def paths_of_a_notebook(folder: Path) -> Expected:
    return _of_one_table(folder, lambda stem: f"../input/some-set/images/{stem}.png", ("filepath", "label"))


def another_suffix_in_the_table(folder: Path) -> Expected:
    """The images were converted, the table was not."""
    return _of_one_table(folder, "{}.dcm".format)


def no_header(folder: Path) -> Expected:
    return _of_one_table(folder, "{}.png".format, ())


def empty_columns_behind(folder: Path) -> Expected:
    pictures = Pictures(folder)
    rows = [[stem, label, *[""] * 9] for stem, label in _labelled(pictures)]
    pictures.table("labels.csv", [["Image name", "Diagnosis ", *[""] * 9], *rows])
    return Expected(classes=TWO, positive="malignant")


def index_column_before(folder: Path) -> Expected:
    """What pandas writes without being asked."""
    pictures = Pictures(folder)
    rows = [[str(i), f"{stem}.png", label] for i, (stem, label) in enumerate(_labelled(pictures))]
    pictures.table("labels.csv", [["", "image", "label"], *rows])
    return Expected(classes=TWO, positive="malignant")


def tabs_in_utf_16(folder: Path) -> Expected:
    pictures = Pictures(folder)
    rows = [[f"{stem}.png", label] for stem, label in _labelled(pictures)]
    pictures.table("labels.tsv", [("image", "label"), *rows], delimiter="\t", encoding="utf-16", newline="\r\n")
    return Expected(classes=TWO, positive="malignant")


def tabs_in_a_text_file(folder: Path) -> Expected:
    pictures = Pictures(folder)
    rows = [[f"{stem}.png", label] for stem, label in _labelled(pictures)]
    pictures.table("labels.txt", [("image", "label"), *rows], delimiter="\t")
    return Expected(classes=TWO, positive="malignant", options={"--labels": "labels.txt"})


def western_encoding(folder: Path) -> Expected:
    """A table saved by a German spreadsheet: cp1252, umlauts among the labels."""
    pictures = Pictures(folder)
    german = {"benign": "gutartig", "malignant": "bösartig"}
    rows = [[stem, german[label]] for stem, label in _labelled(pictures)]
    pictures.table("labels.csv", [("Bild", "Diagnose"), *rows], delimiter=";", encoding="cp1252", newline="\r\n")
    options = {"--image-column": "Bild", "--label-column": "Diagnose", "--positive": "bösartig"}
    return Expected(classes={"gutartig": 40, "bösartig": 30}, says=("positive class",), options=options)


def workbook(folder: Path) -> Expected:
    """An XLSX file whose ids are numbers."""
    import openpyxl

    pictures = Pictures(folder)
    book = openpyxl.Workbook()
    book.active.append(["Image No.", "Diagnosis"])
    for stem, label in _labelled(pictures):
        book.active.append([int(stem), label])
    book.save(folder / "labels.xlsx")
    return Expected(classes=TWO, positive="malignant")


def workbook_of_text(folder: Path) -> Expected:
    """Its ids keep their zeros, and a second sheet holds notes."""
    import openpyxl

    pictures = Pictures(folder)
    book = openpyxl.Workbook()
    book.active.append(["file", "label"])
    for stem, label in _labelled(pictures):
        book.active.append([f"{stem}.png", label])
    book.create_sheet("notes").append(["labelled by two readers"])
    book.save(folder / "labels.xlsx")
    return Expected(classes=TWO, positive="malignant")


def no_table_at_all(folder: Path) -> Expected:
    """Storage alone: nobody says what the images show."""
    pictures = Pictures(folder)
    for part in ("images_001", "images_002"):
        pictures.draw_all(30, 0, f"{part}/{{:05d}}.png")
    return Expected(refused=("images_001", "table|label"))


def several_findings_in_a_cell(folder: Path) -> Expected:
    """Chest X-rays in storage folders, and a table of findings A|B with patients."""
    pictures = Pictures(folder)
    rows: Rows = []
    for i in range(72):
        patient, finding = i // 2, ("No Finding", "Effusion", "Mass|Effusion", "Mass")[i // 2 % 4]
        name = f"{patient:08d}_{i % 2:03d}.png"
        pictures.draw(f"images_{1 + i // 36:03d}/images/{name}", int("Effusion" in finding))
        rows.append([name, finding, str(i % 2), str(patient), f"{30 + patient:03d}Y", "MF"[patient % 2], "PA"])
    header = [
        "Image Index",
        "Finding Labels",
        "Follow-up #",
        "Patient ID",
        "Patient Age",
        "Patient Gender",
        "View Position",
    ]
    pictures.table("Data_Entry_2017.csv", [header, *rows], newline="\r\n")
    return Expected(
        classes={"No Finding": 18, "Effusion": 18, "Effusion|Mass": 18, "Mass": 18}, patients=36,
        says=("a list of findings .*Effusion 36",),
    )  # fmt: skip


def columns_of_ones_and_zeros(folder: Path) -> Expected:
    pictures = Pictures(folder)
    classes = {"BCC": 24, "MEL": 24, "NV": 24}
    rows = []
    for shows, name in enumerate(classes):
        for image in pictures.draw_all(24, shows, "images/ISIC_{:07d}.png", first=24 * shows):
            rows.append([Path(image).stem, *(f"{float(column == name)}" for column in classes)])
    pictures.table("GroundTruth.csv", [["image", *classes], *rows])
    return Expected(classes=classes)


def columns_of_probabilities(folder: Path) -> Expected:
    """The submission of a competition has the same columns, and is no truth."""
    pictures = Pictures(folder)
    names = pictures.draw_all(60, 0, "images/ISIC_{:07d}.png")
    rows = [[Path(name).stem, f"{i / 100:.6f}", f"{1 - i / 100:.6f}"] for i, name in enumerate(names, start=3)]
    pictures.table("submission.csv", [["image", "MEL", "NV"], *rows])
    return Expected(refused=("submission.csv",))


def lesions_of_several_images(folder: Path) -> Expected:
    """Two parts of storage and one table whose lesion_id joins images; dx, dx_type, sex and place could be labels."""
    pictures = Pictures(folder)
    rows: Rows = []
    for i in range(72):
        lesion, dx = i // 2, ("nv", "bkl", "mel")[i // 2 % 3]
        pictures.draw(f"HAM10000_images_part_{1 + i // 40}/ISIC_{i:07d}.png", ("nv", "bkl", "mel").index(dx))
        kind, age = ("histo", "consensus")[lesion % 2], str(30 + lesion % 40)
        sex, place = ("male", "female")[lesion // 3 % 2], ("back", "face")[lesion // 4 % 2]
        rows.append([f"HAM_{lesion:07d}", f"ISIC_{i:07d}", dx, kind, age, sex, place])
    pictures.table(
        "HAM10000_metadata.csv", [["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"], *rows]
    )
    options = {"--label-column": "dx", "--patient-column": "lesion_id"}
    return Expected(classes={"bkl": 24, "mel": 24, "nv": 24}, options=options, patients=36)


def subjects_with_a_tsv(folder: Path) -> Expected:
    """BIDS: a row a subject, whose images lie below a folder of its name; of group and gender one is to be chosen."""
    pictures = Pictures(folder)
    rows: Rows = []
    for i in range(1, 37):
        group = ("control", "depr")[i % 2]
        pictures.draw_all(2, i % 2, f"sub-{i:02d}/anat/sub-{i:02d}_slice-{{}}.png")
        rows.append([f"sub-{i:02d}", str(20 + i), "mf"[i // 2 % 2], group, "n/a"])
    pictures.table("participants.tsv", [["participant_id", "age", "gender", "group", "MADRS"], *rows], delimiter="\t")
    pictures.write("dataset_description.json", "{}")
    return Expected(
        classes={"control": 18, "depr": 18},
        positive="depr",
        patients=36,
        options={"--label-column": "group"},
        says=("gender",),
    )


def patient_folders_with_a_table(folder: Path) -> Expected:
    """One folder a patient, and a table of one row a patient."""
    pictures = Pictures(folder)
    rows: Rows = []
    for i in range(30):
        pictures.draw_all(2 + i % 2, i % 2, f"P{i:03d}/scan{{}}.png")
        rows.append([f"P{i:03d}", ("negative", "positive")[i % 2]])
    pictures.table("patients.csv", [["patient", "result"], *rows])
    return Expected(
        classes={"negative": 15, "positive": 15}, positive="positive", patients=30, says=("75 images are 30 exams",)
    )


def rows_that_name_folders(folder: Path) -> Expected:
    """A study a row, named by its folder; no header."""
    pictures = Pictures(folder)
    rows: Rows = []
    for i in range(30):
        study = f"train/XR_ELBOW/patient{i:05d}/study1_{('negative', 'positive')[i % 2]}/"
        pictures.draw_all(2, i % 2, study + "image{}.png", first=1)
        rows.append([f"SET-v1.1/{study}", str(i % 2)])
    pictures.table("train_labeled_studies.csv", rows)
    return Expected(classes={"0": 15, "1": 15}, exact_names=False, sides=None, says=("60 images are 30 exams",))


def a_row_for_every_box(folder: Path) -> Expected:
    """An image with two boxes has two rows; one without has empty cells."""
    pictures = Pictures(folder)
    rows: Rows = []
    for i in range(60):
        name = f"0004cfab-14fd-4e49-80ba-{i:012d}"
        pictures.draw(f"images/{name}.png", i % 2)
        boxes = [["1", "2", "8", "9", "1"]] * (1 + i % 3) if i % 2 else [["", "", "", "", "0"]]
        rows += [[name, *box] for box in boxes]
    pictures.table("train_labels.csv", [["patientId", "x", "y", "width", "height", "Target"], *rows], delimiter=";")
    options = {"--label-column": "Target"}
    return Expected(classes={"0": 30, "1": 30}, exact_names=False, positive="1", options=options)


def two_labels_for_one_image(folder: Path) -> Expected:
    """Two readers disagree about three images: nobody but the user can tell who is right, so that the audit blocks."""
    pictures = Pictures(folder)
    rows = [[f"{stem}.png", label] for stem, label in _labelled(pictures)]
    rows += [["000.png", "malignant"], ["001.png", "malignant"], ["069.png", "benign"]]
    pictures.table("labels.csv", [("image", "label"), *rows])
    return Expected(classes={"benign": 40, "malignant": 30}, positive="malignant", audit_blocks=True)


def rows_without_label(folder: Path) -> Expected:
    """What nobody labelled is left out and counted, once the user has said so."""
    pictures = Pictures(folder)
    rows = [[f"{stem}.png", label if i % 10 else ("", "nan", "NaN")[i // 10 % 3]]
            for i, (stem, label) in enumerate(_labelled(pictures))]  # fmt: skip
    pictures.table("labels.csv", [("image", "label"), *rows])
    options = {"--map": "=,nan=,NaN="}
    return Expected(classes={"benign": 36, "malignant": 27}, positive="malignant", options=options)


def one_label_in_several_spellings(folder: Path) -> Expected:
    pictures = Pictures(folder)
    spelt = {"benign": ("benign", "Benign", "benign "), "malignant": ("malignant", "malignant", "MALIGNANT")}
    rows = [[f"{stem}.png", spelt[label][i % 3]] for i, (stem, label) in enumerate(_labelled(pictures))]
    pictures.table("labels.csv", [("image", "label"), *rows])
    options = {"--map": "Benign=benign,MALIGNANT=malignant"}
    return Expected(classes=TWO, positive="malignant", options=options)


def left_and_right_eye(folder: Path) -> Expected:
    """A patient a row with two columns of images, which are one exam with the label of the patient."""
    pictures = Pictures(folder)
    rows: Rows = []
    for i in range(40):
        for eye in ("left", "right"):
            pictures.draw(f"images/{i}_{eye}.jpg", i % 2, kind="JPEG")
        rows.append([str(i), str(40 + i % 30), ("Female", "Male")[i // 2 % 2], f"{i}_left.jpg", f"{i}_right.jpg",
                     ("normal", "glaucoma")[i % 2]])  # fmt: skip
    header = ["ID", "Patient Age", "Patient Sex", "Left-Fundus", "Right-Fundus", "diagnosis"]
    pictures.table("full_df.csv", [header, *rows])
    classes, said = {"normal": 20, "glaucoma": 20}, ("Left-Fundus and Right-Fundus name the images", "are one exam")
    return Expected(classes=classes, positive="glaucoma", patients=40, says=said)


def one_id_in_two_folders(folder: Path) -> Expected:
    """The table says 007; there are two of them, and it does not say which it means."""
    pictures = Pictures(folder)
    stems = _labelled(pictures, "hospital_a/{:03d}.png")
    _labelled(pictures, "hospital_b/{:03d}.png")
    pictures.table("labels.csv", [("id", "label"), *stems])
    return Expected(classes=TWO, positive="malignant", options={"--images": "hospital_a"}, asks=True)


def labels_as_written_lists(folder: Path) -> Expected:
    """Lists of Python, written to a table as text."""
    pictures = Pictures(folder)
    rows = [[f"{stem}.png", f"['{label}']"] for stem, label in _labelled(pictures)]
    pictures.table("labels.csv", [("filename", "labels"), *rows])
    return Expected(classes=TWO, exact_names=False)


def labels_that_are_measurements(folder: Path) -> Expected:
    """Ages are no classes."""
    pictures = Pictures(folder)
    names = pictures.draw_all(60, 0, "images/{:03d}.png")
    pictures.table(
        "ages.csv", [["id", "bone_age"], *([Path(name).stem, str(12 + 3 * i)] for i, name in enumerate(names))]
    )
    return Expected(refused=("bone_age|ages.csv",))


def table_of_other_images(folder: Path) -> Expected:
    """None of its rows names a file that is there."""
    pictures = Pictures(folder)
    _labelled(pictures)
    pictures.table("labels.csv", [["image", "label"], *([f"patient-{i}-x", "ab"[i % 2]] for i in range(40))])
    return Expected(refused=("labels.csv",))


def table_of_more_images(folder: Path) -> Expected:
    """Ten rows name files that are not there, and five files no row: both are counted."""
    pictures = Pictures(folder)
    rows = [[f"{stem}.png", label] for stem, label in _labelled(pictures)]
    rows += [[f"{i}.png", "benign"] for i in range(900, 910)]
    pictures.draw_all(5, 0, "images/extra{}.png")
    pictures.table("labels.csv", [("image", "label"), *rows])
    return Expected(classes=TWO, positive="malignant", says=(r"\b10\b|70 of 80", r"\b5\b"))


def two_tables_of_the_same_images(folder: Path) -> Expected:
    """Two readers, a table each: which is the truth?"""
    pictures = Pictures(folder)
    stems = _labelled(pictures)
    pictures.table("reader1.csv", [("image", "label"), *stems])
    swapped = [(stem, "malignant" if i % 9 == 0 else label) for i, (stem, label) in enumerate(stems)]
    pictures.table("reader2.csv", [("image", "label"), *swapped])
    return Expected(classes=TWO, positive="malignant", options={"--labels": "reader1.csv"}, asks=True)


def classes_and_a_table_beside(folder: Path) -> Expected:
    """Class folders that say what they show, and a table of what else is known: age and sex are no diagnosis."""
    pictures = Pictures(folder)
    pictures.class_folders(TWO, pattern="{:03d}.png")
    rows = [[f"{name}/{i:03d}.png", str(30 + i), "MF"[i % 2]] for name, count in TWO.items() for i in range(count)]
    pictures.table("clinical.csv", [["file", "age", "sex"], *rows])
    return Expected(classes=TWO, positive="malignant", options={"--label-column": "sex"})
