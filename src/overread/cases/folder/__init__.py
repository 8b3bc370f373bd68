"""Folders of images: what lies in them, what is left out and told, and which of them are classes and sides.

Names are loaded on first use: a search for images needs no layout.
"""

from typing import TYPE_CHECKING

from overread.lazy import on_first_use

_HOMES = {
    "Layout": "overread.cases.folder.layout",
    "LeftOut": "overread.cases.folder.left_out",
    "describe_layout": "overread.cases.folder.layout",
    "each_image_below": "overread.cases.folder.walk",
    "images_below": "overread.cases.folder.walk",
    "is_junk": "overread.cases.folder.left_out",
    "read_folder": "overread.cases.folder.read",
}
__all__ = [*_HOMES]
__getattr__ = on_first_use(__name__, _HOMES)

if TYPE_CHECKING:
    from overread.cases.folder.layout import Layout as Layout
    from overread.cases.folder.layout import describe_layout as describe_layout
    from overread.cases.folder.left_out import LeftOut as LeftOut
    from overread.cases.folder.left_out import is_junk as is_junk
    from overread.cases.folder.read import read_folder as read_folder
    from overread.cases.folder.walk import each_image_below as each_image_below
    from overread.cases.folder.walk import images_below as images_below
