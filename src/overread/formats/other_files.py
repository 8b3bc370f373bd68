"""What files are that are not read as images: of which kind, and what their user can do."""

from __future__ import annotations

import dataclasses
import re


@dataclasses.dataclass(frozen=True, kw_only=True)
class OtherFile:
    """A kind of files that are not read.

    Args:
        noun: one of them, such as "NIfTI volume"; empty for a kind that nobody takes for images.
        remark: what their user is to know or to do; empty where the noun says it all.
        is_loss: each stands for an image that could not be had.
    """

    noun: str = ""
    remark: str = ""
    is_loss: bool = False


NO_IMAGE = OtherFile()
LFS_POINTER = OtherFile(noun="git LFS pointer", remark="fetch the files themselves with git lfs pull", is_loss=True)
ANNEX_POINTER = OtherFile(
    noun="git-annex pointer", remark="fetch the files themselves with git annex get", is_loss=True
)
UNOPENED = OtherFile(noun="unreadable file", remark="see to the permissions", is_loss=True)
WITHOUT_NIBABEL = OtherFile(noun="NIfTI volume", remark="to have them read, pip install 'overread[volumes]'")
BROKEN_LINK = OtherFile(noun="broken link", remark="the target is missing, or is the link itself", is_loss=True)
UNREAD_SLIDE = OtherFile(noun="whole slide", remark="what reads slides comes with pip install 'overread[slides]'")
SPECIAL = OtherFile(noun="special file", remark="pipes, sockets and devices are not opened")

_POINTERS = (
    (re.compile(rb"version https://(git-lfs|hawser)\.github\.com/spec/"), LFS_POINTER),
    (re.compile(rb"(\.\./)*(\.git)?/annex/objects/"), ANNEX_POINTER),
)
_VOLUME, _SLIDE, _ARCHIVE, _VIDEO = "{} volume", "{} slide", "{} archive", "{} video"
# Slides that are not read, of some of which a reader of TIFF would get a tile, a label or more than memory holds.
_SLIDES = {
    ".qptiff": "Akoya", ".vsi": "Olympus", ".czi": "Zeiss", ".lif": "Leica", ".nd2": "Nikon", ".isyntax": "Philips",
}  # fmt: skip
# So is what a camera calls raw, and its TIFF a thumbnail.
_CAMERA_RAW = dict.fromkeys((".dng", ".cr2", ".nef", ".arw", ".orf", ".rw2", ".pef"), "camera raw file")
_NIFTI_ENDINGS = (".nii", ".nii.gz")
# What a user of these can do: programs that turn them into what is read.
_TO_NIFTI = {
    **dict.fromkeys((".hdr", ".img", ".img.gz"), "join each pair into one file, as with fslchfiletype NIFTI_GZ"),
    **dict.fromkeys((".mgh", ".mgz"), "convert them to .nii.gz, as with mri_convert"),
    **dict.fromkeys((".mnc", ".mnc.gz"), "convert them to .nii.gz, as with mnc2nii"),
    **dict.fromkeys((".mif", ".mif.gz"), "convert them to .nii.gz, as with mrconvert"),
    **dict.fromkeys((".nrrd", ".nhdr", ".mha", ".mhd"), "save them as .nii.gz, as 3D Slicer and SimpleITK do"),
}
_NAMED = {
    **{end: _VOLUME.format("NIfTI") for end in _NIFTI_ENDINGS},
    **{end: _VOLUME.format("Analyze") for end in (".hdr", ".img", ".img.gz")},
    **{end: _VOLUME.format("NRRD") for end in (".nrrd", ".nhdr")},
    **{end: _VOLUME.format("MetaImage") for end in (".mha", ".mhd", ".zraw")},
    **{end: _VOLUME.format("MINC") for end in (".mnc", ".mnc.gz")},
    **{end: _VOLUME.format("FreeSurfer") for end in (".mgh", ".mgz")},
    **{end: _VOLUME.format("MRtrix") for end in (".mif", ".mif.gz")},
    **{end: _SLIDE.format(maker) for end, maker in _SLIDES.items()},
    **_CAMERA_RAW,
    **{end: "NumPy file" for end in (".npy", ".npz")},
    ".mat": "MATLAB file",
    **{end: "HDF5 file" for end in (".h5", ".hdf5", ".hdf")},
    **{end: "PyTorch file" for end in (".pt", ".pth")},
    **{end: "pickle file" for end in (".pkl", ".pickle")},
    ".tfrecord": "TFRecord file", ".tfrecords": "TFRecord file", ".parquet": "Parquet file", ".lmdb": "LMDB file",
    **{
        end: _VIDEO.format(end[1:].upper())
        for end in (".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm", ".wmv", ".mpg", ".mpeg")
    },
    ".pdf": "PDF file",
    **{end: _ARCHIVE.format(end[1:]) for end in (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar", ".xz", ".bz2")},
    ".gif": "GIF image", ".heic": "HEIC image", ".heif": "HEIC image", ".avif": "AVIF image",
    **{end: "JPEG 2000 image" for end in (".jp2", ".j2k", ".jpx", ".jpf")},
    ".jxl": "JPEG XL image", ".jls": "JPEG-LS image", ".psd": "Photoshop image", ".ico": "icon", ".svg": "SVG drawing",
    ".tga": "TGA image", ".exr": "OpenEXR image",
    **{end: "PNM image" for end in (".pnm", ".ppm", ".pgm", ".pbm")},
    # Archives by their content alone.
    **dict.fromkeys((".xlsx", ".docx", ".pptx", ".ods", ".odt"), ""),
}  # fmt: skip
_CONTENT = tuple(
    (re.compile(pattern, re.DOTALL), noun)
    for pattern, noun in (
        (rb".{344}(n\+1|ni1)\0|.{4}n[+i]2\0", _VOLUME.format("NIfTI")),
        (rb"NRRD000", _VOLUME.format("NRRD")),
        (rb"ObjectType\s*=\s*Image|NDims\s*=", _VOLUME.format("MetaImage")),
        (rb"CDF[\x01\x02]", _VOLUME.format("MINC")),
        (rb"\x93NUMPY", "NumPy file"),
        (rb"MATLAB 5\.0 MAT-file", "MATLAB file"),
        (rb"\x89HDF\r\n\x1a\n", "HDF5 file"),
        (rb".{4}ftyp(heic|heix|mif1|msf1|hevc)", "HEIC image"),
        (rb".{4}ftypavif", "AVIF image"),
        (rb".{4}ftyp", _VIDEO.format("MP4")),
        (rb"RIFF.{4}AVI ", _VIDEO.format("AVI")),
        (rb"\x1aE\xdf\xa3", _VIDEO.format("MKV")),
        (rb"\0\0\x01[\xba\xb3]", _VIDEO.format("MPG")),
        (rb"%PDF-", "PDF file"),
        (rb"GIF8[79]a", "GIF image"),
        (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000 image"),
        (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL image"),
        (rb"8BPS", "Photoshop image"),
        (rb"PK\x03\x04", _ARCHIVE.format("zip")),
        (rb"\x1f\x8b", _ARCHIVE.format("gz")),
        (rb"7z\xbc\xaf\x27\x1c", _ARCHIVE.format("7z")),
        (rb"Rar!\x1a\x07", _ARCHIVE.format("rar")),
        (rb"\xfd7zXZ\0", _ARCHIVE.format("xz")),
        (rb"BZh\d1AY&SY", _ARCHIVE.format("bz2")),
        (rb".{257}ustar", _ARCHIVE.format("tar")),
    )
)


def pointer(head: bytes) -> OtherFile | None:
    """What a file is that stands for one that was not fetched; None for any other."""
    return next((kind for pattern, kind in _POINTERS if pattern.match(head)), None)


def is_slide_or_raw(name: str) -> bool:
    """Whether files of this name are TIFF by their content, and no pictures."""
    return any(name.endswith(end) for end in (*_SLIDES, *_CAMERA_RAW))


def is_volume(name: str) -> bool:
    """Whether files of this name, in lower case, are NIfTI volumes."""
    return name.endswith(_NIFTI_ENDINGS)


def other_file(head: bytes, name: str) -> OtherFile:
    """What a file is that no format claims.

    Args:
        head: the first 512 bytes.
        name: of the file, in lower case.
    """
    # The longest ending, for .nii.gz is no archive.
    by_name = max((end for end in _NAMED if name.endswith(end)), key=len, default="")
    by_content = next((noun for pattern, noun in _CONTENT if pattern.match(head)), "")
    noun = _NAMED[by_name] if by_name else by_content
    remark = next((remark for end, remark in _TO_NIFTI.items() if name.endswith(end)), "")
    return OtherFile(noun=noun, remark=remark) if noun else NO_IMAGE
