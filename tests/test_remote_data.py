"""Images, tables and bundles that lie in a store: read, tested, audited and trained on as those of this machine."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from overread.auditing import Audit
from overread.bundle import Bundle
from overread.cases import Manifest
from overread.cases.folder import LeftOut, each_image_below, images_below
from overread.errors import InvalidData, InvalidOption
from overread.reading import Reader, find_images
from overread.study import audit, evaluate
from overread.study.train import Study
from support.command_line import overread, sentence
from support.image_files import png, write_tree


def upload(folder: Path, to: Path) -> Path:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            (to / path.relative_to(folder).as_posix()).write_bytes(path.read_bytes())
    return to


@pytest.fixture
def archive(bucket: Path, two_classes: Path) -> Path:
    return upload(two_classes, bucket / "data")


def test_a_remote_folder_is_searched_as_a_local_one(bucket: Path, tmp_path: Path) -> None:
    files = {
        "b/2.png": png(), "b/1.PNG": png(), "b-2/9.jpg": png(), "a/3.dcm": b"DICM", "a/no-suffix": png(),
        "notes.txt": "none", "_SUCCESS": b"", ".hidden/x.png": png(),
        "a/run/run.json": '{"kind": "audit"}', "a/run/x.png": png(),
    }  # fmt: skip
    local, remote = write_tree(tmp_path / "data", files), bucket / "data"
    upload(local, remote)
    told = LeftOut(), LeftOut()

    found = [str(path.relative_to(local)) for path in images_below(local, told[0])]

    assert [str(path).removeprefix(f"{remote}/") for path in each_image_below(remote, told[1])] == found
    assert [said.replace(str(local), str(remote)) for said in told[0].sentences()] == [*told[1].sentences()]


def test_files_folders_and_patterns_of_a_store_are_images(archive: Path) -> None:
    assert len(find_images([str(archive)])) == 64
    assert len(find_images([f"{archive}/Normal"])) == 40
    assert len(find_images([f"{archive}/*/*_0.png"])) == 32
    assert [str(path) for path in find_images(f"{archive}/Normal/N000_0.png")] == [f"{archive}/Normal/N000_0.png"]
    with pytest.raises(InvalidData, match="nothing matches"):
        find_images(f"{archive}/*.dcm")


def test_remote_images_are_read_as_local_ones(archive: Path, two_classes: Path, tiny_study: Study) -> None:
    reader = Reader.load(tiny_study.bundle)
    local, remote = images_below(two_classes), images_below(archive)

    of_store = list(reader.read_many([*remote, archive / "absent.png"]))

    for one, other in zip(reader.read_many(local), of_store, strict=False):
        assert one.to_dict() | {"path": ""} == other.to_dict() | {"path": ""}
    assert [found.path for found in of_store[:-1]] == [str(path) for path in remote]
    assert of_store[-1].to_dict()["error"] == "the file is not there: check the name"
    assert reader.read(str(remote[0])).path == str(remote[0])


def test_an_image_of_the_web_is_named_without_its_query(store_address: str, archive: Path, tiny_study: Study) -> None:
    address = str(archive / "Normal" / "N000_0.png").replace("s3:/", store_address)

    found = next(iter(Reader.load(tiny_study.bundle).read_many([f"{address}?X-Amz-Signature=secret"])))

    assert found.path == address


def test_images_in_a_remote_zip_are_read(bucket: Path, two_classes: Path, tmp_path: Path) -> None:
    packed = shutil.make_archive(str(tmp_path / "data"), "zip", two_classes)
    (bucket / "data.zip").write_bytes(Path(packed).read_bytes())

    found = find_images(f"zip://Disease::{bucket}/data.zip")

    assert len(found) == 24
    assert found[0].read_bytes() == (two_classes / "Disease" / "D000_0.png").read_bytes()


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_is_loaded_from_a_store(bucket: Path, tiny_study: Study, name: str) -> None:
    run = Path(tiny_study.out)
    if name == "bundle":
        upload(run / "bundle", bucket / name)
    else:
        (bucket / name).write_bytes(tiny_study.bundle.pack().read_bytes())

    loaded = Bundle.load(f"{bucket}/{name}")

    assert loaded.fingerprint == tiny_study.bundle.fingerprint
    assert Reader(loaded).read(png()).predicted_label


def test_a_bundle_of_a_store_records_its_evaluation_there(
    archive: Path, bucket: Path, tiny_study: Study, tmp_path: Path, blank_figures: None
) -> None:
    upload(Path(tiny_study.out) / "bundle", bucket / "bundle")
    before = len(Bundle.load(bucket / "bundle").openings())

    evaluate(f"{bucket}/bundle", str(archive), tmp_path / "out", store=tmp_path / "store")

    assert len(Bundle.load(bucket / "bundle").openings()) == before + 1


def test_a_remote_folder_is_audited(archive: Path, two_classes: Path, tmp_path: Path) -> None:
    def told(found: Audit) -> list[tuple[str, str]]:
        return [(one.code, one.sentence) for one in found.findings]

    remote = audit(str(archive), store=tmp_path / "store")

    assert told(remote) == told(audit(two_classes, store=tmp_path / "store"))


def test_tables_name_remote_images_and_lie_beside_them(archive: Path, two_classes: Path, tmp_path: Path) -> None:
    rows = [(path, path.parent.name) for path in images_below(two_classes)]
    names = [path.relative_to(two_classes).as_posix() for path, _ in rows]
    labels = [label for _, label in rows]
    (tmp_path / "local.csv").write_text(_table([f"{archive}/{name}" for name in names], labels))
    (archive / "beside.csv").write_bytes(_table(names, labels).encode())

    here, there = Manifest.from_csv(tmp_path / "local.csv"), Manifest.read(f"{archive}/beside.csv")

    assert [str(path) for path in here.paths] == [str(path) for path in there.paths]
    assert [case.label for case in here.cases] == labels == [case.label for case in there.cases]
    assert here.paths[0].read_bytes() == rows[0][0].read_bytes()


def _table(names: list[str], labels: list[str]) -> str:
    return "".join(f"{name},{label}\n" for name, label in [("path", "label"), *zip(names, labels, strict=True)])


def test_predict_reads_a_remote_folder_into_a_remote_table(archive: Path, bucket: Path, tiny_study: Study) -> None:
    done = overread("predict", str(tiny_study.out), f"{archive}/Disease", "--csv", f"{bucket}/out/readings.csv")

    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((bucket / "out" / "readings.csv").read_text().splitlines()))
    assert [row["path"] for row in rows] == [str(path) for path in images_below(archive / "Disease")]


def test_results_of_a_run_stay_on_this_machine(two_classes: Path, bucket: Path) -> None:
    done = overread("train", str(two_classes), "--out", f"{bucket}/run")

    assert done.returncode == 2
    assert "does not lie on this machine" in done.stderr


def test_missing_credentials_are_told(bucket: Path, tiny_study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    done = overread("predict", tiny_study.out, bucket)

    assert done.returncode == 1
    assert (
        sentence(done)
        == f"overread: {bucket} cannot be reached (NoCredentialsError: set credentials as this store takes them)"
    )


def test_a_password_in_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,label\ns3://key:secret@bucket/a.png,A\n")
    with pytest.raises(InvalidOption, match="holds a password"):
        Manifest.from_csv(tmp_path / "labels.csv")
