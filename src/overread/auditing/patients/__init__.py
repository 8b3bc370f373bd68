"""Who the images are of."""
