"""How a calibration is fitted, on images that the network was not fitted to and never on test data."""
