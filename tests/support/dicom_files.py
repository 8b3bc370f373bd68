"""DICOM files made in code."""

from __future__ import annotations

import io

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian


def dataset(stored: np.ndarray, syntax: str = ExplicitVRLittleEndian, **elements) -> FileDataset:
    """A secondary capture of these stored values; `elements` add to or override the header."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    meta.TransferSyntaxUID = syntax
    encoding = {"is_implicit_VR": syntax == ImplicitVRLittleEndian, "is_little_endian": syntax != ExplicitVRBigEndian}
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128), **encoding)
    bits = stored.dtype.itemsize * 8
    header = {
        "SOPClassUID": meta.MediaStorageSOPClassUID, "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "Rows": stored.shape[0], "Columns": stored.shape[1], "SamplesPerPixel": 3 if stored.ndim == 3 else 1,
        "PhotometricInterpretation": "RGB" if stored.ndim == 3 else "MONOCHROME2", "BitsAllocated": bits,
        "BitsStored": bits, "PixelRepresentation": int(stored.dtype.kind == "i"),
    }  # fmt: skip
    if stored.ndim == 3:
        header["PlanarConfiguration"] = 0
    for keyword, value in (header | elements).items():
        setattr(ds, keyword, value)
    ds.HighBit = ds.BitsStored - 1
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    ds.add_new("PixelData", "OB" if bits == 8 else "OW", stored.astype(stored.dtype.newbyteorder(order)).tobytes())
    return ds


def file_bytes(ds: Dataset) -> bytes:
    stream = io.BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def lut(entries: np.ndarray, first: int, bits: int, descriptor_vr: str = "US") -> Dataset:
    """An item of a VOI or modality LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", descriptor_vr, [len(entries), first, bits])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item
