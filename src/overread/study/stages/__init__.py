"""The stages of a training run before and after its training."""
