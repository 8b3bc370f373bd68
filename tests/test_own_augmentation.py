"""Layers of the user's own that change training images: before our changes or instead of them, and recorded."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest

from overread.errors import InvalidOption
from overread.networks.augment import Augment
from overread.networks.augmentation import Augmentation
from overread.recipe import Recipe


@keras.saving.register_keras_serializable()
class Darken(keras.layers.Layer):
    """Halve every value."""

    def call(self, images: object) -> object:
        return images * 0.5  # type: ignore[operator]


@keras.saving.register_keras_serializable()
class Weighty(keras.layers.Layer):
    """Has a weight."""

    def build(self, input_shape: object) -> None:
        self.factor = self.add_weight(shape=(), initializer="ones")

    def call(self, images: object) -> object:
        return images * self.factor


class Unregistered(Darken):
    """Keras would not find it again."""


def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 1), dtype=np.uint8)


def test_a_layer_instead_of_ours_is_applied_while_training_only() -> None:
    augment = Augment(Augmentation.off(layers=(Darken(),)))
    assert np.allclose(augment(images(), training=True), images() / 2)
    assert np.array_equal(augment(images(), training=False), images())


def test_layers_come_in_their_order_and_before_ours() -> None:
    mirrored = dataclasses.replace(Augmentation.off(layers=(Darken(), Darken())), vertical_flip=True)
    found = np.asarray(Augment(mirrored, seed=1)(images(), training=True))
    for before, after in zip(images() / 4, found, strict=True):
        assert np.allclose(after, before, atol=1e-3) or np.allclose(after, before[::-1], atol=1e-3)


def test_a_layer_may_leave_the_range_of_pixels_before_ours() -> None:
    augment = Augment(Augmentation(layers=(keras.layers.GaussianNoise(1.0),)))
    found = np.asarray(augment(images() // 255, training=True))
    assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 255


def test_a_recipe_records_layers_and_makes_them_again() -> None:
    layers = (keras.layers.RandomErasing(factor=0.7), Darken())
    recipe = Recipe(augmentation=Augmentation(layers=layers))
    again = Recipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again.augmentation == recipe.augmentation
    made = Augment(again.augmentation).own_layers
    assert [type(layer).__name__ for layer in made] == ["RandomErasing", "Darken"]
    assert made[0].factor == layers[0].factor


def test_names_and_seeds_that_differ_from_session_to_session_are_no_part_of_a_recipe() -> None:
    one, other = (Augmentation(layers=(keras.layers.RandomFlip(seed=seed),)) for seed in (1, 2))
    assert one == other
    assert Augmentation().to_dict() == {
        name: value for name, value in dataclasses.asdict(Augmentation()).items() if name != "layers"
    }


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (keras.layers.Lambda(lambda x: x), "layer Lambda cannot be recorded"),
        (Unregistered(), "needs .* @keras.saving.register_keras_serializable"),
        (keras.layers.Cropping2D(4), r"layer Cropping2D makes \(None, 24, 24, 1\) of \(None, 32, 32, 1\)"),
        (Weighty(), "has 1 weights: expected .* no weights"),
    ],
)
def test_a_layer_that_cannot_augment_is_refused_in_one_sentence(layer: keras.layers.Layer, message: str) -> None:
    with pytest.raises(InvalidOption, match=message):
        Augment(Augmentation(layers=(layer,)))(keras.Input((32, 32, 1)))
