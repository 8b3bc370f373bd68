"""What tables tell of images: which file a row means, whose it is, on which side it stands, and what it shows."""
