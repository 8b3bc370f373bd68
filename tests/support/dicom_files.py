"""DICOM files made in code."""

from __future__ import annotations

import csv
import logging
import struct
import sys
import warnings
from pathlib import Path
import numpy as np
import pytest
from support.dicom_files import dataset, file_bytes
from pydicom.dataset import Dataset  # noqa: E402
from pydicom.encaps import encapsulate, get_frame  # noqa: E402
from pydicom.pixels import apply_modality_lut, apply_windowing  # noqa: E402
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless  # noqa: E402
from overread.errors import MissingExtra, MissingPath, UnreadableImage  # noqa: E402
from overread.formats import dicom as dicom_module  # noqa: E402
from overread.formats.dicom import is_dicom  # noqa: E402
from overread.formats.raster import is_coloured  # noqa: E402
from overread.images import Preprocessing, prepare  # noqa: E402
from overread.images.prepare import fit_pixels  # noqa: E402
from overread.study.data import patient_id_hash  # noqa: E402


