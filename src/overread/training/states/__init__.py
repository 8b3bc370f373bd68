"""The states of a training: saved after each epoch and amid long ones, gone on from, kept where others find them."""
