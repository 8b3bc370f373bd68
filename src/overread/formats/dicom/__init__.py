"""DICOM: what a header says, whose it is, and one frame as it is meant to be displayed.

pydicom and its decoders are imported on first use. Only the elements that are needed are ever read, so that no message,
warning or log of any library can hold a patient's data.
"""

from overread.formats.dicom.dicom_format import DICOM, is_dicom

__all__ = ["DICOM", "is_dicom"]
