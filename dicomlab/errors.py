"""What can go wrong, as exceptions that say what was asked, what was found and what to do.

`DicomLabError` and `DicomLabWarning` are the two roots: catching the first catches every refusal of dicomlab.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicomlab.findings import Finding

__all__ = [
    "AmbiguousSourceError",
    "DicomLabError",
    "DicomLabWarning",
    "FaultError",
    "GeometryError",
    "MissingDependencyError",
    "NotDicomError",
    "OverwriteError",
    "SuvError",
    "UnsupportedError",
    "WindowError",
]


class DicomLabError(Exception):
    """Root of every error that dicomlab raises on purpose."""


class NotDicomError(DicomLabError):
    """The path exists but holds nothing that dicomlab can read as DICOM."""


class AmbiguousSourceError(DicomLabError):
    """More than one series or stack was found where one was asked for."""


class GeometryError(DicomLabError):
    """The geometry asked for does not exist, for instance one affine for uneven slices."""


class SuvError(DicomLabError):
    """SUV cannot be computed; the message names the attribute that is missing or wrong."""


class MissingDependencyError(DicomLabError, ImportError):
    """A package that this part of dicomlab needs is not installed; the message has the line that installs it."""


class UnsupportedError(DicomLabError):
    """The data are understood, but no volume can represent them yet."""


class OverwriteError(DicomLabError, FileExistsError):
    """A file is there already where one was to be written."""


class FaultError(DicomLabError):
    """Findings that would misplace or misvalue a voxel, with `findings` attached.

    Parameters
    ----------
    message
        The sentence for the user.
    findings
        The findings that made loading stop; each names its files.
    """

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message)
        self.findings = tuple(findings)

    def __reduce__(self) -> tuple[type[FaultError], tuple[str, tuple[Finding, ...]]]:
        # Without this, pickling (dask, multiprocessing) would drop the findings.
        return type(self), (str(self), self.findings)


class WindowError(DicomLabError, ValueError):
    """A window that the standard does not allow, or a name that no window bears."""


class DicomLabWarning(UserWarning):
    """A deviation that moved no voxel and changed no value, but that the user should know of."""
