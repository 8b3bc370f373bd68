"""Training: a fit that can be resumed, the choice of precision, and the bundle that comes of it."""
