"""Folders of images: what lies in them, what is left out and told, and which of them are classes and sides."""

from overread.cases.folder.layout import Layout, describe_layout
from overread.cases.folder.left_out import LeftOut, is_junk
from overread.cases.folder.read import read_folder
from overread.cases.folder.walk import images_below

__all__ = ["Layout", "LeftOut", "describe_layout", "images_below", "is_junk", "read_folder"]
