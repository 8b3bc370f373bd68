"""overread: a second reading of medical images, from one folder to a result that a reviewer accepts.

    from overread import Manifest, Reader, Recipe, train

    study = train(Manifest.from_folder("larynx"), "runs/larynx", Recipe(network="efficientnet-lite0"))
    reading = Reader.load("runs/larynx/bundle").read("new.png")

Names are loaded on first use: `import overread` costs nothing, and reading never loads TensorFlow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from overread.lazy import on_first_use

__version__ = "0.1.0"

_HOMES = {
    "Augmentation": "overread.networks.augmentation",
    "Bundle": "overread.bundle",
    "Manifest": "overread.cases",
    "OverreadError": "overread.errors",
    "Reader": "overread.reading",
    "Reading": "overread.reading",
    "Recipe": "overread.recipe",
    "Study": "overread.study",
    "compare": "overread.study",
    "crossvalidate": "overread.study.crossvalidate",
    "evaluate": "overread.study",
    "train": "overread.study",
}
__all__ = [*_HOMES]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.bundle import Bundle as Bundle
    from overread.cases import Manifest as Manifest
    from overread.errors import OverreadError as OverreadError
    from overread.networks.augmentation import Augmentation as Augmentation
    from overread.reading import Reader as Reader
    from overread.reading import Reading as Reading
    from overread.recipe import Recipe as Recipe
    from overread.study.compare import compare as compare
    from overread.study.crossvalidate import crossvalidate as crossvalidate
    from overread.study.evaluate import evaluate as evaluate
    from overread.study.train import Study as Study
    from overread.study.train import train as train
