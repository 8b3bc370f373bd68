"""What the program is run in: variables and settings of the user's that are for other programs are kept out."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings

from overread.errors import MissingPath
from overread.machine.places import cache_folder


def keep_out_settings() -> None:
    """Have this process and its children draw without a window, and take no warning of a library for an error.

    Matplotlib refuses a back end that it does not know, reads a style from the user's home, writes there and says so.
    """
    os.environ["MPLBACKEND"] = "agg"
    with contextlib.suppress(MissingPath):  # without a home Matplotlib takes a temporary folder
        os.environ["MPLCONFIGDIR"] = str(cache_folder() / "matplotlib")
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if sys.warnoptions:
        warnings.simplefilter("default")
    os.environ.pop("PYTHONWARNINGS", None)
