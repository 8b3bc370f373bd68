"""Training on exams: features of each frame once, and a pooling on them."""
