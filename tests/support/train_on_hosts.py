"""Train a tiny network on made pixels, alone or as one of several hosts: `train_on_hosts.py FOLDER [DIE]`.

The first host writes what the network became to FOLDER/weights.npz. With DIE, the last host kills itself as that epoch
begins.
"""

import os
import signal
import sys
from pathlib import Path

os.environ |= {"JAX_COMPILATION_CACHE_DIR": str(Path(sys.argv[1]).parent / "compiled"), "TF_CPP_MIN_LOG_LEVEL": "1"}
os.environ["KERAS_BACKEND"] = "jax"  # which is read as Keras is loaded

import numpy as np
from own_networks import normalised

from overread.decision.find_task import find_task
from overread.networks.augmentation import Augmentation
from overread.networks.backend import keras
from overread.networks.build import NetworkSpec, build_network
from overread.recipe import Recipe
from overread.run import RunFolder
from overread.scale.hosts import Hosts
from overread.training import crew
from overread.training.fit import TrainingData, fit
from overread.training.objective import compile_for_training
from overread.training.states.resume import share_states

RECIPE = Recipe(network=normalised, batch_size=8, epochs=2, mixup=0.2, augmentation=Augmentation(noise=0.02))


class Die(keras.callbacks.Callback):
    """Kills this process as an epoch begins."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            os.kill(os.getpid(), signal.SIGKILL)


def main(out: Path, dies: int | None) -> None:
    own = Hosts.of_this_process()
    if own is not None:
        crew.join(own)
    number, count = crew.which_host()
    folder = out if number == 0 else out / f"host-{number}"
    rng = np.random.default_rng(0)
    y_true = np.arange(21) % 2
    pixels = rng.integers(0, 256, (21, 32, 32, 1)).astype(np.uint8)
    task, _ = find_task(["no", "yes"], positive="yes")
    data = TrainingData(pixels=pixels, y_true=y_true, train=range(14), validation=range(14, 21), task=task)
    spec = NetworkSpec(name="own", height=32, width=32, channels=1, outputs=1, builder=normalised)
    steps = len(data.batches(RECIPE)[0])
    share_states(RunFolder(folder).checkpoints)
    with crew.ended_by_loss(), crew.dealt_to_devices(RECIPE.batch_size):
        model = compile_for_training(build_network(spec, augmentation=RECIPE.augmentation), RECIPE, task, steps)
        callbacks = [Die(dies - 1)] if dies is not None and number == count - 1 else []
        history = fit(model, data, RECIPE, folder, callbacks=callbacks)
        weights = model.get_weights()
    if number == 0:
        losses = [[row["loss"], row["val_loss"], row["val_accuracy"], row["val_auc"]] for row in history.rows]
        np.savez(out / "weights.npz", np.array(losses), *weights)
    if own is not None:
        crew.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)
