"""An hour of mixed traffic against a real server: `make soak`."""
