"""What the reading log says over time."""
