"""Files to send: which there are, what they are, how many kinds one association can carry; one on its way."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydicom.filereader import dcmread

from dicomlab.errors import DicomLabError
from dicomlab.extras.network.association import MOST_CONTEXTS, Peer, failed
from dicomlab.warn import quiet

__all__ = ["kinds_of", "parts", "send"]


def kinds_of(files: Any) -> tuple[dict[Path, tuple[str, str]], dict[Path, str]]:
    """Return SOP class and transfer syntax of each file, and why others have none."""
    kinds: dict[Path, tuple[str, str]] = {}
    bad: dict[Path, str] = {}
    for path in _paths(files):
        try:
            with quiet():
                meta = dcmread(path, specific_tags=["SOPInstanceUID"], stop_before_pixels=True).file_meta
                kinds[path] = (str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID))
        except OSError as problem:
            bad[path] = f"it cannot be read: {problem.strerror or type(problem).__name__}"
        except Exception:  # pydicom raises whatever a broken file makes it raise
            bad[path] = "it is no DICOM file with a meta header"
    return kinds, bad


def _paths(files: Any) -> Iterator[Path]:
    if isinstance(files, (str, os.PathLike)):
        top = Path(files).expanduser()
        if not top.is_dir():
            yield top
            return
        for folder, folders, names in os.walk(top):
            folders.sort()
            yield from (Path(folder) / name for name in sorted(names) if name != "DICOMDIR")
    elif isinstance(files, Iterable):
        for one in files:
            if not isinstance(one, (str, os.PathLike)):
                raise DicomLabError(f"files to send are paths; found {type(one).__name__}")
            yield from _paths(one)
    else:
        raise DicomLabError(f"files to send are paths; found {type(files).__name__}")


def parts(order: list[Path], kinds: Mapping[Path, tuple[str, str]]) -> Iterator[list[Path]]:
    """Yield the files in parts of which one association can carry all kinds."""
    part: list[Path] = []
    seen: set[tuple[str, str]] = set()
    for path in order:
        if kinds[path] not in seen and len(seen) == MOST_CONTEXTS:
            yield part
            part, seen = [], set()
        part.append(path)
        seen.add(kinds[path])
    if part:
        yield part


def send(association: Any, peer: Peer, path: Path) -> str:
    """Send one file; why it was not taken, or nothing."""
    try:
        with quiet():
            whole = dcmread(path)
            _ = whole.SOPClassUID, whole.SOPInstanceUID  # parsed here, where nobody hears pydicom complain
        status = association.send_c_store(whole)
    except ValueError:
        return "the archive accepts no presentation context for its SOP class in its transfer syntax"
    except (AttributeError, OSError) as problem:
        return f"it cannot be sent: {type(problem).__name__}"
    if "Status" not in status:
        raise failed(status, "storing", peer)
    code = int(status.Status)
    # Warnings (PS3.4 B.2.3): it is stored, with something changed.
    return "" if code in (0x0000, 0xB000, 0xB006, 0xB007) else str(failed(status, "storing", peer))
