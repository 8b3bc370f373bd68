"""Copies that were turned by any angle, cropped, negative or bent: keypoints propose them, pixels confirm them."""

from overread.images.copies.turned.keypoints import SIDE
from overread.images.copies.turned.pictures import Look, TurnedPictures

__all__ = ["SIDE", "Look", "TurnedPictures"]
