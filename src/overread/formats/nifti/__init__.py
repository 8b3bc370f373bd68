"""NIfTI: volumes of slices, such as those of brain studies and segmentation challenges."""

from overread.formats.nifti.nifti_format import NIFTI

__all__ = ["NIFTI"]
