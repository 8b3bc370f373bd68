"""How the operating point is chosen, on images that the network was not fitted to and never on test data."""
