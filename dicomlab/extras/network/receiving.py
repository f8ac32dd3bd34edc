"""Images that come by C-STORE, into one folder: named by their checked UIDs, whole or not at all, never over another file."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.filereader import dcmread

from dicomlab.errors import DicomLabError, OverwriteError
from dicomlab.extras.network.association import MessageLimit
from dicomlab.extras.network.uids import is_uid
from dicomlab.warn import quiet
from dicomlab.writing import written

__all__ = ["Receiver", "folder_for"]

_SUCCESS, _OUT_OF_RESOURCES, _NO_MATCH, _NOT_UNDERSTOOD = 0x0000, 0xA700, 0xA900, 0xC000
_INVALID_INSTANCE: Final = 0x0117


class Receiver:
    """Writes what comes, within limits.

    Parameters
    ----------
    folder
        Is there already.
    object_limit, total_limit
        Bytes of one object, and of all together.

    Attributes
    ----------
    files
        What was written, in the order in which it came.
    already
        Files that were there before, under the same SOP Instance UID: they are left alone.
    refused
        SOP Instance UID (or ``""``) and why.
    """

    def __init__(self, folder: Path, object_limit: int, total_limit: int) -> None:
        self.folder = folder.resolve()
        self.object_limit = object_limit
        self.total_limit = total_limit
        self.files: list[Path] = []
        self.already: list[Path] = []
        self.refused: list[tuple[str, str]] = []
        self._total = 0
        self._lock = threading.Lock()

    def limit(self) -> MessageLimit:
        """What ends an association before one object on it fills the memory."""
        return MessageLimit(
            self.object_limit,
            lambda: self._refuse("", f"it has more than {self.object_limit} bytes", _OUT_OF_RESOURCES),
        )

    def store(self, event: Any) -> int:
        """Write one object; the status to answer with (PS3.4 B.2.3)."""
        uid = str(event.request.AffectedSOPInstanceUID or "")
        if not is_uid(uid):
            return self._refuse("", "its SOP Instance UID is none", _INVALID_INSTANCE)
        target = self.folder / f"{uid}.dcm"
        data: bytes = event.encoded_dataset()
        if len(data) > self.object_limit:
            return self._refuse(uid, f"it has more than {self.object_limit} bytes", _OUT_OF_RESOURCES)
        with self._lock:
            if self._total + len(data) > self.total_limit:
                return self._refuse(
                    uid, f"all together have more than {self.total_limit} bytes", _OUT_OF_RESOURCES
                )
            self._total += len(data)
        problem = _contradiction(data, event.request)
        if problem:
            return self._refuse(uid, problem, _NO_MATCH)
        try:
            with written(target, overwrite=False, suffixes=(".dcm",)) as part:
                part.write_bytes(data)
        except OverwriteError:
            self.already.append(target)
            return _SUCCESS
        except OSError as trouble:
            return self._refuse(
                uid, f"it cannot be written: {trouble.strerror or 'no reason given'}", _OUT_OF_RESOURCES
            )
        self.files.append(target)
        return _SUCCESS

    def _refuse(self, uid: str, why: str, status: int) -> int:
        self.refused.append((uid, why))
        return status


def _contradiction(data: bytes, request: Any) -> str:
    """What is wrong between the command and the data set that came with it: both name the object."""
    with quiet():
        try:
            header: Dataset = dcmread(
                io.BytesIO(data), specific_tags=["SOPClassUID", "SOPInstanceUID"], stop_before_pixels=True
            )
        except Exception:  # pydicom raises whatever broken bytes make it raise
            return "its data set cannot be parsed"
        same = str(header.get("SOPInstanceUID", "")) == str(request.AffectedSOPInstanceUID) and str(
            header.get("SOPClassUID", "")
        ) == str(request.AffectedSOPClassUID)
    return "" if same else "its data set names another object than the command it came with"


def folder_for(folder: str | os.PathLike[str]) -> Path:
    """Return the folder for what comes, made when missing."""
    target = Path(folder).expanduser()
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise DicomLabError(
            f"a folder for what comes was asked for at {str(target)!r}, which cannot be made: {problem.strerror}"
        ) from problem
    return target
