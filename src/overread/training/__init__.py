"""Training: the recipe, the fit that can be resumed, and the choice of precision."""
