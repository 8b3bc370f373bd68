"""A bundle: complete, verified, and refused when anything about it is not as it was written."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest

from overread.bundle import GRAPH, REFERENCE, WEIGHTS, Bundle, Graph, Member, Opening, Reference
from overread.decision import Calibration, Familiarity, OperatingPoint, Referral, Task
from overread.errors import ExportMismatch, InvalidBundle, InvalidOption, MissingPath, OutputUnwritable
from overread.images import Preprocessing
from overread.networks.build import NetworkSpec, build_network
from overread.reading import Reader
from overread.training.export import check_parity, export_onnx

TASK = Task.of(("well", "ill"))
SPEC = NetworkSpec(name="compact", height=48, width=48, channels=1, outputs=1)


def images(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)


def reference() -> Reference:
    rng = np.random.default_rng(1)
    labels, y_prob = rng.integers(0, 2, 30), rng.uniform(size=30)
    train, traits = rng.normal(size=(40, 195)), rng.normal(size=(30, 195)).astype(np.float32)
    return Reference.of(Familiarity.fit(train, traits), traits, labels, np.column_stack([1 - y_prob, y_prob]))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    build_network(SPEC, seed=2).save_weights(folder / WEIGHTS)
    export_onnx(SPEC, folder / WEIGHTS, folder / GRAPH)
    bundle = Bundle(
        task=Task.of(("Normal", "Disease")),
        preprocessing=Preprocessing(height=48, width=48, channels=1),
        members=(Member(calibration=Calibration(method="temperature", temperature=1.5, n=30)),),
        operating_points={
            "Disease": OperatingPoint(
                threshold=0.4, rule="youden", sensitivity=0.9, specificity=0.8, n_positive=10, n_negative=20
            )
        },
        referral=Referral(coverage=0.9, thresholds=dict(Normal=0.7, Disease=0.6), counts=dict(Normal=20, Disease=10)),
        network=dataclasses.asdict(SPEC),
        recipe={"seed": 2},
        data={"fingerprint": "0" * 64, "study": "s"},
        versions={"overread": "0"},
    )
    (folder / REFERENCE).write_bytes(reference().to_bytes())
    bundle.write(folder / "bundle", {name: folder / name for name in (GRAPH, WEIGHTS, REFERENCE)}).pack()
    return folder / "bundle"


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "bundle"))


def test_directory_and_zip_load_as_the_same_bundle(written: Path) -> None:
    folder, archive = Bundle.load(written), Bundle.load(written.with_name("bundle.zip"))
    assert folder.fingerprint == archive.fingerprint
    assert folder.read_file(GRAPH) == archive.read_file(GRAPH)
    assert folder.members == archive.members
    assert (folder.positive, folder.operating_point) == ("Disease", archive.operating_point)
    assert set(folder.files) == {GRAPH, WEIGHTS, REFERENCE}


def test_the_graph_gives_what_keras_gives(written: Path) -> None:
    graph = Graph(Bundle.load(written).read_file(GRAPH))
    network = build_network(SPEC, seed=2)
    assert check_parity(network, graph, TASK, images()) < 1e-5
    expected = {name: np.asarray(value) for name, value in network(images()).items()}
    outputs = graph.run(images())
    assert np.allclose(outputs.features, expected["features"], atol=1e-5)
    assert np.allclose(outputs.activation_maps, expected["activation_map"], atol=1e-5)
    assert np.allclose(outputs.activation_maps.mean(axis=(1, 2)), outputs.logits, atol=1e-5)
    assert np.ptp(outputs.logits) > 0


def test_depthwise_convolutions_of_our_own_keep_their_numbers_in_the_graph(tmp_path: Path) -> None:
    spec = dataclasses.replace(SPEC, name="efficientnet-lite0")
    network = build_network(spec, seed=2)
    network.save_weights(tmp_path / WEIGHTS)
    export_onnx(spec, tmp_path / WEIGHTS, tmp_path / GRAPH)
    graph = Graph((tmp_path / GRAPH).read_bytes())
    assert check_parity(network, graph, TASK, images()) < 1e-5
    assert np.ptp(graph.run(images()).logits) > 0


def test_no_arithmetic_of_the_graph_meets_a_scalar_without_axes(written: Path) -> None:
    graph = onnx.load(written / GRAPH).graph
    scalars = {constant.name for constant in graph.initializer if not constant.dims}
    arithmetic = [node for node in graph.node if node.op_type in ("Add", "Sub", "Mul", "Div")]
    assert arithmetic
    assert not [node.name for node in arithmetic if scalars & set(node.input)]
    assert {constant.name for constant in graph.initializer} <= {name for node in graph.node for name in node.input}


def test_the_batch_does_not_change_a_result(written: Path) -> None:
    graph = Graph(Bundle.load(written).read_file(GRAPH))
    many = graph.run(images(70)).logits
    assert np.allclose(many[40:41], graph.run(images(70)[40:41]).logits, atol=1e-5)


def test_a_graph_of_other_weights_is_not_written_into_a_bundle(written: Path) -> None:
    graph = Graph(Bundle.load(written).read_file(GRAPH))
    with pytest.raises(ExportMismatch, match=r"differ by .* in probability"):
        check_parity(build_network(SPEC, seed=3), graph, TASK, images(), tolerance=1e-6)


@pytest.mark.parametrize("name", [GRAPH, WEIGHTS, REFERENCE])
def test_a_flipped_bit_in_any_file_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(InvalidBundle, match=f"{name} of the bundle was altered"):
        Bundle.load(copy)


def test_a_reference_comes_back_as_it_was_and_nothing_in_it_is_unpickled() -> None:
    first = reference()
    again = Reference.from_bytes(first.to_bytes(), TASK)
    assert again.to_bytes() == first.to_bytes() == reference().to_bytes()
    traits = np.random.default_rng(3).normal(size=(4, 195)).astype(np.float32)
    assert np.array_equal(again.familiarity.measure(traits)[1], first.familiarity.measure(traits)[1])
    pickled = io.BytesIO()
    arrays = {name: getattr(first, name) for name in ("projections", "distances", "labels", "scores")}
    np.savez(pickled, **arrays, **{name: np.array([object()]) for name in ("features_mean", "limits")})
    for content in (pickled.getvalue(), b"", b"no zip", first.to_bytes()[:200]):
        with pytest.raises(InvalidBundle, match="reference of the bundle is damaged"):
            Reference.from_bytes(content, TASK)


def resealed(folder: Path, **changes: object) -> Path:
    """A bundle whose description was changed by someone who makes the hash of it, too."""
    description = {**json.loads((folder / "bundle.json").read_text()), **changes}
    if description["format_version"] == 3:
        (folder / "evaluations.jsonl").unlink()
    del description["sha256"]
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
    (folder / "bundle.json").write_text(json.dumps({**description, "sha256": digest}, indent=2) + "\n")
    return folder


def test_a_moved_threshold_is_refused(copy: Path) -> None:
    text = (copy / "bundle.json").read_text()
    (copy / "bundle.json").write_text(text.replace('"threshold": 0.4', '"threshold": 0.3'))
    with pytest.raises(InvalidBundle, match=r"bundle\.json was altered"):
        Bundle.load(copy)


def test_another_spacing_is_an_alteration_too_but_in_a_bundle_of_format_3(copy: Path) -> None:
    description = json.loads((copy / "bundle.json").read_text())
    (copy / "bundle.json").write_text(json.dumps(description, sort_keys=True))
    with pytest.raises(InvalidBundle, match=r"bundle\.json was altered"):
        Bundle.load(copy)
    found = Bundle.load(resealed(copy, format_version=3))
    assert found.classes == tuple(found.referral.thresholds) == ("Normal", "Disease")


def test_a_bundle_of_format_3_is_read_and_its_evaluations_are_added_to_without_a_seal(copy: Path) -> None:
    bundle = Bundle.load(resealed(copy, format_version=3))
    assert (bundle.is_sealed, bundle.openings()) == (False, ())
    for result in ("first", "second"):
        bundle.record(opening(result))
    assert [found.result for found in Bundle.load(bundle.pack()).openings()] == ["first", "second"]
    assert len((copy / "evaluations.jsonl").read_text().splitlines()) == 2


@pytest.mark.parametrize("version", [1, 2, 7, "4", True, None])
def test_an_unknown_version_is_refused_with_what_to_do(copy: Path, version: object) -> None:
    description = json.loads((copy / "bundle.json").read_text())
    (copy / "bundle.json").write_text(json.dumps({**description, "format_version": version}))
    with pytest.raises(InvalidBundle, match="install the overread that wrote it"):
        Bundle.load(copy)


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"format_version": 3}'])
def test_a_description_that_is_no_description_is_refused(copy: Path, content: str) -> None:
    (copy / "bundle.json").write_text(content)
    with pytest.raises(InvalidBundle):
        Bundle.load(copy)


def test_a_missing_file_and_a_missing_bundle_are_told_apart(copy: Path) -> None:
    (copy / GRAPH).unlink()
    with pytest.raises(InvalidBundle, match=f"has no {GRAPH}"):
        Bundle.load(copy)
    with pytest.raises(MissingPath):
        Bundle.load(copy / "nowhere")


def test_a_file_that_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_text("no")
    with pytest.raises(InvalidBundle, match="is no bundle"):
        Bundle.load(tmp_path / "bundle.zip")


def test_a_bundle_that_names_files_outside_itself_is_refused(copy: Path) -> None:
    for name in ("../secret", "/etc/passwd", "C:secret", "a/b", "a\\b", ".hidden", "a\0b", ""):
        with pytest.raises(InvalidBundle, match=r"outside itself|describe its files"):
            dataclasses.replace(Bundle.load(copy), files={name: "0" * 64})
        with pytest.raises(InvalidBundle, match="outside itself"):
            Bundle.load(copy).read_file(name)


def test_the_zip_holds_plain_files_only(written: Path) -> None:
    with zipfile.ZipFile(written.with_name("bundle.zip")) as archive:
        assert sorted(archive.namelist()) == ["bundle.json", "evaluations.jsonl", GRAPH, WEIGHTS, REFERENCE]


def opening(result: str) -> Opening:
    return Opening(data="d" * 64, n=12, result=result, study="s")


def test_each_evaluation_is_recorded_in_directory_and_zip_alike(copy: Path) -> None:
    archive = Bundle.load(copy).pack()
    Bundle.load(copy).record(opening("first"))
    Bundle.load(archive).record(opening("second"))
    for path in (copy, archive):
        assert [found.result for found in Bundle.load(path).openings()] == ["first", "second"]
    assert Bundle.load(copy).fingerprint == Bundle.load(archive).fingerprint
    assert not list(copy.parent.glob(".*.tmp"))


def test_the_record_goes_to_no_other_bundle_that_happens_to_stand_beside(copy: Path, written: Path) -> None:
    other = dataclasses.replace(Bundle.load(copy), created="2001-01-01T00:00:00+00:00")
    beside = other.write(copy.with_name("x"), {name: copy / name for name in (GRAPH, WEIGHTS)}).pack()
    beside.rename(copy.with_name("bundle.zip"))
    Bundle.load(copy).record(opening("first"))
    assert Bundle.load(copy.with_name("bundle.zip")).openings() == ()


@pytest.mark.parametrize(
    ("old", "new"), [('"result": "first"', '"result": "third"'), ('"n": 12', '"n": 13'), ("{", ""), ('"s"', '"t"')]
)
def test_an_altered_record_is_refused(copy: Path, old: str, new: str) -> None:
    for result in ("first", "second"):
        Bundle.load(copy).record(opening(result))
    record = copy / "evaluations.jsonl"
    record.write_text(record.read_text().replace(old, new, 1))
    with pytest.raises(InvalidBundle, match=r"evaluations\.jsonl of the bundle was altered"):
        Bundle.load(copy)


def test_a_line_taken_out_of_the_record_is_noticed(copy: Path) -> None:
    for result in ("first", "second", "third"):
        Bundle.load(copy).record(opening(result))
    record = copy / "evaluations.jsonl"
    record.write_text("".join(record.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(InvalidBundle, match=r"evaluations\.jsonl of the bundle was altered"):
        Bundle.load(copy)


def test_the_card_may_be_edited_and_the_bundle_stays_valid(copy: Path) -> None:
    bundle = Bundle.load(copy)
    bundle.write_card("# Card")
    (copy / "card.md").write_text("# Card, completed by the authors")
    assert Bundle.load(bundle.pack()).fingerprint == bundle.fingerprint


def test_a_bundle_that_cannot_be_written_says_so_and_stays_whole(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    archive = Bundle.load(copy).pack()
    before = archive.read_bytes()
    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OutputUnwritable, match="No space left"):
        Bundle.load(archive).record(opening("first"))
    assert archive.read_bytes() == before
    assert not list(copy.parent.glob(".*.tmp"))


def test_what_onnx_runtime_computes_with_is_named_by_the_environment_and_never_replaced_in_silence(
    written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERREAD_PROVIDER", "cpu")
    assert Reader.load(written).provider == "CPUExecutionProvider"
    monkeypatch.setenv("OVERREAD_PROVIDER", "CUDA")
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(InvalidOption, match=r"OVERREAD_PROVIDER=CUDA .*\(CPU\)"):
        Reader.load(written)
