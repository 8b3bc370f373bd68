"""DICOM files of one exam: series of slices and files of several frames, in their true order."""
