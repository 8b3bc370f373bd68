"""Training against the clock: what is tried next, the record of the time, and the work."""
